import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { answer, decodeBody, eventsOf, foldEvents, plan } from "./support.ts";

const USAGE = {
  prompt_tokens: 3,
  completion_tokens: 5,
  total_tokens: 8,
  prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

interface Row {
  readonly it: string;
  /** What was asked, where it matters. */
  readonly request?: JsonObject;
  readonly model?: string;
  readonly content: JsonObject[];
  readonly more?: JsonObject;
  /** Besides the role. */
  readonly message: JsonObject;
  readonly choice?: JsonObject;
  readonly completion?: JsonObject;
}

const text = (value: string, more: JsonObject = {}): JsonObject => ({ type: "text", text: value, ...more });
const use = (name: string, input: JsonObject, id = "toolu_1"): JsonObject => ({ type: "tool_use", id, name, input });
const call = (name: string, args: string, id = "toolu_1") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
const web = (url: string, title: string | null): JsonObject => ({ type: "web_search_result_location", url, title });
const calling = { finish_reason: "tool_calls", native_finish_reason: "tool_use" };
const tools = (name: string) => ({ tools: [{ type: "function", function: { name } }] });
const MAP = { type: "object", additionalProperties: { type: "string" } };
const byTool = {
  response_format: { type: "json_schema", json_schema: { name: "answer", schema: MAP } },
  ...tools("w"),
};
const byWords = { response_format: { type: "json_object" } };
const custom = { tools: [{ type: "custom", custom: { name: "c" } }] };

const ROWS: readonly Row[] = [
  { it: "a text", content: [text("Hi"), text(" there")], message: { content: "Hi there", refusal: null } },
  { it: "nothing at all", content: [], message: { content: "", refusal: null } },
  {
    it: "calls after a text",
    content: [text("Look"), use("w", { b: 1, a: "x" }), use("w", {}, "toolu_2")],
    more: { stop_reason: "tool_use" },
    message: {
      content: "Look",
      refusal: null,
      tool_calls: [call("w", '{"b":1,"a":"x"}'), call("w", "{}", "toolu_2")],
    },
    choice: calling,
  },
  {
    it: "calls alone, with an id that no other family would take",
    content: [use("w", {}, "functions.w:0")],
    more: { stop_reason: "tool_use" },
    message: { content: null, refusal: null, tool_calls: [call("w", "{}", "call_new")] },
    choice: calling,
  },
  {
    it: "thoughts, read and unread",
    content: [
      { type: "thinking", thinking: "A", signature: "S" },
      { type: "redacted_thinking", data: "R" },
      { type: "thinking", thinking: "", signature: "T" },
      use("w", {}),
    ],
    more: { stop_reason: "tool_use" },
    message: {
      content: null,
      refusal: null,
      tool_calls: [call("w", "{}")],
      reasoning_content: "A",
      reasoning_details: [
        { type: "reasoning.text", text: "A", signature: "S", format: "anthropic-claude-v1", index: 0 },
        { type: "reasoning.encrypted", data: "R", format: "anthropic-claude-v1", index: 1 },
        { type: "reasoning.text", text: "", signature: "T", format: "anthropic-claude-v1", index: 2 },
      ],
    },
    choice: calling,
  },
  {
    it: "citations of pages, by characters",
    content: [
      text("🪿 "),
      text("A🪿", { citations: [web("https://a.example", "A"), { type: "char_location", cited_text: "x" }] }),
      text("."),
      text("B", { citations: [web("https://b.example", null)] }),
    ],
    message: {
      content: "🪿 A🪿.B",
      refusal: null,
      annotations: [
        { type: "url_citation", url_citation: { start_index: 2, end_index: 4, title: "A", url: "https://a.example" } },
        { type: "url_citation", url_citation: { start_index: 5, end_index: 6, title: "", url: "https://b.example" } },
      ],
    },
  },
  {
    it: "blocks of Anthropic's own tools, and unknown ones",
    content: [
      { type: "server_tool_use", id: "srv", name: "web_search", input: { query: "x" } },
      { type: "web_search_tool_result", tool_use_id: "srv", content: [] },
      { type: "compaction", content: "c" },
      { type: "of_tomorrow" },
      text("Hi"),
    ],
    message: { content: "Hi", refusal: null },
  },
  {
    it: "a refusal with its explanation",
    content: [],
    more: { stop_reason: "refusal", stop_details: { type: "refusal", explanation: "No." } },
    message: { content: null, refusal: "No." },
    choice: { finish_reason: "content_filter", native_finish_reason: "refusal" },
  },
  {
    it: "a refusal without one, after a text",
    content: [text("Well")],
    more: { stop_reason: "refusal" },
    message: { content: "Well", refusal: "The model refused to answer." },
    choice: { finish_reason: "content_filter", native_finish_reason: "refusal" },
  },
  ...(
    [
      ["max_tokens", "length"],
      ["model_context_window_exceeded", "length"],
      ["pause_turn", "stop"],
      ["compaction", "stop"],
      ["of_tomorrow", "stop"],
      ["tool_use", "stop"],
    ] as const
  ).map(([stop_reason, finish_reason]) => ({
    it: `the end by ${stop_reason}`,
    content: [text("Hi")],
    more: { stop_reason },
    message: { content: "Hi", refusal: null },
    choice: { finish_reason, native_finish_reason: stop_reason },
  })),
  {
    it: "the sequence that ended it",
    content: [text("Hi")],
    more: { stop_reason: "stop_sequence", stop_sequence: "!" },
    message: { content: "Hi", refusal: null },
    choice: { finish_reason: "stop", native_finish_reason: "stop_sequence", stop_reason: "!" },
  },
  {
    it: "what was read from and written to the cache, thought, and served by",
    content: [text("Hi")],
    more: {
      usage: {
        input_tokens: 3,
        cache_creation_input_tokens: 10,
        cache_read_input_tokens: 100,
        output_tokens: 5,
        output_tokens_details: { thinking_tokens: 2 },
        service_tier: "priority",
      },
    },
    message: { content: "Hi", refusal: null },
    completion: {
      service_tier: "priority",
      usage: {
        ...USAGE,
        prompt_tokens: 113,
        total_tokens: 118,
        prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 10, audio_tokens: 0 },
        completion_tokens_details: { ...USAGE.completion_tokens_details, reasoning_tokens: 2 },
        cache_creation_input_tokens: 10,
        cache_read_input_tokens: 100,
      },
    },
  },
  {
    it: "several passes as their sum",
    content: [text("Hi")],
    more: {
      usage: {
        input_tokens: 3,
        output_tokens: 5,
        iterations: [
          { type: "compaction", input_tokens: 1000, output_tokens: 50 },
          { type: "message", input_tokens: 3, output_tokens: 5 },
        ],
      },
    },
    message: { content: "Hi", refusal: null },
    completion: { usage: { ...USAGE, prompt_tokens: 1003, completion_tokens: 55, total_tokens: 1058 } },
  },
  {
    it: "the input of a custom tool",
    request: custom,
    content: [use("c", { input: 'a"\n\\u0041\u{1fabf}é' })],
    more: { stop_reason: "tool_use" },
    message: {
      content: null,
      refusal: null,
      tool_calls: [{ id: "toolu_1", type: "custom", custom: { name: "c", input: 'a"\n\\u0041\u{1fabf}é' } }],
    },
    choice: calling,
  },
  {
    it: "the input of a custom tool that is of another form",
    request: custom,
    content: [use("c", { text: "a" })],
    more: { stop_reason: "tool_use" },
    message: {
      content: null,
      refusal: null,
      tool_calls: [{ id: "toolu_1", type: "custom", custom: { name: "c", input: '{"text":"a"}' } }],
    },
    choice: calling,
  },
  {
    it: "a call in the legacy form",
    request: { functions: [{ name: "w" }] },
    content: [use("w", { a: 1 })],
    more: { stop_reason: "tool_use" },
    message: { content: null, refusal: null, function_call: { name: "w", arguments: '{"a":1}' } },
    choice: { finish_reason: "function_call", native_finish_reason: "tool_use" },
  },
  {
    it: "an answer by a tool",
    request: byTool,
    content: [use("answer", { a: "b" })],
    more: { stop_reason: "tool_use" },
    message: { content: '{"a":"b"}', refusal: null },
    choice: { finish_reason: "stop", native_finish_reason: "tool_use" },
  },
  {
    it: "a call in place of an answer by a tool",
    request: byTool,
    content: [use("w", {})],
    more: { stop_reason: "tool_use" },
    message: { content: null, refusal: null, tool_calls: [call("w", "{}")] },
    choice: calling,
  },
  ...(
    [
      ["in a fence", '```json\n{"a": "`"}\n```\n', '{"a": "`"}'],
      ["in a fence without a language", " ```\n{}\n``` ", "{}"],
      ["in a fence that was cut", '```json\n{"a":', '{"a":'],
      ["without a fence", '{"a":"```"}\n', '{"a":"```"}\n'],
      ["that is only ticks", "``", "``"],
    ] as const
  ).map(([how, said, content]) => ({
    it: `JSON ${how}`,
    request: byWords,
    content: [text(said)],
    message: { content, refusal: null },
  })),
];

