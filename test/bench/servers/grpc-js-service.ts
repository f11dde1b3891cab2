/** The contract on @grpc/grpc-js with its own codec (protobufjs, by @grpc/proto-loader). */
import { create, type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ChatService } from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";

/** What is read of a request. */
export interface Request {
  readonly params: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: readonly { readonly text?: string }[] }[];
  };
}

/** A unary call. */
export interface UnaryCall {
  readonly request: Request;
}

/** A call whose answer is streamed. */
export interface StreamCall extends UnaryCall {
  readonly writableNeedDrain: boolean;
  write(message: object): boolean;
  end(): void;
  destroy(error: Error): void;
  on(event: "cancelled", listener: () => void): void;
  once(event: "drain", listener: () => void): void;
}

/** Ends a unary call. */
export type Done = (error: Error | null, answer?: object) => void;

/** Both rpcs. */
export interface Handlers {
  createChatCompletion(call: UnaryCall, done: Done): void;
  streamChatCompletion(call: StreamCall): void;
}

/** Serves them, and returns the port. */
export function serveGrpcJs(handlers: Handlers): Promise<number> {
  const server = new Server();
  server.addService(loadService(), { ...handlers });
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
}

/** The report of a call that one target answered. */
export const reportOf = (target: string) => ({
  request_id: "req_0123456789abcdefghijklmnopqrst",
  provider: target.split("/")[0],
  model: target.split("/")[1],
  time_to_first_chunk: { nanos: 1_000_000 },
  duration: { nanos: 1_000_000 },
  usage_source: "USAGE_SOURCE_PROVIDER",
  attempts: [{ target, outcome: "OUTCOME_SUCCEEDED", duration: { nanos: 1_000_000 } }],
});

/** The files of the contract, each after those that it imports. */
function collectFiles(file: DescFile, files = new Set<DescFile>()): Set<DescFile> {
  for (const dependency of file.dependencies) collectFiles(dependency, files);
  return files.add(file);
}

function loadService() {
  const file = [...collectFiles(ChatService.file)].map(({ proto }) => proto);
  const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
  const contract = loadPackageDefinition(
    loadFileDescriptorSetFromBuffer(Buffer.from(set), { longs: Number, enums: String }),
  );
  const path = ChatService.typeName.split(".");
  const found = path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], contract);
  return (found as ServiceClientConstructor).service;
}
