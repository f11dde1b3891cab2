import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Message } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { compressedFlag, envelopeDecompress, type UniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { parseTimeout } from "@connectrpc/connect/protocol-grpc";
import type { Caller } from "../../admission/caller.ts";
import type { Doorkeeper } from "../../admission/doorkeeper.ts";
import { clientGone } from "../../errors/client-gone.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { CallContext } from "../../gateway/operation.ts";
import { feedOf, readFeed } from "../../lib/feed.ts";
import type { CallLog } from "../../telemetry/call-log.ts";
import { adoptError } from "../own-error.ts";
import { failure } from "../serve-operation.ts";
import { isStream, type ServedStream } from "../served-method.ts";
import { Answer } from "./answer.ts";
import type { Envelope } from "./envelope.ts";
import { hearRequest, hearStream, type StreamHearer } from "./hear-stream.ts";
import type { GrpcMethod } from "./method.ts";
import type { Negotiate, Negotiated } from "./negotiate.ts";
import { type RequestFormat, RequestReader, type WaitingReaders } from "./read-request.ts";

/** What calls are held to. */
export interface GrpcOptions
  extends Pick<UniversalHandlerOptions, "acceptCompression" | "jsonOptions" | "maxTimeoutMs" | "readMaxBytes"> {
  readonly doorkeeper: Doorkeeper;
}

/** What all calls of a handler have in common. */
export interface GrpcCalls extends GrpcOptions {
  readonly negotiate: Negotiate;
  readonly waiting: WaitingReaders;
}

/** What is known of a call where it arrives. */
export interface GrpcExchange {
  readonly log: CallLog;
  /** Headers that the answer has besides those of gRPC: names and values in turns. */
  readonly head: readonly string[];
  /** The stream is over. `hasBegun`: whether an answer has begun. */
  closed(hasBegun: boolean): void;
}

/** A request, and what it calls. */
export interface GrpcRequest {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly method: GrpcMethod;
  readonly exchange: GrpcExchange;
  readonly calls: GrpcCalls;
}

/** Answers a call. What fails in it ends it. Rejects where that cannot be told to the client. */
export function answerCall(request: GrpcRequest): Promise<void> {
  return new Call(request).run();
}

class Call implements StreamHearer {
  readonly #request: GrpcRequest;
  readonly #answer: Answer;
  readonly #client = new AbortController();
  /** While the request is read: it has the message, and a stream may be open for long. */
  #reader: RequestReader | undefined;

  constructor(request: GrpcRequest) {
    const { stream, method, exchange } = request;
    this.#request = request;
    this.#answer = new Answer(stream, method, exchange.head);
    hearStream(stream, this);
  }

  pieceCame(piece: Buffer<ArrayBuffer>): void {
    this.#reader?.push(piece);
  }

  requestEnded(): void {
    this.#reader?.finish();
  }

  roomCame(): void {
    this.#answer.goOn();
  }

  trailersWanted(): void {
    this.#answer.sendTrailers();
  }

  closed(): void {
    this.#request.exchange.closed(this.#answer.hasBegun);
    if (this.#answer.isOpen) this.#client.abort(clientGone());
    this.#reader?.leave();
    this.#answer.goOn();
  }

  async run(): Promise<void> {
    const { headers, method, exchange, calls } = this.#request;
    const { log } = exchange;
    let hasBegun = false;
    try {
      const head = readHead(headers, calls);
      this.#answer.compression = head.compression.response;
      const found = calls.doorkeeper.admit(headers, method.methods, "POST");
      const caller = found instanceof Promise ? await found : found;
      log.identified(caller.id);
      if (head.fault !== undefined) throw head.fault;
      const message = await this.#read(head);
      this.#reader = undefined;
      hasBegun = true;
      const call = this.#context(caller, head.timeoutMs);
      const { served } = method;
      const sending = isStream(served)
        ? sendStream(served, message, call, this.#answer)
        : this.#answer.sendLast(await served.operation(message, call));
      if (sending !== undefined) await sending;
    } catch (thrown) {
      const error = thrown instanceof ConnectError ? thrown : failure(thrown, log);
      log.failed(adoptError(error, hasBegun) ?? GatewayError.from(error));
      this.#answer.fail(error);
    }
  }

  #read(head: RequestHead): Promise<Message> {
    const { stream, calls } = this.#request;
    const reader = new RequestReader(stream, formatOf(this.#request, head), calls.waiting);
    this.#reader = reader;
    hearRequest(stream);
    return reader.message;
  }

  #context(caller: Caller, timeoutMs: number | undefined): CallContext {
    const answer = this.#answer;
    return {
      caller,
      log: this.#request.exchange.log,
      signal: this.#client.signal,
      timeoutMs,
      tellStanding(standing) {
        answer.standing = standing;
      },
    };
  }
}

/** What the headers say of a call. */
interface RequestHead {
  readonly compression: Negotiated;
  readonly timeoutMs: number | undefined;
  /** What is wrong with them; it is told before anything of the body is read. */
  readonly fault: ConnectError | undefined;
}

function readHead(headers: IncomingHttpHeaders, { negotiate, maxTimeoutMs }: GrpcCalls): RequestHead {
  const compression = negotiate(textOf(headers["grpc-encoding"]), textOf(headers["grpc-accept-encoding"]));
  const { timeoutMs, error } = parseTimeout(textOf(headers["grpc-timeout"]), maxTimeoutMs);
  return { compression, timeoutMs, fault: compression.error ?? error };
}

function formatOf({ method, exchange, calls }: GrpcRequest, { compression, timeoutMs }: RequestHead): RequestFormat {
  const { readMaxBytes } = calls;
  return {
    maxBytes: readMaxBytes,
    deadline: timeoutMs === undefined ? undefined : { timeoutMs, leftMs: timeoutMs - exchange.log.elapsedMs() },
    decode(envelope: Envelope) {
      if ((envelope.flags & compressedFlag) === 0) return method.parse(envelope.data);
      return envelopeDecompress(envelope, compression.request, readMaxBytes).then(({ data }) => method.parse(data));
    },
  };
}

/** Node joins the values of headers such as these. */
const textOf = (value: string | string[] | undefined): string | null => (typeof value === "string" ? value : null);

async function sendStream(served: ServedStream, message: Message, call: CallContext, answer: Answer): Promise<void> {
  const edit = served.edit(message);
  await readFeed(feedOf(served.operation(message, call)), (batch) =>
    answer.send(edit === undefined ? batch : batch.map(edit)),
  );
  answer.end();
}
