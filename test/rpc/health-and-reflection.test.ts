import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { failureOf } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway.stop();
});
/** The files in an order in which each comes after those that it imports; fails when one of those is missing. */
function importedFirst(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const visit = (name: string): void => {
    const file = files.find((each) => each.name === name);
    if (file === undefined) throw new Error(`missing: ${name}`);
    if (ordered.has(file)) return;
    file.dependency.forEach(visit);
    ordered.add(file);
  };
  for (const { name } of files) visit(name);
  return [...ordered];
}

const transport = () => createGrpcTransport({ baseUrl: gateway.url });

describe("grpc.health.v1", () => {
  it("tells of the server and of each service", async () => {
    const client = createClient(Health, transport());
    expect((await client.check({})).status).toBe(1);
    expect((await client.check({ service: "parley.chat.v1.ChatService" })).status).toBe(1);
    expect(Object.keys((await client.list({})).statuses).sort()).toEqual([
      "",
      "parley.chat.v1.ChatService",
      "parley.keys.v1.KeysService",
      "parley.models.v1.ModelsService",
      "parley.requests.v1.RequestsService",
      "parley.runs.v1.RunsService",
    ]);
  });

  it("does not know other services: Check fails, Watch says so", async () => {
    const client = createClient(Health, transport());
    const failure = await failureOf(client.check({ service: "no.Such" }));
    expect(ConnectError.from(failure).code).toBe(Code.NotFound);
    for await (const { status } of client.watch({ service: "no.Such" })) {
      expect(status).toBe(3);
      break;
    }
  });
});

describe.each([
  ["v1", ServerReflection],
  ["v1alpha", ServerReflectionV1Alpha],
] as const)("grpc.reflection.%s", (_version, service) => {
  type Question =
    Parameters<ReturnType<typeof client>["serverReflectionInfo"]>[0] extends AsyncIterable<infer Q> ? Q : never;
  const client = () => createClient(service as typeof ServerReflection, transport());
  const ask = async (...questions: Question[]) => {
    const answers = [];
    async function* all() {
      yield* questions;
    }
    for await (const answer of client().serverReflectionInfo(all())) answers.push(answer.messageResponse);
    return answers;
  };
  const filesOf = (answer: Awaited<ReturnType<typeof ask>>[number] | undefined) =>
    answer?.case === "fileDescriptorResponse"
      ? answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
      : [];

  it("lists the services", async () => {
    const [answer] = await ask({ messageRequest: { case: "listServices", value: "" } });
    expect(answer?.value).toMatchObject({
      service: [
        { name: "parley.chat.v1.ChatService" },
        { name: "parley.models.v1.ModelsService" },
        { name: "parley.runs.v1.RunsService" },
        { name: "parley.keys.v1.KeysService" },
        { name: "parley.requests.v1.RequestsService" },
        { name: "grpc.health.v1.Health" },
        { name: "grpc.reflection.v1.ServerReflection" },
        { name: "grpc.reflection.v1alpha.ServerReflection" },
      ],
    });
  });

  it.each([
    "parley.chat.v1.ChatService",
    "parley.chat.v1.ChatService.StreamChatCompletion",
    "parley.chat.v1.Message",
    "parley.chat.v1.Message.content",
    "parley.chat.v1.Role",
    "parley.chat.v1.ContentPart.kind",
    "parley.chat.v1.ToolChoice.Mode",
    "google.api.http",
  ])("gives a whole set of files for %s", async (symbol) => {
    const [answer] = await ask({ messageRequest: { case: "fileContainingSymbol", value: symbol } });
    const file = filesOf(answer);
    expect(file.length).toBeGreaterThan(0);
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: importedFirst(file) }));
    const top = symbol
      .split(".")
      .slice(0, symbol.startsWith("parley.chat") ? 4 : 3)
      .join(".");
    expect(registry.get(top)?.typeName).toBe(top);
  });

  it("sends what a file imports once a stream, and the file itself whenever it is asked for", async () => {
    const question: Question = { messageRequest: { case: "fileByFilename", value: "parley/chat/v1/message.proto" } };
    const [first, second] = (await ask(question, question)).map((answer) => filesOf(answer).map(({ name }) => name));
    expect(first?.[0]).toBe("parley/chat/v1/message.proto");
    expect(first?.length).toBeGreaterThan(3);
    expect(second).toEqual(["parley/chat/v1/message.proto"]);
  });

  it("finds extensions", async () => {
    const [numbers, file] = await ask(
      { messageRequest: { case: "allExtensionNumbersOfType", value: "google.protobuf.FieldOptions" } },
      {
        messageRequest: {
          case: "fileContainingExtension",
          value: { containingType: "google.protobuf.MethodOptions", extensionNumber: 72_295_728 },
        },
      },
    );
    expect(numbers?.value).toMatchObject({ extensionNumber: expect.arrayContaining([50_001, 50_002, 1159]) });
    expect(filesOf(file)[0]?.name).toBe("google/api/annotations.proto");
  });

  it("finds the values of enums in the scope of the enum", async () => {
    const [top, nested] = await ask(
      { messageRequest: { case: "fileContainingSymbol", value: "parley.chat.v1.ROLE_USER" } },
      { messageRequest: { case: "fileContainingSymbol", value: "parley.chat.v1.ToolChoice.MODE_AUTO" } },
    );
    expect(filesOf(top)[0]?.name).toBe("parley/chat/v1/message.proto");
    expect(filesOf(nested)[0]?.name).toBe("parley/chat/v1/tool.proto");
  });

  it("knows a type without extensions", async () => {
    const [answer] = await ask({
      messageRequest: { case: "allExtensionNumbersOfType", value: "parley.chat.v1.Message" },
    });
    expect(answer?.value).toMatchObject({ baseTypeName: "parley.chat.v1.Message", extensionNumber: [] });
  });

  it("answers what it does not find with an error, and goes on", async () => {
    const unknown: Question[] = [
      { messageRequest: { case: "fileContainingSymbol", value: "no.Such" } },
      { messageRequest: { case: "fileContainingSymbol", value: "parley.chat.v1.ChatService.NoSuch" } },
      { messageRequest: { case: "fileContainingSymbol", value: "parley.chat.v1.Role.ROLE_USER" } },
      { messageRequest: { case: "fileContainingSymbol", value: "" } },
      { messageRequest: { case: "fileByFilename", value: "no/such.proto" } },
      { messageRequest: { case: "fileContainingExtension", value: { containingType: "no.Such", extensionNumber: 1 } } },
      {
        messageRequest: {
          case: "fileContainingExtension",
          value: { containingType: "parley.chat.v1.Message", extensionNumber: 1 },
        },
      },
      { messageRequest: { case: "allExtensionNumbersOfType", value: "no.Such" } },
    ];
    const answers = await ask(...unknown, {}, { messageRequest: { case: "listServices", value: "" } });
    expect(answers.map(({ case: kind }) => kind)).toEqual([
      ...unknown.map(() => "errorResponse"),
      "errorResponse",
      "listServicesResponse",
    ]);
    expect(answers.slice(0, -1).map(({ value }) => value)).toMatchObject([
      ...unknown.map(() => ({ errorCode: Code.NotFound, errorMessage: expect.stringMatching(/^not found: /) })),
      { errorCode: Code.InvalidArgument },
    ]);
  });

  it("repeats the question and the host", async () => {
    const question = { host: "a.example", messageRequest: { case: "listServices" as const, value: "*" } };
    for await (const answer of client().serverReflectionInfo(
      (async function* () {
        yield question;
      })(),
    )) {
      expect(answer).toMatchObject({ validHost: "a.example", originalRequest: question });
    }
  });
});
