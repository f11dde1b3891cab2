/** Errors as OpenAI's SDK raises them, what it tries again and when, and calls that it gives up. */
import OpenAI from "openai";
import type { ChatCompletionChunk, ChatCompletionCreateParamsNonStreaming } from "openai/resources";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { collect, failureOf, until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { openOpenAI, sandbox, say } from "./openai-client.ts";

const ECHO = { model: "sandbox/echo", messages: say("one two three four five six") } as const;
const fault = (kind: string) => ({ ...ECHO, model: `sandbox/fault-${kind}` });

let gateway: TestGateway;
let openai: OpenAI;
/** How many lines were logged before the test. */
let linesBefore = 0;
beforeAll(async () => {
  gateway = await startTestGateway();
  openai = openOpenAI(gateway.url);
});
beforeEach(() => {
  linesBefore = gateway.lines.length;
});
afterAll(async () => {
  expect(gateway.openCalls).toBe(0);
  await gateway.stop();
});
const callLines = () => gateway.lines.slice(linesBefore).filter(({ msg }) => msg === "call");

interface ErrorRow {
  readonly name: string;
  readonly params: object;
  readonly raises: new (...args: never[]) => Error;
  readonly error: { status: number; type: string; code: string | null; param?: string | null };
}

const INVALID = "invalid_request_error";
const SERVER = "server_error";
const ROWS: readonly ErrorRow[] = [
  {
    name: "temperature 3",
    params: { ...ECHO, temperature: 3 },
    raises: OpenAI.BadRequestError,
    error: { status: 400, type: INVALID, code: "invalid_value", param: "temperature" },
  },
  {
    name: "a role that is none",
    params: { ...ECHO, messages: [{ role: "king", content: "a" }] },
    raises: OpenAI.BadRequestError,
    error: { status: 400, type: INVALID, code: "invalid_value", param: "messages[0].role" },
  },
  {
    name: "no messages",
    params: { model: "auto", messages: [] },
    raises: OpenAI.BadRequestError,
    error: { status: 400, type: INVALID, code: "missing_required_parameter", param: "messages" },
  },
  {
    name: "an unknown model",
    params: { ...ECHO, model: "gpt-0" },
    raises: OpenAI.NotFoundError,
    error: { status: 404, type: INVALID, code: "model_not_found", param: "model" },
  },
  {
    name: "a rate limit",
    params: fault("429"),
    raises: OpenAI.RateLimitError,
    error: { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded" },
  },
  {
    name: "a fault of the provider",
    params: fault("500"),
    raises: OpenAI.InternalServerError,
    error: { status: 500, type: SERVER, code: "upstream_error" },
  },
  {
    name: "an overload",
    params: fault("503"),
    raises: OpenAI.InternalServerError,
    error: { status: 503, type: SERVER, code: "overloaded" },
  },
  {
    name: "the gateway's own key refused by the provider, which is no fault of the caller's key",
    params: fault("401"),
    raises: OpenAI.InternalServerError,
    error: { status: 502, type: SERVER, code: "upstream_authentication_failed" },
  },
];

describe("errors before an answer", () => {
  it.each(ROWS)("$name", async ({ params, raises, error }) => {
    const { completions } = openai.chat;
    for (const more of [{}, { stream: true }]) {
      const thrown = await failureOf(
        completions.create({ ...params, ...more } as ChatCompletionCreateParamsNonStreaming),
      );
      expect(thrown).toBeInstanceOf(raises);
      expect(thrown).toMatchObject({ param: null, ...error, requestID: expect.stringMatching(/^req_/) });
      expect((thrown as Error).message).not.toContain("[object");
    }
  });

  it("an unknown path", async () => {
    const thrown = await failureOf(openOpenAI(gateway.url, "/v2").chat.completions.create(ECHO));
    expect(thrown).toBeInstanceOf(OpenAI.NotFoundError);
    expect(thrown).toMatchObject({ code: "unknown_url", type: INVALID });
  });

  it("a method that the path does not take", async () => {
    const thrown = await failureOf(openai.chat.completions.list());
    expect(thrown).toMatchObject({ status: 405, code: "method_not_allowed" });
    expect((thrown as InstanceType<typeof OpenAI.APIError>).headers?.get("allow")).toContain("POST");
  });
});

describe("errors within a stream", () => {
  it.each([
    ["cut", "upstream_stream_interrupted"],
    ["bad-json", "upstream_invalid_response"],
    ["error-in-stream", "overloaded"],
  ])("fault-%s is raised after some chunks, and not tried again", async (kind, code) => {
    const patient = openOpenAI(gateway.url, "/v1", { maxRetries: 2 });
    const stream = await patient.chat.completions.create({ ...fault(kind), stream: true });
    const chunks: ChatCompletionChunk[] = [];
    const reading = (async () => {
      for await (const chunk of stream) chunks.push(chunk);
    })();
    const thrown = await failureOf(reading);
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ status: undefined, type: SERVER, code, param: null });
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason))).toEqual(
      chunks.map(() => null),
    );
    await until(() => callLines().length > 0, "a line of the call");
    expect(callLines()).toHaveLength(1);
  });
});

