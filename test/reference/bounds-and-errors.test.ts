/** A page of an OpenAI-compatible API on `/api/v1`: parameters with bounds, a table of errors, lists of models. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { get, post, readAnswer, readChunks, readError, textOf } from "./support/call.ts";

const MESSAGES = [{ role: "user", content: "one two three four five six" }];
const ECHO = { model: "sandbox/echo", messages: MESSAGES };
const fault = (kind: string) => ({ ...ECHO, model: `sandbox/fault-${kind}` });

let gateway: TestGateway;
let url: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  url = `${gateway.url}/api/v1/chat/completions`;
});
afterAll(() => gateway.stop());
const call = (body: object, headers?: Readonly<Record<string, string>>) => post(url, JSON.stringify(body), headers);

describe("the table of errors: 400", () => {
  it.each<[name: string, body: object, param: string, code: string]>([
    ["model is missing", { messages: MESSAGES }, "model", "missing_required_parameter"],
    ["model is empty", { ...ECHO, model: "" }, "model", "missing_required_parameter"],
    ["messages is missing", { model: "auto" }, "messages", "missing_required_parameter"],
    ["messages is null", { ...ECHO, messages: null }, "messages", "missing_required_parameter"],
    ["messages is a string", { ...ECHO, messages: "Hello" }, "messages", "invalid_value"],
    ["messages is an object", { ...ECHO, messages: MESSAGES[0] }, "messages", "invalid_value"],
    ["messages is empty", { ...ECHO, messages: [] }, "messages", "missing_required_parameter"],
    ["temperature is below 0", { ...ECHO, temperature: -0.1 }, "temperature", "invalid_value"],
    ["temperature is above 2", { ...ECHO, temperature: 2.1 }, "temperature", "invalid_value"],
    ["temperature is no number", { ...ECHO, temperature: "hot" }, "temperature", "invalid_value"],
    ["top_p is below 0", { ...ECHO, top_p: -0.1 }, "top_p", "invalid_value"],
    ["top_p is above 1", { ...ECHO, top_p: 1.1 }, "top_p", "invalid_value"],
    ["max_tokens is 0", { ...ECHO, max_tokens: 0 }, "max_tokens", "invalid_value"],
    ["max_tokens is negative", { ...ECHO, max_tokens: -1 }, "max_tokens", "invalid_value"],
    ["max_tokens is no integer", { ...ECHO, max_tokens: 1.5 }, "max_tokens", "invalid_value"],
    ["max_tokens is no number", { ...ECHO, max_tokens: "x" }, "max_tokens", "invalid_value"],
    ["stop has more than 4 sequences", { ...ECHO, stop: ["a", "b", "c", "d", "e"] }, "stop", "invalid_value"],
  ])("%s", async (_name, body, param, code) => {
    for (const stream of [false, true]) {
      const response = await call({ ...body, stream });
      expect(response.status).toBe(400);
      const error = await readError(response);
      expect(error).toMatchObject({ type: "invalid_request_error", param, code });
      expect(error.message).toContain(param);
    }
  });
});

describe("the table of errors: others", () => {
  it("429: rate limit exceeded, with the time to wait", async () => {
    const response = await call(fault("429"));
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await readError(response)).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded" });
  });

  it.each([
    ["whole", fault("stall")],
    ["streamed, before it begins", { ...fault("slow-start"), stream: true }],
  ])("504: request timed out: %s", async (_name, body) => {
    const response = await call(body, { "x-parley-timeout-ms": "150" });
    expect(response.status).toBe(504);
    expect(await readError(response)).toMatchObject({ type: "server_error", code: "timeout" });
  });

  it.each([
    [502, "upstream provider error or invalid response", "bad-json", "upstream_invalid_response"],
    [502, "upstream provider error or invalid response: nothing", "empty", "upstream_invalid_response"],
    [500, "internal server error", "500", "upstream_error"],
  ])("%i: %s", async (status, _name, kind, code) => {
    const response = await call(fault(kind));
    expect(response.status).toBe(status);
    expect(await readError(response)).toMatchObject({ type: "server_error", param: null, code });
  });
});

describe("the parameters", () => {
  const TOOL = { type: "function", function: { name: "look_up", parameters: { type: "object" } } };

  it.each<[name: string, more: object, content: string]>([
    ["temperature 0", { temperature: 0 }, "one two three four five six"],
    ["temperature 2", { temperature: 2 }, "one two three four five six"],
    ["top_p 0", { top_p: 0 }, "one two three four five six"],
    ["top_p 1", { top_p: 1 }, "one two three four five six"],
    ["max_tokens 1", { max_tokens: 1 }, "one"],
    ["penalties of -2", { frequency_penalty: -2, presence_penalty: -2 }, "one two three four five six"],
    ["penalties of 2", { frequency_penalty: 2, presence_penalty: 2 }, "one two three four five six"],
    ["stop as a string", { stop: " three" }, "one two"],
    ["4 sequences to stop at", { stop: ["six", "five", " two", "x"] }, "one"],
    ['tool_choice "none"', { tools: [TOOL], tool_choice: "none" }, "one two three four five six"],
    ['tool_choice "auto"', { tools: [TOOL], tool_choice: "auto" }, "one two three four five six"],
    ["content in parts", { messages: [{ role: "user", content: [{ type: "text", text: "a" }] }] }, "a"],
    [
      "messages of all documented roles",
      {
        messages: [
          { role: "system", content: "x" },
          ...MESSAGES,
          { role: "assistant", content: "y" },
          { role: "user", content: "z" },
        ],
      },
      "z",
    ],
  ])("takes %s, whole and streamed", async (_name, more, content) => {
    expect(await readAnswer(await call({ ...ECHO, ...more }))).toMatchObject({ choices: [{ message: { content } }] });
    expect(textOf(await readChunks(await call({ ...ECHO, ...more, stream: true })))).toBe(content);
  });

  it("answers in one piece when stream is not set", async () => {
    expect(await readAnswer(await call(ECHO))).toMatchObject({ object: "chat.completion" });
  });

  it("tells the usage in the last chunk of a stream without being asked, unless it is told not to", async () => {
    const chunks = await readChunks(await call({ ...ECHO, stream: true }));
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: expect.any(Number), completion_tokens: 6, total_tokens: expect.any(Number) },
    });
    const asked = await readChunks(await call({ ...ECHO, stream: true, stream_options: { include_usage: true } }));
    expect(asked.at(-1)?.usage).toEqual(chunks.at(-1)?.usage);
    const silent = await readChunks(await call({ ...ECHO, stream: true, stream_options: { include_usage: false } }));
    expect(silent.filter((chunk) => "usage" in chunk)).toEqual([]);
  });
});

describe("the lists of models", () => {
  const MODEL = { object: "model", created: expect.any(Number), owned_by: expect.any(String) };

  it.each(["/v1/models", "/api/v1/chat/models"])("GET %s", async (path) => {
    const list = await readAnswer<{ object: string; data: { id: string }[] }>(await get(gateway.url + path));
    expect(list.object).toBe("list");
    expect(list.data).toEqual(list.data.map(({ id }) => expect.objectContaining({ ...MODEL, id })));
    expect(list.data.map(({ id }) => id)).toEqual(expect.arrayContaining(["auto", "sandbox/eliza"]));
  });

  it.each(["auto", "sandbox/eliza", "sandbox%2Feliza"])("GET /v1/models/%s", async (name) => {
    const model = await readAnswer(await get(`${gateway.url}/v1/models/${name}`));
    expect(model).toMatchObject({ ...MODEL, id: decodeURIComponent(name) });
  });

  it("answers 404 for a model that is not there", async () => {
    const response = await get(`${gateway.url}/v1/models/nothing`);
    expect(response.status).toBe(404);
    expect(await readError(response)).toMatchObject({ code: "model_not_found", param: "model" });
  });
});
