import { describe, expect, it } from "vitest";
import type { Usage } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { createSseReader } from "../../../src/upstream/sse-reader.ts";
import { type Event, gatewayChunks } from "./support.ts";

/** The body of a stream: each event is JSON, or lines as they are. */
const body = (events: readonly Event[], lineEnd = "\n"): string =>
  events
    .map((event) => (typeof event === "string" ? event : `data: ${JSON.stringify(event)}`))
    .map((event) => `${event}\n\n`.replaceAll("\n", lineEnd))
    .join("");

const DONE = "data: [DONE]";

/** A chunk of one choice. */
const piece = (delta: object | null, finish: string | null = null, choice: object = {}, frame: object = {}) => ({
  id: "u1",
  object: "chat.completion.chunk",
  created: 5,
  model: "u",
  choices: [{ index: 0, delta, finish_reason: finish, ...choice }],
  ...frame,
});

const usage = (prompt: number, completion: number, more: object = {}) => ({
  usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion, ...more },
});

/** A chunk as clients get it, before nulls are written. */
const out = (delta: object, frame: object = {}) => ({ choices: [{ index: 0, delta }], ...frame });
const end = (finish_reason: string, choice: object = {}, frame: object = {}) => ({
  choices: [{ index: 0, delta: {}, finish_reason, ...choice }],
  ...frame,
});
const counted = (prompt: number, completion: number, prompts: object = {}, completions: object = {}) => ({
  choices: [],
  usage: {
    ...usage(prompt, completion).usage,
    prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0, ...prompts },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
      ...completions,
    },
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: (prompts as { cached_tokens?: number }).cached_tokens ?? 0,
  },
});
const call = (index: number, id: string, args: string, more: object = {}) => ({
  tool_calls: [{ index, id, type: "function", function: { name: "f", arguments: args }, ...more }],
});

interface Row {
  readonly title: string;
  readonly vendor: string;
  readonly body: string;
  /** All that clients get, but for what is the same on each chunk. */
  readonly chunks: readonly object[];
}

