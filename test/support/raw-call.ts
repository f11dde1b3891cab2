import { connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader, type OutgoingHttpHeaders } from "node:http2";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { CreateChatCompletionRequestSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";

/** Paths of the rpcs of chat. */
export const CREATE = "/parley.chat.v1.ChatService/CreateChatCompletion";
export const STREAM = "/parley.chat.v1.ChatService/StreamChatCompletion";

/** What came back of a call. */
export interface RawAnswer {
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  /** Empty where there are none. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How a call is made. */
export interface RawCall {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  /** The end of the request is not sent. */
  readonly isOpen?: boolean;
  /** The body is sent only when this is resolved. */
  readonly sendsAfter?: Promise<unknown>;
  /** The answer is read only when this is resolved. */
  readonly readsAfter?: Promise<unknown>;
}

/** A client that says on HTTP/2 exactly what it is told. */
export interface RawClient {
  /** Rejects when the stream is reset. */
  call(path: string, call: RawCall): Promise<RawAnswer>;
  close(): void;
}

/** Opens a connection of its own. */
export function openRaw(url: string): RawClient {
  const session = connect(url);
  return {
    call: (path, { method = "POST", headers = {}, body = "", isOpen = false, sendsAfter, readsAfter }) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": path, ":method": method, ...headers });
        let head: RawAnswer["headers"] = {};
        let trailers: IncomingHttpHeaders = {};
        const chunks: Buffer[] = [];
        stream.on("response", (received) => {
          head = received;
        });
        stream.on("trailers", (received) => {
          trailers = received;
        });
        stream.on("error", reject);
        stream.on("end", () => {
          if (!stream.writableEnded) stream.end();
          resolve({ headers: head, trailers, body: Buffer.concat(chunks) });
        });
        const read = (): void => void stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        if (readsAfter === undefined) read();
        else void readsAfter.then(read);
        if (sendsAfter !== undefined) void sendsAfter.then(() => stream.end(body));
        else if (isOpen) stream.write(body);
        else if (!stream.writableEnded) stream.end(body); // Node ends a GET by itself.
      }),
    close: () => session.destroy(),
  };
}

/** A message behind its prefix, as gRPC and Connect's streams have it; flag 1 says that it is packed. */
export function envelope(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The binary message of a request with these parameters; it is the same for CREATE and STREAM. */
export const requestBytes = (
  params: NonNullable<MessageInitShape<typeof CreateChatCompletionRequestSchema>["params"]>,
): Buffer =>
  Buffer.from(toBinary(CreateChatCompletionRequestSchema, create(CreateChatCompletionRequestSchema, { params })));
