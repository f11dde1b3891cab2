import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { send } from "./support/http-client.ts";
import { completionOf, HELLO, recordingOperations } from "./support/operations.ts";
import { startRest } from "./support/rest-server.ts";

const CHAT = "/v1/chat/completions";

describe("REST answers", () => {
  it.each<[method: string, path: string, id: string]>([
    ["GET", "/v1/models/sandbox/echo", "sandbox/echo"],
    ["GET", "/v1/models/sandbox%2Fecho", "sandbox/echo"],
    ["GET", "/models/ft:gpt-4o:org::id", "ft:gpt-4o:org::id"],
    ["GET", "/api/v1/models/ft%3Agpt%3Aid", "ft:gpt:id"],
    ["GET", "/v1/models/a%252Fb", "a%2Fb"],
    ["GET", "http://example.com/v1/models/absolute", "absolute"],
  ])("%s %s with the model %s", async (method, path, id) => {
    const { port } = await startRest(recordingOperations());
    const { status, headers, json } = await send(port, { method, path });
    expect({ status, json }).toEqual({ status: 200, json: { id, object: "model", created: 5, owned_by: "sandbox" } });
    expect(headers["content-type"]).toBe("application/json");
  });

  it("GET of a list with all of the response", async () => {
    const { port } = await startRest(recordingOperations());
    const answers = await Promise.all(
      ["/v1/models", "/models", "/api/v1/models", "/api/v1/chat/models"].map((path) => send(port, { path })),
    );
    const data = [{ id: "sandbox/echo", object: "model", created: 5, owned_by: "sandbox" }];
    expect(answers.map(({ json }) => json)).toEqual(answers.map(() => ({ object: "list", data })));
  });

  it("POST with the field that is the response body, and the headers of the report", async () => {
    const operations = {
      createChatCompletion: async () =>
        completionOf("Hi", { provider: "openai", model: "gpt-4o", adjustments: [{ path: "top_k", action: 2 }] }),
    };
    const { port, exchanges } = await startRest(operations);
    const { status, headers, text, json } = await send(port, { path: CHAT, body: HELLO });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1_700_000_000,
      model: "auto",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Hi", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    });
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(text)),
      "openai-processing-ms": expect.stringMatching(/^\d+$/),
      "x-parley-provider": "openai",
      "x-parley-model": "gpt-4o",
      "x-parley-adjustments": "top_k=dropped",
    });
    expect(headers).not.toHaveProperty("x-parley-ignored");
    expect(exchanges[0]!.log.operation).toBe("CreateChatCompletion");
    expect(exchanges[0]!.log.error).toBeUndefined();
  });

  it("content-length in bytes, not characters", async () => {
    const { port } = await startRest({ createChatCompletion: async () => completionOf("Grüße 😀") });
    const { headers, text } = await send(port, { path: CHAT, body: HELLO });
    expect(headers["content-length"]).toBe(String(Buffer.byteLength(text)));
    expect(Buffer.byteLength(text)).toBeGreaterThan(text.length);
  });

  it("HEAD as GET, without the body", async () => {
    const { port } = await startRest(recordingOperations());
    const [get, head] = await Promise.all([
      send(port, { path: "/v1/models" }),
      send(port, { method: "HEAD", path: "/v1/models" }),
    ]);
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
    expect(head.headers["content-type"]).toBe("application/json");
  });

  it("HEAD of an unknown path with the headers of the error alone", async () => {
    const { port } = await startRest({});
    const { status, text, headers } = await send(port, { method: "HEAD", path: "/nope" });
    expect([status, text, headers["content-type"]]).toEqual([404, "", "application/json"]);
  });

  it.each<[path: string, allow: string]>([
    ["/v1/models", "GET, HEAD, OPTIONS"],
    ["/v1/models/any/model", "GET, HEAD, OPTIONS"],
    [CHAT, "OPTIONS, POST"],
  ])("OPTIONS %s with what is allowed", async (path, allow) => {
    const { port } = await startRest({});
    const { status, text, headers } = await send(port, { method: "OPTIONS", path });
    expect([status, text, headers.allow]).toEqual([204, "", allow]);
  });
});