describe("retries", () => {
  it("tries a rate limit again, as often as it may", async () => {
    const patient = openOpenAI(gateway.url, "/v1", { maxRetries: 2 });
    const call = patient.chat.completions.create({ ...fault("429"), ...sandbox({ retry_after_ms: 1 }) });
    expect(await failureOf(call)).toBeInstanceOf(OpenAI.RateLimitError);
    await until(() => callLines().length === 3, "three lines of calls");
  });

  it("waits as long as it is told, which is longer than it would by itself", async () => {
    const patient = openOpenAI(gateway.url, "/v1", { maxRetries: 1 });
    const start = performance.now();
    const call = patient.chat.completions.create({ ...fault("429"), ...sandbox({ retry_after_ms: 1200 }) });
    const thrown = await failureOf(call);
    expect(performance.now() - start).toBeGreaterThan(1190);
    const { headers } = thrown as InstanceType<typeof OpenAI.RateLimitError>;
    expect([headers.get("retry-after-ms"), headers.get("retry-after")]).toEqual(["1200", "2"]);
  });

  it.each([
    ["temperature 3", { ...ECHO, temperature: 3 }],
    ["refused credentials", fault("401")],
  ])("does not try again what would fail again: %s", async (_name, params) => {
    const patient = openOpenAI(gateway.url, "/v1", { maxRetries: 2 });
    await failureOf(patient.chat.completions.create(params));
    await until(() => callLines().length > 0, "a line of the call");
    expect(callLines()).toHaveLength(1);
  });
});

describe("calls that the client gives up", () => {
  const idle = () => until(() => gateway.openCalls === 0, "no open call");

  it("ends a whole call at the client's timeout", async () => {
    const thrown = await failureOf(openai.chat.completions.create(fault("stall"), { timeout: 150 }));
    expect(thrown).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    await idle();
  });

  it.each([
    ["whole", {}],
    ["streamed", { stream: true }],
  ])("ends a call at the client's signal: %s", async (_name, more) => {
    const client = new AbortController();
    const params = { ...ECHO, ...sandbox({ start_delay_ms: 600_000 }), ...more };
    const call = failureOf(openai.chat.completions.create(params, { signal: client.signal }));
    await until(() => gateway.openCalls === 1, "one open call");
    client.abort();
    expect(await call).toBeInstanceOf(OpenAI.APIUserAbortError);
    await idle();
  });

  it("ends a stream when its reader breaks off", async () => {
    for await (const chunk of await openai.chat.completions.create({ ...fault("stall"), stream: true })) {
      expect(chunk.choices).toHaveLength(1);
      expect(gateway.openCalls).toBe(1);
      break;
    }
    await idle();
  });

  it("ends a stream when its controller aborts, without an error", async () => {
    const stream = await openai.chat.completions.create({ ...fault("stall"), stream: true });
    setTimeout(() => stream.controller.abort(), 50);
    expect((await collect(stream)).length).toBeGreaterThan(0);
    await idle();
  });

  it("raises the server's own deadline as an error with a status", async () => {
    const headers = { "x-parley-timeout-ms": "100" };
    const thrown = await failureOf(openai.chat.completions.create(fault("stall"), { headers }));
    expect(thrown).toBeInstanceOf(OpenAI.InternalServerError);
    expect(thrown).toMatchObject({ status: 504, type: SERVER, code: "timeout" });
  });
});
