/** What a call cost is told on every door; a call of the sandbox costs nothing. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ModelsService } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { collect, until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const TRANSPORTS = {
  grpc: () => createGrpcTransport({ baseUrl: gateway.url }),
  "grpc-web": () => createGrpcWebTransport({ baseUrl: gateway.url, httpVersion: "1.1" }),
  connect: () => createConnectTransport({ baseUrl: gateway.url, httpVersion: "1.1" }),
};
const DOORS = Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[];
const params = {
  model: "echo",
  messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "a" } }] }],
};

const post = (stream: boolean): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-request-id": `cost-${stream}` },
    body: JSON.stringify({ model: "echo", messages: [{ role: "user", content: "a" }], stream }),
  });

describe("the cost of a call", () => {
  it.each(DOORS)("is in the report on %s", async (door) => {
    const client = createClient(ChatService, TRANSPORTS[door]());
    const { report } = await client.createChatCompletion({ params });
    expect(report?.costNanoDollars).toBe(0n);
    const messages = await collect(client.streamChatCompletion({ params }));
    expect(messages.map((message) => message.report?.costNanoDollars)).toEqual([
      ...messages.slice(1).map(() => undefined),
      0n,
    ]);
  });

  it("is in a header of a whole answer on REST, and on no stream", async () => {
    const answers = [await post(false), await post(true)];
    await Promise.all(answers.map((answer) => answer.text()));
    expect(answers.map(({ headers }) => headers.get("x-parley-cost-nano-dollars"))).toEqual(["0", null]);
  });

  it("is in the log", async () => {
    await (await post(true)).text();
    const line = () => gateway.lines.find(({ requestId }) => requestId === "cost-true");
    await until(() => line() !== undefined, "the call is logged");
    expect(line()).toMatchObject({ msg: "call", costNanoDollars: 0 });
  });
});

describe("the list of models", () => {
  it.each(DOORS)("has prices on %s", async (door) => {
    const { models } = await createClient(ModelsService, TRANSPORTS[door]()).listModels({});
    const [auto, ...others] = models.map(({ id, pricing, tools }) => [id, pricing?.input, pricing?.output, tools]);
    expect(auto).toEqual(["auto", undefined, undefined, undefined]);
    expect(others).toEqual(others.map(([id]) => [id, 0n, 0n, true]));
    expect(others).toContainEqual(["sandbox/echo", 0n, 0n, true]);
  });
});
