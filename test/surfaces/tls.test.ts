/** All doors on one port with TLS. */
import { readFileSync } from "node:fs";
import https from "node:https";
import { text } from "node:stream/consumers";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

const fixture = (name: string): string => readFileSync(new URL(`../server/fixtures/${name}`, import.meta.url), "utf8");
const cert = fixture("localhost-cert.pem");
const key = fixture("localhost-key.pem");
const params = {
  model: "sandbox/echo",
  messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "over TLS" } }] }],
};

describe("TLS", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ tls: { cert, key, certFile: "cert.pem", keyFile: "key.pem" } });
  });
  afterAll(async () => {
    await gateway.stop();
  });

  it("serves REST", async () => {
    const body = JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: "over TLS" }] });
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      https
        .request(
          `${gateway.url}/v1/chat/completions`,
          { method: "POST", ca: cert, headers, agent: false },
          (response) => {
            resolve(text(response));
          },
        )
        .on("error", reject)
        .end(body);
    });
    expect(JSON.parse(answer)).toMatchObject({ choices: [{ message: { content: "over TLS" } }] });
  });

  it.each([
    ["gRPC", () => createGrpcTransport({ baseUrl: gateway.url, nodeOptions: { ca: cert } })],
    ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: gateway.url, httpVersion: "1.1", nodeOptions: { ca: cert } })],
    [
      "Connect on HTTP/1.1",
      () => createConnectTransport({ baseUrl: gateway.url, httpVersion: "1.1", nodeOptions: { ca: cert } }),
    ],
    [
      "Connect on HTTP/2",
      () => createConnectTransport({ baseUrl: gateway.url, httpVersion: "2", nodeOptions: { ca: cert } }),
    ],
  ])("serves %s", async (_name, transport) => {
    let said = "";
    for await (const { chunk } of createClient(ChatService, transport()).streamChatCompletion({ params })) {
      said += chunk?.choices[0]?.delta?.content ?? "";
    }
    expect(said).toBe("over TLS");
  });
});