const ROWS: readonly Row[] = [
  {
    title: "Azure: a first chunk without choices, and accounts of its filter",
    vendor: "azure",
    body: body([
      { choices: [], created: 0, id: "", model: "", object: "", prompt_filter_results: [{ prompt_index: 0 }] },
      piece({ role: "assistant", content: "", refusal: null }, null, { content_filter_results: {}, logprobs: null }),
      piece({ content: "a" }, null, { content_filter_results: { hate: { filtered: false } } }),
      { ...piece({}, "stop", { content_filter_results: {} }), obfuscation: "xyz", system_fingerprint: "fp" },
      { ...piece({}), choices: [], ...usage(3, 1), obfuscation: "" },
      DONE,
    ]),
    chunks: [
      out({ role: "assistant" }),
      out({ content: "a" }),
      end("stop", {}, { system_fingerprint: "fp" }),
      { ...counted(3, 1), system_fingerprint: "fp" },
    ],
  },
  {
    title: "OpenRouter: comments, a role in each delta, reasoning twice, citations, a finish twice",
    vendor: "openrouter",
    body: body([
      ": OPENROUTER PROCESSING",
      piece({
        role: "assistant",
        content: "",
        reasoning: "hm",
        reasoning_details: [{ type: "reasoning.text", text: "hm", format: "x", index: 0 }],
      }),
      ": OPENROUTER PROCESSING",
      piece({
        role: "assistant",
        content: "a",
        annotations: [{ type: "url_citation", url_citation: { start_index: 0, end_index: 1, title: "t", url: "u" } }],
      }),
      piece({ role: "assistant", content: "" }, "length", { native_finish_reason: "max_tokens" }),
      { ...piece({ role: "assistant", content: "" }, "length", { native_finish_reason: null }), ...usage(4, 2) },
      DONE,
    ]),
    chunks: [
      out({
        role: "assistant",
        reasoning_content: "hm",
        reasoning_details: [{ type: "reasoning.text", text: "hm", format: "x", index: 0 }],
      }),
      out({
        content: "a",
        annotations: [
          { type: "url_citation", url_citation: { start_index: 0, end_index: 1, title: "t", url: "u" }, index: 0 },
        ],
      }),
      end("length"),
      counted(4, 2),
    ],
  },
  {
    title: "Groq: a whole call in one delta, and the usage twice",
    vendor: "groq",
    body: body([
      piece({ role: "assistant", content: null }, null, {}, { x_groq: { id: "req_1" } }),
      piece({ reasoning: "hm", channel: "analysis" }),
      piece(call(0, "c1", '{"a":1}')),
      piece({}, "tool_calls", {}, { x_groq: { id: "req_1", usage: usage(5, 6).usage } }),
      { ...piece({}), choices: [], ...usage(5, 6, { queue_time: 0.1 }), x_groq: { id: "req_1" } },
      DONE,
    ]),
    chunks: [
      out({ role: "assistant" }),
      out({ reasoning_content: "hm" }),
      out(call(0, "c1", '{"a":1}')),
      end("tool_calls"),
      { choices: [], usage: { ...counted(5, 6).usage, queue_time: 0.1 } },
    ],
  },
  {
    title: "DeepSeek: comments, reasoning, the usage on the finish chunk, both halves of its cache",
    vendor: "deepseek",
    body: body([
      ": keep-alive",
      piece({ role: "assistant", content: null, reasoning_content: "" }),
      ": keep-alive",
      piece({ content: null, reasoning_content: "hm" }),
      piece({ content: "a", reasoning_content: null }),
      piece(
        { content: "", reasoning_content: null },
        "stop",
        { logprobs: null },
        usage(9, 2, {
          prompt_tokens_details: { cached_tokens: 8 },
          completion_tokens_details: { reasoning_tokens: 1 },
          prompt_cache_hit_tokens: 8,
          prompt_cache_miss_tokens: 1,
        }),
      ),
      DONE,
    ]),
    chunks: [
      out({ role: "assistant" }),
      out({ reasoning_content: "hm" }),
      out({ content: "a" }),
      end("stop"),
      counted(9, 2, { cached_tokens: 8 }, { reasoning_tokens: 1 }),
    ],
  },
  {
    title: "Mistral: all in one final chunk, with padding, thoughts and an id of nine characters",
    vendor: "mistral",
    body: body([
      { ...piece({ role: "assistant", content: "" }), p: "abc" },
      {
        ...piece(
          {
            content: [
              { type: "thinking", thinking: [{ type: "text", text: "hm" }], closed: true },
              { type: "text", text: "a" },
            ],
            tool_calls: [{ id: "D681PevKs", function: { name: "f", arguments: "{}" }, index: 0 }],
          },
          "tool_calls",
        ),
        p: "abcdef",
        ...usage(2, 3),
      },
      DONE,
    ]),
    chunks: [
      out({ role: "assistant" }),
      out({ content: "a", reasoning_content: "hm" }),
      out(call(0, "D681PevKs", "{}")),
      end("tool_calls"),
      counted(2, 3),
    ],
  },
  {
    title: "xAI: reasoning counted apart, and citations on the last chunk",
    vendor: "xai",
    body: body([
      piece({ role: "assistant", reasoning_content: "hm" }),
      piece({ content: "a" }),
      piece({}, "stop"),
      {
        ...piece({}),
        choices: [],
        citations: ["https://a.example"],
        usage: {
          prompt_tokens: 10,
          completion_tokens: 10,
          total_tokens: 297,
          prompt_tokens_details: { text_tokens: 10, audio_tokens: 0, image_tokens: 0, cached_tokens: 4 },
          completion_tokens_details: { reasoning_tokens: 277, audio_tokens: 0 },
          num_sources_used: 1,
        },
        system_fingerprint: "fp",
      },
      DONE,
    ]),
    chunks: [
      out({ role: "assistant", reasoning_content: "hm" }),
      out({ content: "a" }),
      end("stop", {}, { system_fingerprint: "fp", citations: ["https://a.example"] }),
      {
        choices: [],
        usage: {
          ...counted(
            10,
            287,
            { text_tokens: 10, audio_tokens: 0, image_tokens: 0, cached_tokens: 4 },
            { reasoning_tokens: 277 },
          ).usage,
          num_sources_used: 1,
        },
        system_fingerprint: "fp",
      },
    ],
  },
  {
    title: "Perplexity: CRLF, no [DONE], the whole message and the usage so far on each chunk",
    vendor: "perplexity",
    body: body(
      [
        piece(
          { role: "assistant", content: "a" },
          null,
          { message: { role: "assistant", content: "a" } },
          { citations: ["u"], search_results: [{ title: "t", url: "u" }], ...usage(3, 1) },
        ),
        piece(
          { role: "assistant", content: "b" },
          "stop",
          { message: { role: "assistant", content: "ab" } },
          { citations: ["u"], ...usage(3, 2, { search_context_size: "low" }) },
        ),
      ],
      "\r\n",
    ),
    chunks: [
      out({ role: "assistant", content: "a" }, { citations: ["u"], search_results: [{ title: "t", url: "u" }] }),
      out({ content: "b" }, { citations: ["u"] }),
      end("stop"),
      { choices: [], usage: { ...counted(3, 2).usage, search_context_size: "low" } },
    ],
  },
  {
    title: 'Together: "eos", and its own account of the prompt and of tokens',
    vendor: "together",
    body: body([
      { ...piece({ role: "assistant", content: "a", token_id: 5 }, null, { text: "a", seed: null }), prompt: [] },
      {
        ...piece({ role: "assistant", content: "", tool_calls: [] }, "eos", { text: "", seed: 1 }),
        ...usage(1, 1),
      },
      DONE,
    ]),
    chunks: [out({ role: "assistant", content: "a" }), end("stop", { native_finish_reason: "eos" }), counted(1, 1)],
  },
  {
    title: "Ollama: index 0 for each of the calls, and reasoning",
    vendor: "ollama",
    body: body([
      piece({ role: "assistant", content: "", reasoning: "hm" }),
      piece({ role: "assistant", content: "", ...call(0, "c1", "{}") }),
      piece({ role: "assistant", content: "", ...call(0, "c2", '{"b":2}') }),
      piece({ role: "assistant", content: "" }, "stop"),
      DONE,
    ]),
    chunks: [
      out({ role: "assistant", reasoning_content: "hm" }),
      out(call(0, "c1", "{}")),
      out(call(1, "c2", '{"b":2}')),
      end("tool_calls", { native_finish_reason: "stop" }),
    ],
  },
  {
    title: "vLLM: nulls of its own, reasoning under its newer name",
    vendor: "vllm",
    body: body([
      piece(
        { role: "assistant", content: "", reasoning_content: null },
        null,
        { logprobs: null },
        { prompt_token_ids: null },
      ),
      piece({ reasoning: "hm", reasoning_content: null }, null, { token_ids: null }),
      piece({ content: "a" }, "stop", { stop_reason: "###", token_ids: null }),
      { ...piece({}), choices: [], ...usage(1, 2, { prompt_tokens_details: null }), kv_transfer_params: null },
      DONE,
    ]),
    chunks: [
      out({ role: "assistant" }),
      out({ reasoning_content: "hm" }),
      out({ content: "a" }),
      end("stop"),
      counted(1, 2),
    ],
  },
  {
    title: "Google's endpoint: calls without ids and indexes, a signature, and thoughts that only the total has",
    vendor: "google",
    body: body([
      piece(
        {
          role: "assistant",
          tool_calls: [
            {
              id: "",
              type: "function",
              function: { name: "f", arguments: "{}" },
              extra_content: { google: { thought_signature: "S" } },
            },
            { id: "", type: "function", function: { name: "f", arguments: '{"a":1}' } },
          ],
        },
        "stop",
        {},
        { usage: { prompt_tokens: 35, completion_tokens: 12, total_tokens: 109 } },
      ),
      DONE,
    ]),
    chunks: [
      out({ role: "assistant" }),
      out({
        tool_calls: [
          ...call(0, "call_new1", "{}", { extra_content: { google: { thought_signature: "S" } } }).tool_calls,
          ...call(1, "call_new2", '{"a":1}').tool_calls,
        ],
      }),
      end("tool_calls", { native_finish_reason: "stop" }),
      counted(35, 74, {}, { reasoning_tokens: 62 }),
    ],
  },
  {
    title: "Cerebras: timings and reasoning",
    vendor: "cerebras",
    body: body([
      piece({ role: "assistant" }),
      piece({ reasoning: "hm" }),
      piece({ content: "a" }),
      { ...piece({}, "stop"), ...usage(1, 2), time_info: { queue_time: 0.1, created: 1.5 } },
      DONE,
    ]),
    chunks: [
      out({ role: "assistant" }),
      out({ reasoning_content: "hm" }),
      out({ content: "a" }),
      end("stop"),
      counted(1, 2),
    ],
  },
  {
    title: "Snowflake: no finish reason at all, null for everything, details of the reasoning",
    vendor: "snowflake",
    body: body([
      piece(
        {
          role: "assistant",
          content: "",
          function_call: null,
          audio: null,
          refusal: null,
          reasoning_details: [{ type: "reasoning.text", text: "hm" }],
        },
        null,
        { logprobs: null },
      ),
      piece({ role: "assistant", content: "a", function_call: null, audio: null, reasoning_details: null }),
      piece({ role: "assistant", content: "b", tool_calls: null }, null, {}, { usage: null }),
      {
        ...piece({}),
        choices: [],
        ...usage(1, 2, { prompt_tokens_details: null, completion_tokens_details: null }),
        service_tier: null,
        system_fingerprint: null,
      },
      DONE,
    ]),
    chunks: [
      out({
        role: "assistant",
        reasoning_content: "hm",
        reasoning_details: [{ type: "reasoning.text", text: "hm", index: 0 }],
      }),
      out({ content: "a" }),
      out({ content: "b" }),
      end("stop"),
      counted(1, 2),
    ],
  },
  {
    title: "Z.ai: a role in each delta, and a finish twice",
    vendor: "zai",
    body: body([
      piece({ role: "assistant", reasoning_content: "hm" }),
      piece({ role: "assistant", content: "a" }),
      piece({ role: "assistant", content: "" }, "stop"),
      { ...piece({ role: "assistant", content: "" }, "stop"), ...usage(1, 2) },
      DONE,
    ]),
    chunks: [out({ role: "assistant", reasoning_content: "hm" }), out({ content: "a" }), end("stop"), counted(1, 2)],
  },
  {
    title: "Moonshot: the usage within the choice, with what its cache had",
    vendor: "moonshot",
    body: body([
      piece({ role: "assistant", content: "" }),
      piece({ content: "a" }),
      piece({}, "stop", { usage: usage(9, 2, { cached_tokens: 4 }).usage }),
      DONE,
    ]),
    chunks: [out({ role: "assistant" }), out({ content: "a" }), end("stop"), counted(9, 2, { cached_tokens: 4 })],
  },
  {
    title: "OpenAI: what screening found, in a chunk of its own",
    vendor: "openai",
    body: body([
      piece({ role: "assistant", content: "a" }),
      piece({}, "stop"),
      { ...piece({}), choices: [], moderation: { input: { type: "error", code: "c", message: "m" }, output: null } },
      { ...piece({}), choices: [], ...usage(1, 2) },
      DONE,
    ]),
    chunks: [
      out({ role: "assistant", content: "a" }),
      { choices: [], moderation: { input: { type: "error", code: "c", message: "m" } } },
      end("stop"),
      counted(1, 2),
    ],
  },
  {
    title: "OpenAI: audio that ends with the end of its id, and without a finish reason",
    vendor: "openai",
    body: body([
      piece({ role: "assistant", content: null, audio: { id: "au", transcript: "h" } }),
      piece({ audio: { data: "AAA=" } }),
      piece({ audio: { expires_at: 1_700_000_000 } }),
      { ...piece({}), choices: [], ...usage(1, 2, { completion_tokens_details: { audio_tokens: 2 } }) },
      DONE,
    ]),
    chunks: [
      out({ role: "assistant", audio: { id: "au", transcript: "h" } }),
      out({ audio: { data: "AAA=" } }),
      out({ audio: { expires_at: 1_700_000_000 } }),
      end("stop"),
      counted(1, 2, {}, { audio_tokens: 2 }),
    ],
  },
  {
    title: "anybody: keys of a choice and of a chunk that has no news",
    vendor: "generic",
    body: body([
      piece({ content: "a" }),
      piece({}, null, { score: 0.5 }),
      { ...piece({}), choices: [], trace: "t1", service_tier: "flex" },
      piece(null, "stop", {}, { trace: "t2" }),
      DONE,
    ]),
    chunks: [
      out({ role: "assistant", content: "a" }),
      { choices: [{ index: 0, delta: {}, score: 0.5 }] },
      end("stop", {}, { trace: "t2", service_tier: "flex" }),
    ],
  },
];

