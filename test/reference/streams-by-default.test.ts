/** A page of an API for many providers on `/v3/ai`, which streams unless it is told not to. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { post, readAnswer, readChunks, readError, textOf } from "./support/call.ts";

const ECHO = { model: "sandbox/echo", messages: [{ role: "user", content: "one two three" }] };

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

describe.each(["/v3/ai/chat/completions", "/v3/ai/chat_completions"])("POST %s", (path) => {
  const call = (body: object, accept = "*/*") => post(gateway.url + path, JSON.stringify(body), { accept });

  it.each([
    ["without a word", {}, "*/*"],
    ["for Accept: text/event-stream", {}, "text/event-stream"],
    ["for stream: true", { stream: true }, "*/*"],
    ["for stream: true, whatever Accept says", { stream: true }, "application/json"],
  ])("streams %s, with the usage in the end", async (_name, more, accept) => {
    const chunks = await readChunks(await call({ ...ECHO, ...more }, accept));
    expect(textOf(chunks)).toBe("one two three");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
  });

  it.each([
    ["for stream: false", { stream: false }, "*/*"],
    ["for stream: false, whatever Accept says", { stream: false }, "text/event-stream"],
    ["for Accept: application/json", {}, "application/json"],
  ])("answers with one JSON document %s", async (_name, more, accept) => {
    expect(await readAnswer(await call({ ...ECHO, ...more }, accept))).toMatchObject({
      object: "chat.completion",
      model: "sandbox/echo",
      choices: [{ message: { role: "assistant", content: "one two three" }, finish_reason: "stop" }],
    });
  });

  it("wants a message of the user", async () => {
    for (const messages of [[{ role: "system", content: "a" }], [{ role: "assistant", content: "a" }]]) {
      const response = await call({ ...ECHO, messages });
      expect(response.status).toBe(400);
      expect(await readError(response)).toMatchObject({ param: "messages", message: expect.stringContaining("user") });
    }
  });

  it.each([
    ["temperature", 0],
    ["temperature", 2],
    ["max_tokens", 3],
    ["top_p", 0],
    ["top_p", 1],
    ["async", false],
  ])("takes %s %j", async (name, value) => {
    expect(textOf(await readChunks(await call({ ...ECHO, [name]: value })))).toBe("one two three");
  });

  it.each([
    ["temperature", 2.1],
    ["temperature", -1],
    ["max_tokens", 0],
    ["max_tokens", 2.5],
    ["top_p", 1.5],
    ["stop", ["a", "b", "c", "d", "e"]],
  ])("refuses %s %j", async (param, value) => {
    const response = await call({ ...ECHO, [param]: value });
    expect(response.status).toBe(400);
    expect(await readError(response)).toMatchObject({ type: "invalid_request_error", param });
  });

  it("stops at up to 4 sequences, which are not part of the text", async () => {
    expect(textOf(await readChunks(await call({ ...ECHO, stop: ["x", "y", "z", " three"] })))).toBe("one two");
  });

  it.each([
    ...["openai/gpt-5", "openai/gpt-4o", "openai/gpt-4o-mini", "openai/o3-mini", "openai/o1"],
    ...["anthropic/claude-sonnet-4-5-20250929", "anthropic/claude-haiku-4-5-20251001"],
    ...["anthropic/claude-3-5-sonnet-latest", "anthropic/claude-3-5-haiku-latest"],
    ...["google/gemini-2.5-pro", "google/gemini-2.0-flash", "google/gemini-2.0-pro"],
  ])("understands %s as provider/model, and says that it is not there", async (model) => {
    const response = await call({ ...ECHO, model });
    expect(response.status).toBe(404);
    expect(await readError(response)).toMatchObject({
      message: expect.stringContaining(`'${model}'`),
      param: "model",
      code: "model_not_found",
    });
  });

  it("calls tools", async () => {
    const tool = {
      type: "function",
      function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
    };
    const messages = [{ role: "user", content: "What's the weather in Tokyo?" }];
    const chunks = await readChunks(await call({ model: "sandbox/eliza", messages, tools: [tool] }));
    const calls = chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []));
    expect(calls[0]).toMatchObject({ index: 0, type: "function", function: { name: "get_weather", arguments: "" } });
    expect(chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason))).toContain("tool_calls");
  });

  it.each([
    ["a JSON object", { type: "json_object" }, /^\{"answer":".*"\}$/],
    [
      "JSON by a schema",
      {
        type: "json_schema",
        json_schema: {
          name: "answer",
          strict: true,
          schema: {
            type: "object",
            properties: { ok: { const: true } },
            required: ["ok"],
            additionalProperties: false,
          },
        },
      },
      /^\{"ok":true\}$/,
    ],
  ])("answers with %s", async (_name, format, expected) => {
    const body = { ...ECHO, model: "sandbox/eliza", response_format: format };
    expect(textOf(await readChunks(await call(body)))).toMatch(expected);
  });

  it("takes images, audio, video and files", async () => {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: "https://example.com/cat.png", detail: "high" } },
      { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
      { type: "video_url", video_url: { url: "https://example.com/cat.mp4" } },
      { type: "file", file: { filename: "cat.pdf", file_data: "data:application/pdf;base64,JVBERg==" } },
    ];
    const chunks = await readChunks(await call({ ...ECHO, messages: [{ role: "user", content }] }));
    expect(textOf(chunks)).toBe("What is this?\n[image]\n[audio]\n[video]\n[file cat.pdf]");
  });

  it("queues a request with async: true, and gives its result to who polls the run's uid", async () => {
    const response = await call({ ...ECHO, async: true });
    const queued = (await response.json()) as { readonly uid: string };
    expect([response.status, queued]).toMatchObject([202, { uid: expect.stringMatching(/^run_/), status: "queued" }]);
    const poll = async (): Promise<unknown> =>
      (await fetch(`${gateway.url}/v3/ai/chat_completion_runs/${queued.uid}`)).json();
    await expect
      .poll(poll, { timeout: 30_000 })
      .toMatchObject({ status: "completed", response: { choices: [{ finish_reason: "stop" }] }, error: null });
  });
});
