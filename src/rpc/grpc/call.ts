import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Message } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import {
  compressedFlag,
  compressionNegotiate,
  envelopeDecompress,
  type UniversalHandlerOptions,
} from "@connectrpc/connect/protocol";
import { parseTimeout } from "@connectrpc/connect/protocol-grpc";
import type { Doorkeeper } from "../../admission/doorkeeper.ts";
import { standingHeaders } from "../../admission/limits/standing-headers.ts";
import { clientGone } from "../../errors/client-gone.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { CallContext } from "../../gateway/operation.ts";
import type { CallLog } from "../../telemetry/call-log.ts";
import { adoptError } from "../own-error.ts";
import { failure } from "../serve-operation.ts";
import { isStream, type ServedStream } from "../served-method.ts";
import { Answer } from "./answer.ts";
import type { GrpcMethod } from "./method.ts";
import { type RequestFormat, readMessage } from "./read-message.ts";

/** What calls are held to. */
export interface GrpcOptions
  extends Pick<UniversalHandlerOptions, "acceptCompression" | "jsonOptions" | "maxTimeoutMs" | "readMaxBytes"> {
  readonly doorkeeper: Doorkeeper;
}

/** What is known of a call where it arrives. */
export interface GrpcExchange {
  readonly log: CallLog;
  /** Headers that the answer has besides those of gRPC. */
  readonly head: OutgoingHttpHeaders;
}

/** A request, and what it calls. */
export interface GrpcRequest {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly method: GrpcMethod;
  readonly exchange: GrpcExchange;
  readonly options: GrpcOptions;
}

/** Answers a call. What fails in it ends it. Rejects where that cannot be told to the client. */
export async function answerCall(request: GrpcRequest): Promise<void> {
  const { stream, headers, method, exchange, options } = request;
  const { log } = exchange;
  const answer = new Answer(stream, method, exchange.head);
  const client = new AbortController();
  stream.on("close", () => {
    if (answer.isOpen) client.abort(clientGone());
  });
  let hasBegun = false;
  try {
    const head = readHead(headers, options);
    answer.compress(head.compression.response);
    const found = options.doorkeeper.admit(headers, method.methods, "POST");
    const caller = found instanceof Promise ? await found : found;
    log.identified(caller.id);
    if (head.fault !== undefined) throw head.fault;
    const { timeoutMs } = head;
    const message = await readMessage(stream, formatOf(request, head));
    hasBegun = true;
    const call: CallContext = {
      caller,
      log,
      signal: client.signal,
      timeoutMs,
      tellStanding(standing) {
        Object.assign(answer.head, standingHeaders(standing));
      },
    };
    if (isStream(method.served)) await sendStream(method.served, message, call, answer);
    else await answer.send([await method.served.operation(message, call)]);
    answer.end();
  } catch (thrown) {
    const error = thrown instanceof ConnectError ? thrown : failure(thrown, log);
    log.failed(adoptError(error, hasBegun) ?? GatewayError.from(error));
    answer.fail(error);
  }
}

/** What the headers say of a call. */
interface RequestHead {
  readonly compression: ReturnType<typeof compressionNegotiate>;
  readonly timeoutMs: number | undefined;
  /** What is wrong with them; it is told before anything of the body is read. */
  readonly fault: ConnectError | undefined;
}

function readHead(headers: IncomingHttpHeaders, { acceptCompression, maxTimeoutMs }: GrpcOptions): RequestHead {
  const encoding = textOf(headers["grpc-encoding"]);
  const accepted = textOf(headers["grpc-accept-encoding"]);
  const compression = compressionNegotiate(acceptCompression, encoding, accepted, "grpc-accept-encoding");
  const { timeoutMs, error } = parseTimeout(textOf(headers["grpc-timeout"]), maxTimeoutMs);
  return { compression, timeoutMs, fault: compression.error ?? error };
}

function formatOf({ method, exchange, options }: GrpcRequest, { compression, timeoutMs }: RequestHead): RequestFormat {
  const { readMaxBytes } = options;
  return {
    maxBytes: readMaxBytes,
    deadline: timeoutMs === undefined ? undefined : { timeoutMs, leftMs: timeoutMs - exchange.log.elapsedMs() },
    decode(envelope) {
      if ((envelope.flags & compressedFlag) === 0) return method.parse(envelope.data);
      return envelopeDecompress(envelope, compression.request, readMaxBytes).then(({ data }) => method.parse(data));
    },
  };
}

/** Node joins the values of headers such as these. */
const textOf = (value: string | string[] | undefined): string | null => (typeof value === "string" ? value : null);

async function sendStream(served: ServedStream, message: Message, call: CallContext, answer: Answer): Promise<void> {
  const edit = served.edit(message);
  for await (const batch of served.operation(message, call)) {
    await answer.send(edit === undefined ? batch : batch.map(edit));
  }
}
