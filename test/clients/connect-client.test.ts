/** Typed clients of Connect, over every protocol, encoding and version of HTTP that they speak. */
import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { compressionGzip, createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { Adjustment_Action } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { ModelsService } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import type { Params } from "../support/doors.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { TRANSPORT_NAMES, TRANSPORTS, type TransportSettings } from "./connect-transports.ts";

const user = (value: string) => ({ role: Role.USER, content: [{ kind: { case: "text" as const, value } }] });
const ECHO: Params = { model: "sandbox/echo", messages: [user("one two three")] };
const fault = (kind: string): Params => ({ ...ECHO, model: `sandbox/fault-${kind}` });
const CREATE = "/parley.chat.v1.ChatService/CreateChatCompletion";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  expect(gateway.openCalls).toBe(0);
  await gateway.stop();
});

function openChat(name: keyof typeof TRANSPORTS, settings?: TransportSettings): Client<typeof ChatService> {
  const { transport, close } = TRANSPORTS[name](gateway.url, settings);
  onTestFinished(close);
  return createClient(ChatService, transport);
}

async function connectErrorOf(promise: Promise<unknown>): Promise<ConnectError> {
  const thrown = await failureOf(promise);
  expect(thrown).toBeInstanceOf(ConnectError);
  return thrown as ConnectError;
}

describe.each(TRANSPORT_NAMES)("Connect client: %s", (name) => {
  it("answers whole and streamed", async () => {
    const chat = openChat(name);
    const { completion, report } = await chat.createChatCompletion({ params: ECHO });
    expect(completion?.choices[0]?.message?.content[0]?.kind).toEqual({ case: "text", value: "one two three" });
    expect(completion?.choices[0]?.finishReason).toBe(FinishReason.STOP);
    expect(report?.provider).toBe("sandbox");
    const messages = await collect(chat.streamChatCompletion({ params: ECHO }));
    const deltas = messages.map(({ chunk }) => chunk?.choices[0]?.delta?.content ?? "");
    expect(deltas.join("")).toBe("one two three");
    expect(deltas.filter((text) => text !== "").length).toBeGreaterThan(1);
    expect(messages.at(-1)?.chunk?.usage).toEqual(completion?.usage);
    expect(messages.at(-1)?.report?.attempts).toHaveLength(1);
  });

  it("lists models and gets one", async () => {
    const { transport, close } = TRANSPORTS[name](gateway.url);
    onTestFinished(close);
    const client = createClient(ModelsService, transport);
    const { models } = await client.listModels({});
    expect(models.map(({ id }) => id)).toEqual(expect.arrayContaining(["auto", "sandbox/eliza"]));
    const { model } = await client.getModel({ model: "sandbox/eliza" });
    expect(model).toEqual(models.find(({ id }) => id === "sandbox/eliza"));
  });

  it("explains a call without making it", async () => {
    const params: Params = { ...ECHO, topK: 4, maxTokens: 100_000 };
    const explained = await openChat(name).explainChatCompletion({ params });
    expect(explained).toMatchObject({ provider: "sandbox", model: "echo", promptTokens: expect.any(Number) });
    expect(explained.adjustments.map(({ path, action }) => [path, action])).toEqual([
      ["top_k", Adjustment_Action.DROPPED],
      ["max_tokens", Adjustment_Action.CLAMPED],
    ]);
  });

  it("fails with typed details", async () => {
    const chat = openChat(name);
    const error = await connectErrorOf(chat.createChatCompletion({ params: { ...ECHO, temperature: 3 } }));
    expect([error.code, error.rawMessage]).toEqual([Code.InvalidArgument, expect.stringMatching(/^temperature is 3/)]);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "INVALID_VALUE", domain: "parley" }]);
    expect(error.findDetails(BadRequestSchema)).toMatchObject([
      { fieldViolations: [{ field: "params.temperature", description: error.rawMessage }] },
    ]);
    const limited = await connectErrorOf(collect(chat.streamChatCompletion({ params: fault("429") })));
    expect(limited.code).toBe(Code.ResourceExhausted);
    expect(limited.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n, nanos: 0 } }]);
    expect(limited.metadata.get("retry-after-ms")).toBe("1000");
  });

  it("fails within a stream, after its messages", async () => {
    const texts: string[] = [];
    const reading = (async () => {
      for await (const { chunk } of openChat(name).streamChatCompletion({ params: fault("cut") })) {
        texts.push(chunk?.choices[0]?.delta?.content ?? "");
      }
    })();
    const error = await connectErrorOf(reading);
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("UPSTREAM_STREAM_INTERRUPTED");
    expect(texts.join("")).not.toBe("");
  });

  it("keeps to deadlines and signals", async () => {
    const chat = openChat(name);
    const late = await connectErrorOf(chat.createChatCompletion({ params: fault("stall") }, { timeoutMs: 150 }));
    expect(late.code).toBe(Code.DeadlineExceeded);
    const client = new AbortController();
    const call = connectErrorOf(chat.createChatCompletion({ params: fault("stall") }, { signal: client.signal }));
    await until(() => gateway.openCalls === 1, "one open call");
    client.abort();
    expect((await call).code).toBe(Code.Canceled);
    await until(() => gateway.openCalls === 0, "no open call");
  });

  it("carries headers both ways", async () => {
    const seen: (string | null)[] = [];
    const identify: Interceptor = (next) => async (request) => {
      request.header.set("x-request-id", "from-interceptor");
      const response = await next(request);
      seen.push(response.header.get("x-request-id"));
      return response;
    };
    const chat = openChat(name, { interceptors: [identify] });
    const { report } = await chat.createChatCompletion({ params: ECHO });
    const streamed = await collect(
      chat.streamChatCompletion({ params: ECHO }, { onHeader: (headers) => seen.push(headers.get("x-request-id")) }),
    );
    expect(seen).toEqual(["from-interceptor", "from-interceptor", "from-interceptor"]);
    expect([report?.requestId, streamed[0]?.report?.requestId]).toEqual(["from-interceptor", "from-interceptor"]);
  });

  it("packs what is large, and takes what is packed", async () => {
    const said = "tick tock ".repeat(300);
    const encodings: (string | null)[] = [];
    const params: Params = { model: "sandbox/echo", messages: [user(said)] };
    const { completion } = await openChat(name, { sendCompression: compressionGzip }).createChatCompletion(
      { params },
      { onHeader: (headers) => encodings.push(headers.get("content-encoding") ?? headers.get("grpc-encoding")) },
    );
    expect(completion?.choices[0]?.message?.content[0]?.kind.value).toBe(said);
    expect(encodings).toEqual(["gzip"]);
  });
});

