/** Calls that are refused before their message is read. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, it, onTestFinished } from "vitest";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { openGrpc } from "../clients/grpc-client.ts";
import { failureOf, until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

const CHAT = "parley.chat.v1.ChatService";
/** How many messages that are too large are sent on one connection; together, far more than its window. */
const CALLS = 8;

async function startSmall(): Promise<TestGateway> {
  const gateway = await startTestGateway({ limits: { maxBodyBytes: 100_000 } });
  onTestFinished(() => gateway.stop());
  return gateway;
}

const say = (characters: number) => ({
  params: {
    model: "sandbox/echo",
    messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "a".repeat(characters) } }] }],
  },
});

describe("a message that is too large", () => {
  it.each([
    ["gRPC", (baseUrl: string) => createGrpcTransport({ baseUrl })],
    ["gRPC-Web", (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
    ["Connect", (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "2" })],
  ])("does not keep its stream open: %s", async (_name, transport) => {
    const gateway = await startSmall();
    const chat = createClient(ChatService, transport(gateway.url));
    for (const characters of [101_000, 1_000_000]) {
      for (let call = 0; call < CALLS; call++) {
        const thrown = await failureOf(chat.createChatCompletion(say(characters)));
        expect(ConnectError.from(thrown).code).toBe(Code.ResourceExhausted);
      }
    }
    expect((await chat.createChatCompletion(say(10))).completion?.choices).toHaveLength(1);
    await until(
      () => gateway.lines.filter(({ msg }) => msg === "call").length === 2 * CALLS + 1,
      "a line of each call",
    );
  });

  it("does not keep its stream open: grpc-js", async () => {
    const gateway = await startSmall();
    const chat = openGrpc(gateway.url, CHAT);
    onTestFinished(() => chat.close());
    const request = (characters: number) => ({
      params: { model: "sandbox/echo", messages: [{ role: "ROLE_USER", content: [{ text: "a".repeat(characters) }] }] },
    });
    for (let call = 0; call < CALLS; call++) {
      const thrown = await failureOf(chat.unary("CreateChatCompletion", request(1_000_000)));
      expect(thrown).toMatchObject({ code: Code.ResourceExhausted });
    }
    expect((await chat.unary("CreateChatCompletion", request(10))).message).toHaveProperty("completion");
    await until(() => gateway.lines.filter(({ msg }) => msg === "call").length === CALLS + 1, "a line of each call");
  });
});