describe.each(ROWS)("$it", ({ request, model, content, more = {}, message, choice, completion }) => {
  const asked = plan(request, model === undefined ? {} : { model });
  const body = answer(content, more);
  const expected = {
    object: "chat.completion",
    id: "msg_1",
    created: 0,
    model: "claude-x",
    choices: [
      {
        index: 0,
        message: { role: "assistant", ...message },
        finish_reason: "stop",
        native_finish_reason: "end_turn",
        logprobs: null,
        ...choice,
      },
    ],
    usage: USAGE,
    ...completion,
  };

  it("is decoded", () => {
    expect(decodeBody(asked, body)).toEqual(expected);
  });

  it.each([1, 2, 3, 1000])("is the same when it is streamed in pieces of %i characters", (size) => {
    expect(foldEvents(asked, eventsOf(body, size))).toEqual(expected);
  });
});

describe("decodeResponse()", () => {
  it("keeps numbers that a double cannot hold, and the key __proto__", () => {
    const body = JSON.stringify(answer([use("w", {})], { stop_reason: "tool_use" })).replace(
      '"input":{}',
      '"input":{"id":12345678901234567890,"__proto__":{"x":1e400}}',
    );
    expect(decodeBody(plan(), body)).toMatchObject({
      choices: [
        {
          message: {
            tool_calls: [{ function: { arguments: '{"id":12345678901234567890,"__proto__":{"x":1e400}}' } }],
          },
        },
      ],
    });
  });

  it.each<[string, string, string]>([
    ["nothing", "", "UPSTREAM_INVALID_RESPONSE"],
    ["HTML", "<html></html>", "UPSTREAM_INVALID_RESPONSE"],
    ["a list", "[]", "UPSTREAM_INVALID_RESPONSE"],
    ["an object without content", "{}", "UPSTREAM_INVALID_RESPONSE"],
    ["no reason for the end", JSON.stringify(answer([text("Hi")], { stop_reason: null })), "UPSTREAM_INVALID_RESPONSE"],
    ["a call without a name", JSON.stringify(answer([{ type: "tool_use" }])), "UPSTREAM_INVALID_RESPONSE"],
    [
      "input that is nested too deep",
      JSON.stringify(answer([use("w", {})])).replace(
        '"input":{}',
        `"input":${"[".repeat(50_000)}${"]".repeat(50_000)}`,
      ),
      "UPSTREAM_INVALID_RESPONSE",
    ],
    ["an error", '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "OVERLOADED"],
  ])("refuses %s", (_what, body, reasonName) => {
    expect(() => plan().decodeResponse(body)).toThrow(expect.objectContaining({ name: "GatewayError", reasonName }));
  });

  it("refuses several calls in the legacy form, which has room for one", () => {
    const asked = plan({ functions: [{ name: "w" }] });
    const body = answer([use("w", {}), use("w", {}, "toolu_2")], { stop_reason: "tool_use" });
    const refused = expect.objectContaining({ reasonName: "UPSTREAM_INVALID_RESPONSE" });
    expect(() => decodeBody(asked, body)).toThrow(refused);
    expect(() => foldEvents(asked, eventsOf(body))).toThrow(refused);
  });
});
