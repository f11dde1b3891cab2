import { describe, expect, it } from "vitest";
import { answerTo, thrownBy } from "./support.ts";

const body = (message: object | null, more: object = {}, choice: object = {}) => ({
  id: "up-1",
  object: "chat.completion",
  created: 5,
  model: "up-model",
  choices: [{ index: 0, ...(message === null ? {} : { message }), finish_reason: "stop", logprobs: null, ...choice }],
  ...more,
});
const answer = (message: object, more: object = {}, choice: object = {}) => ({
  object: "chat.completion",
  id: "up-1",
  created: 5,
  model: "up-model",
  choices: [{ index: 0, message: { role: "assistant", content: null, ...message }, finish_reason: "stop", ...choice }],
  ...more,
});
const call = (id: string, name: string, args: unknown) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
const usage = (prompt_tokens: number, completion_tokens: number, more: object = {}) => ({
  usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, ...more },
});

interface Row {
  readonly title: string;
  readonly vendor?: string;
  /** What the request has besides a message. */
  readonly asked?: object;
  readonly body: object;
  readonly answer: object;
}

const ROWS: readonly Row[] = [
  {
    title: "reads OpenAI's answer",
    vendor: "openai",
    body: body(
      { role: "assistant", content: "Hi", refusal: null, annotations: [] },
      {
        ...usage(3, 4, { prompt_tokens_details: { cached_tokens: 1 }, completion_tokens_details: null }),
        service_tier: "default",
        system_fingerprint: "fp",
      },
    ),
    answer: answer(
      { content: "Hi" },
      {
        ...usage(3, 4, { prompt_tokens_details: { cached_tokens: 1 } }),
        service_tier: "default",
        system_fingerprint: "fp",
      },
    ),
  },
  {
    title: "reads Mistral's lists of parts",
    body: body({
      content: [
        {
          type: "thinking",
          thinking: [
            { type: "text", text: "think" },
            { type: "text", text: "ing" },
          ],
        },
        { type: "text", text: "1" },
        { type: "reference", reference_ids: [1] },
        { type: "text", text: "44" },
      ],
      tool_calls: null,
    }),
    answer: answer({ content: "144", reasoning_content: "thinking" }),
  },
  {
    title: "reads pictures among parts",
    body: body({
      content: [
        { type: "text", text: "a" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
      ],
      images: [{ type: "image_url", image_url: { url: "data:image/png;base64,BB==" } }],
    }),
    answer: answer({
      content: "a",
      images: [
        { type: "image_url", image_url: { url: "data:image/png;base64,BB==" }, index: 0 },
        { type: "image_url", image_url: { url: "data:image/png;base64,AA==" }, index: 1 },
      ],
    }),
  },
  {
    title: "takes an end in no words for one, and counts that are text for numbers",
    body: body(
      { content: null, reasoning: "r" },
      { usage: { prompt_tokens: "5", completion_tokens: "7", total_tokens: "12" } },
      { finish_reason: "" },
    ),
    answer: answer({ reasoning_content: "r" }, usage(5, 7)),
  },
  {
    title: "leaves a usage out that counts nothing, and says what screening found",
    vendor: "openai",
    body: body(
      { content: "a" },
      { usage: {}, moderation: { input: { type: "error", code: "c", message: "m" }, output: null } },
    ),
    answer: answer({ content: "a" }, { moderation: { input: { type: "error", code: "c", message: "m" } } }),
  },
  {
    title: "takes reasoning under two names for one text, and keeps the details",
    body: body({
      content: "a",
      reasoning: "r",
      reasoning_content: "r",
      reasoning_details: [{ type: "reasoning.text", text: "r", signature: "S", index: 0, format: null }],
    }),
    answer: answer({
      content: "a",
      reasoning_content: "r",
      reasoning_details: [{ type: "reasoning.text", text: "r", signature: "S", index: 0 }],
    }),
  },
  {
    title: "gives calls without a usable id a new one, and calls without arguments an empty object",
    body: body(
      {
        content: "",
        tool_calls: [
          call("", "a", "{}"),
          call("functions.b:0", "b", ""),
          call("ok_1", "c", { x: 1 }),
          call("ok_1", "d", null),
        ],
      },
      {},
      { finish_reason: "tool_calls" },
    ),
    answer: answer(
      {
        tool_calls: [
          call("call_new1", "a", "{}"),
          call("call_new2", "b", "{}"),
          call("ok_1", "c", '{"x":1}'),
          call("call_new3", "d", "{}"),
        ],
      },
      {},
      { finish_reason: "tool_calls" },
    ),
  },
  {
    title: "says tool_calls where another server said stop beside calls",
    vendor: "ollama",
    body: body({ tool_calls: [call("a1", "a", "{}")] }),
    answer: answer(
      { tool_calls: [call("a1", "a", "{}")] },
      {},
      { finish_reason: "tool_calls", native_finish_reason: "stop" },
    ),
  },
  {
    title: "leaves OpenAI's stop beside a forced call",
    vendor: "openai",
    body: body({ tool_calls: [call("a1", "a", "{}")] }),
    answer: answer({ tool_calls: [call("a1", "a", "{}")] }),
  },
  {
    title: "tells a call in the legacy form that was asked for in it",
    vendor: "vllm",
    asked: { functions: [{ name: "f" }] },
    body: body({ content: "", tool_calls: [call("c1", "f", '{"a":1}')] }, {}, { finish_reason: "tool_calls" }),
    answer: answer(
      { function_call: { name: "f", arguments: '{"a":1}' } },
      {},
      { finish_reason: "function_call", native_finish_reason: "tool_calls" },
    ),
  },
  {
    title: "tells a call in the legacy form beside a text, from a server without a word for it, and without arguments",
    vendor: "ollama",
    asked: { functions: [{ name: "f" }] },
    body: body({ content: "Wait.", tool_calls: [call("c1", "f", "")] }),
    answer: answer(
      { content: "Wait.", function_call: { name: "f", arguments: "{}" } },
      {},
      { finish_reason: "function_call", native_finish_reason: "stop" },
    ),
  },
  {
    title: "tells calls of tools as such, though there are functions, too",
    vendor: "vllm",
    asked: { functions: [{ name: "f" }], tools: [{ type: "function", function: { name: "f" } }] },
    body: body({ tool_calls: [call("c1", "f", "{}")] }, {}, { finish_reason: "tool_calls" }),
    answer: answer({ tool_calls: [call("c1", "f", "{}")] }, {}, { finish_reason: "tool_calls" }),
  },
  {
    title: "reads a text that answers functions",
    vendor: "vllm",
    asked: { functions: [{ name: "f" }] },
    body: body({ content: "Hi", tool_calls: [], function_call: { name: "", arguments: "" } }),
    answer: answer({ content: "Hi" }),
  },
  {
    title: "reads a custom tool's call, and a legacy one",
    vendor: "openai",
    body: body(
      {
        tool_calls: [{ id: "c1", type: "custom", custom: { name: "m", input: "4 + 4" } }],
        function_call: { name: "f", arguments: '{"a":1}' },
      },
      {},
      { finish_reason: "function_call" },
    ),
    answer: answer(
      {
        tool_calls: [{ id: "c1", type: "custom", custom: { name: "m", input: "4 + 4" } }],
        function_call: { name: "f", arguments: '{"a":1}' },
      },
      {},
      { finish_reason: "function_call" },
    ),
  },
  {
    title: "reads what a filter left: a choice without a message",
    vendor: "azure",
    body: body(null, { prompt_filter_results: [] }, { finish_reason: "content_filter", content_filter_results: {} }),
    answer: answer({}, {}, { finish_reason: "content_filter" }),
  },
  {
    title: "maps foreign reasons, and keeps the server's own word",
    body: body({ content: "a" }, {}, { finish_reason: "eos", native_finish_reason: "x", stop_reason: null, seed: 1 }),
    answer: answer({ content: "a" }, {}, { native_finish_reason: "eos" }),
  },
  {
    title: "takes an answer without a reason for one that stopped",
    body: body({ content: "a" }, {}, { finish_reason: null }),
    answer: answer({ content: "a" }),
  },
  {
    title: "reads citations and images",
    vendor: "openrouter",
    body: body({
      content: "a",
      annotations: [
        { type: "url_citation", url_citation: { start_index: 0, end_index: 1, title: "t", url: "u", content: "c" } },
        { type: "file", file: {} },
      ],
      images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }],
    }),
    answer: answer({
      content: "a",
      annotations: [{ type: "url_citation", url_citation: { start_index: 0, end_index: 1, title: "t", url: "u" } }],
      images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" }, index: 0 }],
    }),
  },
  {
    title: "keeps what it does not know, and drops noise",
    vendor: "perplexity",
    body: body(
      { content: "a", channel: "final", mood: "good" },
      { citations: ["https://c.example"], time_info: {}, p: "x" },
    ),
    answer: answer({ content: "a", mood: "good" }, { citations: ["https://c.example"] }),
  },
  {
    title: "does not lose an answer for decoration that is not as it should be",
    body: body(
      { content: "a", annotations: "none", images: 5 },
      { created: 1.5, service_tier: "on_demand", metadata: 3 },
    ),
    answer: answer({ content: "a" }, { created: 0 }),
  },
  {
    title: "adds xAI's reasoning to its completion tokens",
    vendor: "xai",
    body: body(
      { content: "a" },
      {
        usage: {
          prompt_tokens: 10,
          completion_tokens: 10,
          total_tokens: 297,
          completion_tokens_details: { reasoning_tokens: 277 },
        },
      },
    ),
    answer: answer({ content: "a" }, usage(10, 287, { completion_tokens_details: { reasoning_tokens: 277 } })),
  },
  {
    title: "takes a gap in the total for reasoning",
    vendor: "google",
    body: body({ content: "a" }, { usage: { prompt_tokens: 35, completion_tokens: 12, total_tokens: 109 } }),
    answer: answer({ content: "a" }, usage(35, 74, { completion_tokens_details: { reasoning_tokens: 62 } })),
  },
  {
    title: "takes a gap in the total for nothing where the reasoning is told",
    body: body(
      { content: "a" },
      {
        usage: {
          prompt_tokens: 35,
          completion_tokens: 12,
          total_tokens: 109,
          completion_tokens_details: { reasoning_tokens: 0 },
        },
      },
    ),
    answer: answer({ content: "a" }, usage(35, 12, { completion_tokens_details: { reasoning_tokens: 0 } })),
  },
  {
    title: "makes up for a total that is missing, and reads DeepSeek's and Moonshot's caches",
    vendor: "deepseek",
    body: body(
      { content: "a" },
      { usage: { prompt_tokens: 9, completion_tokens: 1, prompt_cache_hit_tokens: 8, prompt_cache_miss_tokens: 1 } },
    ),
    answer: answer({ content: "a" }, usage(9, 1, { prompt_tokens_details: { cached_tokens: 8 } })),
  },
];

