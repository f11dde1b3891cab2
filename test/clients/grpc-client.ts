import {
  type CallOptions,
  type Client,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  Metadata,
  makeClientConstructor,
  type requestCallback,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const PROTO = new URL("../../proto", import.meta.url).pathname;

/** The contract as the loader reads it from its files: keys in lowerCamelCase, enums by name. */
const DEFINITION = loadSync(
  ["parley/chat/v1/chat_service.proto", "parley/models/v1/models_service.proto", "grpc/health/v1/health.proto"],
  { includeDirs: [PROTO], enums: String, longs: Number },
);

/** How a test makes a call. */
export interface GrpcCall extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A unary answer. */
export interface GrpcAnswer {
  readonly message: unknown;
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

/** A message of StreamChatCompletion, as far as the tests read it. */
export interface StreamedMessage {
  readonly chunk?: {
    readonly choices?: readonly {
      readonly index?: number;
      readonly delta?: { readonly content?: string };
      readonly finishReason?: string;
    }[];
    readonly usage?: object;
  };
  readonly report?: object;
}

/** A grpc-js client of one service, which closes its connection when the test says so. */
export interface GrpcClient {
  /** Rejects with the library's ServiceError. */
  unary(method: string, request: object, call?: GrpcCall): Promise<GrpcAnswer>;
  stream<T = StreamedMessage>(method: string, request: object, call?: GrpcCall): ClientReadableStream<T>;
  close(): void;
}

type UnaryMethod = (
  request: object,
  metadata: Metadata,
  options: CallOptions,
  callback: requestCallback<unknown>,
) => ClientUnaryCall;
type StreamMethod = <T>(request: object, metadata: Metadata, options: CallOptions) => ClientReadableStream<T>;

/** Opens a client of a service, such as "parley.chat.v1.ChatService". */
export function openGrpc(url: string, service: string, options?: ClientOptions): GrpcClient {
  const Stub = makeClientConstructor(DEFINITION[service] as ServiceDefinition, service);
  const stub = new Stub(new URL(url).host, credentials.createInsecure(), options);
  return {
    unary(method, request, { metadata = {}, ...callOptions } = {}) {
      return new Promise((resolve, reject) => {
        const headers = new Metadata();
        const trailers = new Metadata();
        const invoke = (stub[method] as unknown as UnaryMethod).bind(stub);
        const call = invoke(request, toMetadata(metadata), callOptions, (error, message) => {
          // The status comes right after the answer; what waits for the promise finds its trailers.
          if (error === null) setImmediate(() => resolve({ message, headers, trailers }));
          else reject(error);
        });
        call.on("metadata", (received) => headers.merge(received));
        call.on("status", (status) => trailers.merge(status.metadata));
      });
    },
    stream: (method, request, { metadata = {}, ...callOptions } = {}) =>
      (stub[method] as unknown as StreamMethod).call(stub, request, toMetadata(metadata), callOptions) as never,
    close: () => (stub as Client).close(),
  };
}

function toMetadata(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}
