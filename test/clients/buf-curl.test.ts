/** `buf curl`, which calls by what the server says of itself, or by the contract in this folder. */
import { fromBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { readMessages, runBufCurl } from "./buf-curl.ts";

const CHAT = "parley.chat.v1.ChatService";
const PARAMS = { model: "sandbox/echo", messages: [{ role: "ROLE_USER", content: [{ text: "one two three" }] }] };
const BY_REFLECTION = ["--http2-prior-knowledge"];
const BY_SCHEMA = ["--schema", "proto"];

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  expect(gateway.openCalls).toBe(0);
  await gateway.stop();
});
const call = (method: string, params: object, ...flags: string[]) =>
  runBufCurl(...flags, "-d", JSON.stringify({ params }), `${gateway.url}/${CHAT}/${method}`);

interface Printed {
  readonly completion?: unknown;
  readonly chunk?: { readonly choices?: readonly { readonly delta?: { readonly content?: string } }[] };
}

describe("buf curl", () => {
  it.each([
    ["gRPC by reflection", [...BY_REFLECTION, "--protocol", "grpc"]],
    ["gRPC by reflection v1", [...BY_REFLECTION, "--protocol", "grpc", "--reflect-protocol", "grpc-v1"]],
    ["gRPC by reflection v1alpha", [...BY_REFLECTION, "--protocol", "grpc", "--reflect-protocol", "grpc-v1alpha"]],
    ["Connect by reflection", [...BY_REFLECTION, "--protocol", "connect"]],
    ["gRPC by schema", [...BY_SCHEMA, "--protocol", "grpc", "--http2-prior-knowledge"]],
    ["gRPC-Web by schema", [...BY_SCHEMA, "--protocol", "grpcweb"]],
    ["Connect by schema", [...BY_SCHEMA, "--protocol", "connect"]],
  ])("%s: whole and streamed", async (_name, flags) => {
    const [whole, streamed] = await Promise.all([
      call("CreateChatCompletion", PARAMS, ...flags),
      call("StreamChatCompletion", PARAMS, ...flags),
    ]);
    expect([whole.stderr, whole.status, streamed.stderr, streamed.status]).toEqual(["", 0, "", 0]);
    expect(readMessages(whole.stdout)).toMatchObject([
      { completion: { choices: [{ message: { content: [{ text: "one two three" }] } }] } },
    ]);
    const chunks = readMessages(streamed.stdout) as Printed[];
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks.map(({ chunk }) => chunk?.choices?.[0]?.delta?.content ?? "").join("")).toBe("one two three");
  });

  it.each([
    ["services", "--list-services", [CHAT, "parley.models.v1.ModelsService", "grpc.health.v1.Health"]],
    ["methods", "--list-methods", [`${CHAT}/CreateChatCompletion`, `${CHAT}/StreamChatCompletion`]],
  ])("lists %s", async (_name, flag, expected) => {
    const { stdout, stderr, status } = await runBufCurl(...BY_REFLECTION, flag, gateway.url);
    expect([stderr, status]).toEqual(["", 0]);
    expect(stdout.trimEnd().split("\n")).toEqual(expect.arrayContaining(expected));
  });

  it("fails with the code of the error, and prints its details", async () => {
    const { stdout, stderr, status } = await call(
      "CreateChatCompletion",
      { ...PARAMS, temperature: 3 },
      ...BY_REFLECTION,
      "--protocol",
      "grpc",
    );
    expect([status, stdout]).toEqual([Code.InvalidArgument * 8, ""]);
    const error = JSON.parse(stderr) as { details: { type: string; value: string }[] };
    expect(error).toMatchObject({ code: "invalid_argument", message: expect.stringMatching(/^temperature is 3/) });
    expect(error.details.map(({ type }) => type)).toEqual(["google.rpc.ErrorInfo", "google.rpc.BadRequest"]);
    const info = fromBinary(ErrorInfoSchema, Buffer.from(error.details[0]?.value ?? "", "base64"));
    expect(info).toMatchObject({ reason: "INVALID_VALUE", domain: "parley" });
  });

  it("fails within a stream after its messages", async () => {
    const flags = [...BY_SCHEMA, "--protocol", "grpcweb"];
    const { stdout, status } = await call("StreamChatCompletion", { ...PARAMS, model: "sandbox/fault-cut" }, ...flags);
    expect(status).toBe(Code.Unavailable * 8);
    expect(readMessages(stdout).length).toBeGreaterThan(1);
  });

  it("asks for the health by the standard service", async () => {
    const url = `${gateway.url}/grpc.health.v1.Health/Check`;
    const { stdout, status } = await runBufCurl(...BY_REFLECTION, "--protocol", "grpc", "-d", "{}", url);
    expect([status, JSON.parse(stdout)]).toEqual([0, { status: "SERVING" }]);
  });
});