describe("decodeResponse()", () => {
  it.each(ROWS)("$title", ({ vendor = "generic", asked = {}, body: json, answer: expected }) => {
    expect(answerTo(vendor, json, 1, asked)).toEqual(expected);
  });

  it("splits thoughts off the text where it is told to", () => {
    const config = { quirks: { thinkTags: true } };
    expect(answerTo(config, body({ content: "\n<think>hm</think>\nyes </think>" }))).toEqual(
      answer({ content: "\nyes </think>", reasoning_content: "hm" }),
    );
  });

  it("reads several choices in whatever order", () => {
    const choices = [1, 0].map((index) => ({ index, message: { content: `c${index}` }, finish_reason: "stop" }));
    expect(answerTo("openai", { id: "i", choices }, 2)).toMatchObject({
      choices: [
        { index: 1, message: { content: "c1" } },
        { index: 0, message: { content: "c0" } },
      ],
    });
  });

  it.each([
    ["an empty body", "", "UPSTREAM_INVALID_RESPONSE"],
    ["HTML", "<html>busy</html>", "UPSTREAM_INVALID_RESPONSE"],
    ["no object", "[]", "UPSTREAM_INVALID_RESPONSE"],
    ["no choices", { id: "x" }, "UPSTREAM_INVALID_RESPONSE"],
    ["a choice that is none", { choices: [null] }, "UPSTREAM_INVALID_RESPONSE"],
    [
      "a choice that did not end",
      { choices: [{ message: { content: null }, finish_reason: null }] },
      "UPSTREAM_INVALID_RESPONSE",
    ],
    [
      "an error of OpenRouter",
      { error: { code: 502, message: "Provider returned error" } },
      "UPSTREAM_INVALID_RESPONSE",
    ],
    ["a rate limit", { error: { type: "rate_limit_error", message: "slow" } }, "RATE_LIMIT_EXCEEDED"],
    ["an error of Google's endpoint", [{ error: { code: 400, message: "bad" } }], "INVALID_REQUEST"],
    ["an error as a string", { error: "model is loading" }, "UPSTREAM_ERROR"],
    ["an error of vLLM", { object: "error", message: "too long", code: 400 }, "INVALID_REQUEST"],
    ["Mistral's detail", { detail: "Unauthorized" }, "UPSTREAM_ERROR"],
    ["a choice that failed", { choices: [{ finish_reason: "error", message: { content: "x" } }] }, "UPSTREAM_ERROR"],
    ["a choice with an error", { choices: [{ error: { code: 429, message: "x" } }] }, "RATE_LIMIT_EXCEEDED"],
  ])("fails on %s", (_what, json, reason) => {
    expect(thrownBy(() => answerTo("generic", json)).reasonName).toBe(reason);
  });
});
