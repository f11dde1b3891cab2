/**
 * The same rpcs on @grpc/grpc-js with its own codec (protobufjs, by @grpc/proto-loader), from the same contract. It builds the
 * answer and writes it. It checks nothing, counts no tokens and logs nothing.
 */
import { create, type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { answerAsServer } from "./child-side.ts";
import { USAGE } from "./usage.ts";

interface Request {
  readonly params: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: readonly { readonly text?: string }[] }[];
  };
}

interface Call {
  readonly request: Request;
}

interface StreamCall extends Call {
  write(message: object): boolean;
  end(): void;
}

type Done = (error: null, answer: object) => void;

const created = Math.floor(Date.now() / 1000);
const frame = ({ model }: Request["params"]) => ({ id: "chatcmpl-0123456789abcdefghijklmn", created, model });
const service = { service_tier: "SERVICE_TIER_DEFAULT", system_fingerprint: "fp_0123456789" };
const report = {
  request_id: "req_0123456789abcdefghijklmnopqrst",
  provider: "sandbox",
  model: "echo",
  time_to_first_chunk: { nanos: 1_000_000 },
  duration: { nanos: 1_000_000 },
  usage_source: "USAGE_SOURCE_PROVIDER",
  attempts: [{ target: "sandbox/echo", outcome: "OUTCOME_SUCCEEDED", duration: { nanos: 1_000_000 } }],
};
const lastOf = ({ params }: Request): string =>
  params.messages.findLast(({ role }) => role === "ROLE_USER")?.content[0]?.text ?? "";

function createChatCompletion({ request }: Call, done: Done): void {
  const message = { role: "ROLE_ASSISTANT", content: [{ text: lastOf(request) }] };
  const choices = [{ index: 0, message, finish_reason: "FINISH_REASON_STOP" }];
  done(null, { completion: { ...frame(request.params), choices, usage: USAGE, ...service }, report });
}

function streamChatCompletion(call: StreamCall): void {
  const { request } = call;
  const send = (delta: object, finish_reason?: string): void => {
    const choices = [{ index: 0, delta, ...(finish_reason === undefined ? {} : { finish_reason }) }];
    call.write({ chunk: { ...frame(request.params), choices, ...service } });
  };
  send({ role: "ROLE_ASSISTANT", content: "" });
  for (const content of lastOf(request).split(/(?= )/)) send({ content });
  send({}, "FINISH_REASON_STOP");
  call.write({ chunk: { ...frame(request.params), choices: [], usage: USAGE }, report });
  call.end();
}

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

const server = new Server();
server.addService(loadService(), { createChatCompletion, streamChatCompletion });
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});
answerAsServer(port);