describe("REST refuses", () => {
  const invalid = (message: string, code: string | null, param: string | null = null) => ({
    error: { message, type: "invalid_request_error", param, code },
  });
  const unknown = (shown: string) => invalid(`Unknown request URL: ${shown}`, "unknown_url");
  const notAllowed = (method: string, path: string, allow: string) =>
    invalid(`${method} is not allowed for ${path}; allowed: ${allow}`, "method_not_allowed");

  it.each<[method: string, path: string, status: number, json: object, allow: string | undefined]>([
    ["GET", "/v1/nope?key=secret", 404, unknown("GET /v1/nope"), undefined],
    ["GET", "/", 404, unknown("GET /"), undefined],
    ["POST", "/v1/models/", 404, unknown("POST /v1/models/"), undefined],
    ["GET", "/v1//models", 404, unknown("GET /v1//models"), undefined],
    ["GET", `/v1/${"x".repeat(300)}`, 404, unknown(`GET /v1/${"x".repeat(196)}…`), undefined],
    ["OPTIONS", "/nope", 404, unknown("OPTIONS /nope"), undefined],
    ["GET", CHAT, 405, notAllowed("GET", CHAT, "OPTIONS, POST"), "OPTIONS, POST"],
    ["DELETE", "/v1/models/x", 405, notAllowed("DELETE", "/v1/models/x", "GET, HEAD, OPTIONS"), "GET, HEAD, OPTIONS"],
    ["HEAD", CHAT, 405, {}, "OPTIONS, POST"],
    ["GET", "/v1/models/%zz", 400, invalid("the path is not percent-encoded UTF-8", null), undefined],
    [
      "GET",
      "/v1/models?limit=3",
      400,
      invalid('there is no query parameter "limit" here', "unsupported_parameter", "limit"),
      undefined,
    ],
    [
      "GET",
      "/v1/models/a?model=b",
      400,
      invalid('there is no query parameter "model" here', "unsupported_parameter", "model"),
      undefined,
    ],
  ])("%s %s with %i", async (method, path, status, json, allow) => {
    const { port, exchanges } = await startRest({});
    const answer = await send(port, { method, path });
    expect([answer.status, answer.headers.allow, answer.headers["content-type"]]).toEqual([
      status,
      allow,
      "application/json",
    ]);
    expect(answer.json ?? {}).toEqual(json);
    expect(exchanges[0]!.log.error?.row.httpStatus).toBe(status);
  });

  it.each<[error: unknown, status: number, error: object, headers: object]>([
    [
      new GatewayError(Reason.MODEL_NOT_FOUND, "there is no model x", { param: "model" }),
      404,
      { message: "there is no model x", type: "invalid_request_error", param: "model", code: "model_not_found" },
      {},
    ],
    [
      new GatewayError(Reason.RATE_LIMIT_EXCEEDED, "too many", { retryAfterMs: 1_200 }),
      429,
      { message: "too many", type: "rate_limit_error", param: null, code: "rate_limit_exceeded" },
      { "retry-after": "2", "retry-after-ms": "1200" },
    ],
    [
      new GatewayError(Reason.NOT_IMPLEMENTED, "not yet"),
      501,
      { message: "not yet", type: "invalid_request_error", param: null, code: "not_implemented" },
      { "x-should-retry": "false" },
    ],
    [
      new Error("a fault of ours, with a secret"),
      500,
      {
        message: "the gateway failed; the fault is in its log under this request id",
        type: "server_error",
        param: null,
        code: null,
      },
      {},
    ],
  ])("a call that failed with %s", async (thrown, status, error, headers) => {
    const operations = {
      createChatCompletion: async () => {
        throw thrown;
      },
    };
    const { port, exchanges } = await startRest(operations);
    const answer = await send(port, { path: CHAT, body: HELLO });
    expect([answer.status, answer.json]).toEqual([status, { error }]);
    expect(answer.headers).toMatchObject({ "openai-processing-ms": expect.stringMatching(/^\d+$/), ...headers });
    expect(exchanges[0]!.log).toMatchObject({ operation: "CreateChatCompletion" });
    expect(exchanges[0]!.log.error?.row.httpStatus).toBe(status);
  });

  it("an operation that throws at once, or answers without its body, with 500", async () => {
    const { port } = await startRest({
      getModel: () => {
        throw new TypeError("at once");
      },
      createChatCompletion: async () => ({ ...completionOf("x"), completion: undefined as never }),
    });
    const answers = [await send(port, { path: "/v1/models/x" }), await send(port, { path: CHAT, body: HELLO })];
    expect(answers.map(({ status }) => status)).toEqual([500, 500]);
    expect(answers.map(({ text }) => text.includes("at once"))).toEqual([false, false]);
  });
});