describe("streams of vendors", () => {
  it.each(ROWS)("$title", ({ vendor, body: text, chunks }) => {
    const reader = createSseReader("up");
    const events = [...reader.push(Buffer.from(text)), ...reader.finish()];
    expect(gatewayChunks(vendor, events)).toEqual(chunks);
  });
});

describe("usage of vendors", () => {
  it.each<readonly [string, object, Partial<Usage>]>([
    [
      "text",
      { prompt_tokens: "5", completion_tokens: "7", total_tokens: "12" },
      { promptTokens: 5, completionTokens: 7 },
    ],
    ["fractions", { prompt_tokens: 5.4, completion_tokens: 7.5 }, { promptTokens: 5, completionTokens: 8 }],
    ["less than nothing", { prompt_tokens: -1, completion_tokens: 2 }, { promptTokens: 0, completionTokens: 2 }],
    [
      "more than there is",
      { prompt_tokens: 1, completion_tokens: 1e12 },
      { promptTokens: 1, completionTokens: 2 ** 31 - 1 },
    ],
    [
      "nulls",
      { prompt_tokens: 5, completion_tokens: null, total_tokens: null },
      { promptTokens: 5, completionTokens: 0 },
    ],
  ])("reads counts that are %s", (_what, counts, expected) => {
    const [last] = gatewayChunks("generic", [
      { event: undefined, data: JSON.stringify(piece({ content: "a" }, "stop", {}, { usage: counts })) },
      { event: undefined, data: JSON.stringify({ choices: [], usage: {} }) },
    ]).slice(-1);
    const { promptTokens = 0, completionTokens = 0 } = expected;
    expect(last).toEqual(counted(promptTokens, completionTokens));
  });
});