describe("Connect's own ways", () => {
  const post = (body: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${gateway.url}${CREATE}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });

  it("takes what has no side effects by GET", async () => {
    const transport = createConnectTransport({ baseUrl: gateway.url, httpVersion: "1.1", useHttpGet: true });
    const { models } = await createClient(ModelsService, transport).listModels(
      {},
      { headers: { "x-request-id": "by-get" } },
    );
    expect(models.length).toBeGreaterThan(1);
    await until(() => gateway.lines.some(({ requestId }) => requestId === "by-get"), "a line of the call");
    expect(gateway.lines.find(({ requestId }) => requestId === "by-get")).toMatchObject({
      method: "GET",
      door: "connect",
      operation: "ListModels",
      status: "ok",
    });
  });

  it("answers a call that is typed into a shell", async () => {
    const response = await post(
      '{"params":{"model":"sandbox/echo","messages":[{"role":"ROLE_USER","content":[{"text":"Hi"}]}]}}',
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      completion: { choices: [{ message: { role: "ROLE_ASSISTANT", content: [{ text: "Hi" }] } }] },
    });
  });

  it.each([
    ["an unknown field", '{"params":{"model":"auto","temprature":1}}', "temprature"],
    ["an unknown enum value", '{"params":{"model":"auto","messages":[{"role":"ROLE_KING"}]}}', "ROLE_KING"],
    ["a wrong type", '{"params":{"model":5}}', "model"],
    ["no JSON", "{", ""],
  ])("refuses %s, and says which", async (_name, body, named) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    const error = (await response.json()) as { code: string; message: string };
    expect(error.code).toBe("invalid_argument");
    expect(error.message).toContain(named);
  });

  it("refuses what is no rpc in OpenAI's shape", async () => {
    const response = await fetch(`${gateway.url}/parley.chat.v1.ChatService/Nothing`, { method: "POST", body: "{}" });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "unknown_url" } });
  });
});
