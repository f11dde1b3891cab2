import { createHash } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  answer,
  bodyOf,
  createProvider,
  decodeBody,
  decodeEvents,
  describeAdjustment,
  eventsOf,
  foldEvents,
  plan,
} from "./support.ts";

const user = (content: string): JsonObject => ({ role: "user", content });
const call = (id: string, args = "{}"): JsonObject => ({
  id,
  type: "function",
  function: { name: "w", arguments: args },
});
const result = (tool_call_id: string, content: string): JsonObject => ({ role: "tool", tool_call_id, content });
const tools = [{ type: "function", function: { name: "w" } }];
const messagesOf = (messages: JsonObject[], more: JsonObject = {}, model = "claude-opus-4-6") =>
  bodyOf(plan({ tools, messages, ...more }, { model }))["messages"];
const use = (id: string, input: JsonObject = {}): JsonObject => ({ type: "tool_use", id, name: "w", input });
const answered = (tool_use_id: string, content: string, more: JsonObject = {}): JsonObject => ({
  type: "tool_result",
  tool_use_id,
  content,
  ...more,
});
const text = (value: string): JsonObject => ({ type: "text", text: value });
const refused = (reasonName: string, param: string) =>
  expect.objectContaining({ name: "GatewayError", reasonName, details: expect.objectContaining({ param }) });
const begin: JsonObject = {
  type: "message_start",
  message: { id: "msg_1", usage: { input_tokens: 100, output_tokens: 1 } },
};
const stop = (usage: JsonObject | null = {}): JsonObject[] => [
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage },
  { type: "message_stop" },
];

describe("Anthropic's edge cases", () => {
  it("edge case 1: blank texts make no block, and messages without blocks are left out", () => {
    const messages = [
      user("Hi"),
      { role: "assistant", content: "", tool_calls: [call("call_1")] },
      result("call_1", " "),
      { role: "assistant", content: "" },
      { role: "user", content: [text(" \n"), text("So?")] },
    ];
    expect(messagesOf(messages)).toEqual([
      { role: "user", content: [text("Hi")] },
      { role: "assistant", content: [use("call_1")] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1" }, text("So?")] },
    ]);
  });

  it.each<[string, JsonObject[], string]>([
    ["there is nothing but white space", [user(" ")], "messages[0].content"],
    [
      "the model would speak first",
      [user(" "), { role: "assistant", content: "Hi" }, user("So?")],
      "messages[0].content",
    ],
    [
      "the model would go on where it was asked",
      [user("Hi"), { role: "assistant", content: "Yes" }, user("\t")],
      "messages[2].content",
    ],
  ])("edge case 1: a blank message is refused where without it %s", (_when, messages, param) => {
    expect(() => plan({ messages }, { model: "claude-haiku-4-5" })).toThrow(refused("INVALID_VALUE", param));
  });

  it("edge case 2: a call without a result gets one that says so, before what the user says", () => {
    const asked = plan({
      tools,
      messages: [
        user("Hi"),
        { role: "assistant", tool_calls: [call("call_1"), call("call_2")] },
        result("call_2", "sun"),
        user("Stop"),
        result("call_1", "late"),
      ],
    });
    expect(bodyOf(asked)["messages"]).toEqual([
      { role: "user", content: [text("Hi")] },
      { role: "assistant", content: [use("call_1"), use("call_2")] },
      {
        role: "user",
        content: [
          answered("call_1", "no result provided", { is_error: true }),
          answered("call_2", "sun"),
          text("Stop"),
        ],
      },
    ]);
    expect(asked.adjustments.map(describeAdjustment)).toEqual([
      "mapped messages[1].tool_calls[0]: unanswered → no result provided",
      "dropped messages[4]",
    ]);
  });

  it("edge case 3: results that came apart and out of order stand together, in the order of the calls", () => {
    const messages = [
      user("Hi"),
      { role: "assistant", tool_calls: [call("call_1"), call("call_2"), call("call_3")] },
      result("call_3", "3"),
      result("call_1", "1"),
      result("call_2", "2"),
      user("A"),
      user("B"),
    ];
    expect(messagesOf(messages)).toMatchObject([
      {},
      {},
      {
        role: "user",
        content: [answered("call_1", "1"), answered("call_2", "2"), answered("call_3", "3"), text("A"), text("B")],
      },
    ]);
  });

  it("edge case 4: ids that Anthropic takes stay, others are made, and none stands for two calls", () => {
    const hash = (id: string) => createHash("sha256").update(id).digest("hex").slice(0, 8);
    const long = "x".repeat(60);
    const ids = ["toolu_01AbC-_", "functions.Bash:0", long, "same", "same"];
    const rendered = [
      "toolu_01AbC-_",
      `functionsBash0_${hash("functions.Bash:0")}`,
      `${"x".repeat(31)}_${hash(long)}`,
      "same",
      "same_2",
    ];
    const messages = [
      user("Hi"),
      { role: "assistant", tool_calls: ids.map((id) => call(id)) },
      ...ids.map((id, index) => result(id, String(index))),
      { role: "assistant", tool_calls: [call("same")] },
      result("same", "again"),
    ];
    expect(messagesOf(messages)).toEqual([
      { role: "user", content: [text("Hi")] },
      { role: "assistant", content: rendered.map((id) => use(id)) },
      { role: "user", content: rendered.map((id, index) => answered(id, String(index))) },
      { role: "assistant", content: [use("same_3")] },
      { role: "user", content: [answered("same_3", "again")] },
    ]);
  });

  it("edge case 4: names of tools that were called elsewhere become names that Anthropic takes", () => {
    const strange = { id: "call_1", type: "function", function: { name: "mcp.server:tool", arguments: "{}" } };
    const asked = plan({ messages: [user("Hi"), { role: "assistant", tool_calls: [strange] }, result("call_1", "x")] });
    const name = `mcpservertool_${createHash("sha256").update("mcp.server:tool").digest("hex").slice(0, 8)}`;
    expect(bodyOf(asked)).toMatchObject({
      tools: [{ name }],
      messages: [{}, { content: [{ type: "tool_use", name }] }, {}],
    });
    expect(asked.adjustments.map(describeAdjustment)).toEqual([
      `mapped messages[1].tool_calls[0].function.name: mcp.server:tool → ${name}`,
      `mapped tools: none → ${name}`,
    ]);
  });

  it("edge case 5: a call without arguments has the arguments {}, in both directions", () => {
    const body = answer([use("toolu_1")], { stop_reason: "tool_use" });
    expect(foldEvents(plan(), eventsOf(body))).toMatchObject({
      choices: [{ message: { tool_calls: [{ function: { arguments: "{}" } }] } }],
    });
    expect(
      messagesOf([user("Hi"), { role: "assistant", tool_calls: [call("c", "")] }, result("c", "x")]),
    ).toMatchObject([{}, { content: [use("c", {})] }, {}]);
  });

  it("edge case 6: the places of calls are counted, and are not those of blocks", () => {
    const content = [
      { type: "thinking", thinking: "t", signature: "s" },
      text("a"),
      use("toolu_1"),
      text("b"),
      use("toolu_2"),
    ];
    const deltas = decodeEvents(plan(), eventsOf(answer(content, { stop_reason: "tool_use" }))).flatMap(({ choices }) =>
      choices.flatMap(({ delta }) => delta?.toolCalls.map(({ index, id }) => [index, id]) ?? []),
    );
    expect(deltas).toEqual([
      [0, "toolu_1"],
      [0, undefined],
      [1, "toolu_2"],
      [1, undefined],
    ]);
  });

  it("edge case 9: usage is said once, at the end, and a null takes nothing back", () => {
    const events = [
      begin,
      { type: "message_delta", delta: {}, usage: { output_tokens: 7 } },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { input_tokens: null, output_tokens: null } },
      { type: "message_delta", delta: {}, usage: null },
      { type: "message_stop" },
    ];
    const chunks = decodeEvents(plan(), events);
    expect(chunks.map(({ usage }) => usage?.totalTokens)).toEqual([undefined, undefined, 107]);
  });

  it.each<[string, JsonObject, JsonObject, number, number]>([
    ["up", { input_tokens: 2225 }, { input_tokens: 9447, output_tokens: 114 }, 9447, 0],
    [
      "down",
      { input_tokens: 100, cache_read_input_tokens: 55_096 },
      { input_tokens: 181, cache_read_input_tokens: 0 },
      181,
      0,
    ],
    ["not at all", { input_tokens: 3, cache_read_input_tokens: 20 }, { output_tokens: 5 }, 23, 20],
  ])("edge case 10: a count that is revised %s is replaced, never added", (_how, first, last, prompt, cached) => {
    const usage = decodeEvents(plan(), [{ type: "message_start", message: { usage: first } }, ...stop(last)]).at(
      -1,
    )?.usage;
    expect(usage).toMatchObject({ promptTokens: prompt, promptTokensDetails: { cachedTokens: cached } });
    expect(usage?.totalTokens).toBe(prompt + (usage?.completionTokens ?? 0));
  });

  it("edge case 10: passes that were told before a newer count are counted as they were, and that count as it is now", () => {
    const pass = (type: string, input_tokens: number, output_tokens: number) => ({ type, input_tokens, output_tokens });
    const iterations = [pass("compaction", 1000, 50), pass("message", 20, 1)];
    const events = [
      { type: "message_start", message: { usage: { input_tokens: 20, output_tokens: 1, iterations } } },
      ...stop({ output_tokens: 7 }),
    ];
    expect(decodeEvents(plan(), events).at(-1)?.usage).toMatchObject({ promptTokens: 1020, completionTokens: 57 });
    const told = [...events.slice(0, 1), ...stop({ output_tokens: 7, iterations: [pass("message", 30, 9)] })];
    expect(decodeEvents(plan(), told).at(-1)?.usage).toMatchObject({ promptTokens: 30, completionTokens: 9 });
  });

  it("edge case 11: a reason for the end that is repeated makes one end", () => {
    const chunks = decodeEvents(plan(), [begin, stop()[0] as JsonObject, ...stop()]);
    const ends = chunks.flatMap(({ choices }) => choices.map(({ nativeFinishReason }) => nativeFinishReason));
    expect(ends).toEqual([undefined, undefined, "end_turn"]);
  });

  it.each([
    ["first", []],
    ["after some of the answer", [begin, { type: "content_block_start", index: 0, content_block: text("Hi") }]],
  ])("edge case 12: an error that comes %s in a stream is the provider's", (_when, before: JsonObject[]) => {
    const decoder = plan().createStreamDecoder();
    const push = (event: JsonObject) => decoder.push({ event: "error", data: JSON.stringify(event) });
    for (const event of before) push(event);
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    expect(() => push(error)).toThrow(expect.objectContaining({ reasonName: "OVERLOADED" }));
    expect(decoder.isDone).toBe(false);
  });

  it("edge case 13: a stream that ends before message_stop was cut, also when its reason was said", () => {
    const events = eventsOf(answer([text("Hi")]));
    expect(() => decodeEvents(plan(), events.slice(0, -1))).toThrow(
      expect.objectContaining({ reasonName: "UPSTREAM_STREAM_INTERRUPTED" }),
    );
    expect(() => decodeEvents(plan(), [])).toThrow(
      expect.objectContaining({ reasonName: "UPSTREAM_STREAM_INTERRUPTED" }),
    );
  });

  it("edge case 15: pairs that were cut are joined, in texts, thoughts and arguments, and halves replaced", () => {
    const content = [
      { type: "thinking", thinking: "🪿", signature: "s" },
      text("a🪿b\ud83e"),
      use("toolu_1", { a: "🪿" }),
    ];
    const chunks = decodeEvents(plan(), eventsOf(answer(content, { stop_reason: "tool_use" }), 1));
    const said = chunks.flatMap(({ choices }) =>
      choices.flatMap(({ delta }) => [
        delta?.content ?? "",
        delta?.reasoningContent ?? "",
        delta?.toolCalls[0]?.function?.arguments ?? "",
      ]),
    );
    expect(said.every((piece) => piece.isWellFormed())).toBe(true);
    expect(said.join("")).toBe('🪿a🪿b\ufffd{"a":"🪿"}');
  });

  it("edge case 16: events go by their data, whatever their name, and with spaces in it", () => {
    const decoder = plan().createStreamDecoder();
    const chunks = eventsOf(answer([text("Hi")])).flatMap((event) => [
      ...decoder.push({ event: "of-a-relay", data: `  ${JSON.stringify(event).replace(/\}$/, "     }")} ` }),
    ]);
    expect(chunks.map(({ choices }) => choices[0]?.delta?.content)).toEqual(["", "Hi", undefined]);
    expect(decoder.isDone).toBe(true);
  });

  describe("edge case 17: thoughts", () => {
    const model = "claude-sonnet-4-5";
    const thought = { type: "thinking", thinking: "Hm", signature: "S" };
    const hidden = { type: "redacted_thinking", data: "R" };
    const said = decodeBody(
      plan(),
      answer([thought, hidden, text("Look"), use("toolu_1")], { stop_reason: "tool_use" }),
    );
    const [{ message }] = said["choices"] as [{ message: JsonObject }];
    const loop = (assistant: JsonObject) => ({
      tools,
      reasoning_effort: "medium",
      max_tokens: 10_000,
      messages: [user("Hi"), assistant, result("toolu_1", "sun")],
    });
    const { reasoning_details: details, reasoning_content: content, ...stripped } = message;

    it("come back as they were, before the rest", () => {
      const asked = plan(loop(message), { model });
      expect(bodyOf(asked)).toMatchObject({
        thinking: { type: "enabled", budget_tokens: 5000 },
        messages: [{}, { content: [thought, hidden, text("Look"), use("toolu_1")] }, {}],
      });
      expect(asked.adjustments).toEqual([]);
    });

    it("come back whole where a client kept the pieces of a stream apart", () => {
      const pieces = [
        { type: "reasoning.text", text: "H", format: "anthropic-claude-v1", index: 0 },
        { type: "reasoning.text", text: "m", format: "anthropic-claude-v1", index: 0 },
        { type: "reasoning.text", signature: "S", format: "anthropic-claude-v1", index: 0 },
      ];
      expect(bodyOf(plan(loop({ ...stripped, reasoning_details: pieces }), { model }))).toMatchObject({
        messages: [{}, { content: [thought, text("Look"), use("toolu_1")] }, {}],
      });
    });

    it.each<[string, JsonObject, string[]]>([
      ["nothing of them", stripped, []],
      [
        "their text only",
        { ...stripped, reasoning_content: content ?? null },
        ["dropped messages[1].reasoning_content"],
      ],
      [
        "no signature",
        {
          ...stripped,
          reasoning_details: [{ type: "reasoning.text", text: "Hm", format: "anthropic-claude-v1", index: 0 }],
        },
        ["dropped messages[1].reasoning_details[0]"],
      ],
      [
        "an empty signature",
        {
          ...stripped,
          reasoning_details: [
            { type: "reasoning.text", text: "Hm", signature: "", format: "anthropic-claude-v1", index: 0 },
          ],
        },
        ["dropped messages[1].reasoning_details[0]"],
      ],
      [
        "another vendor's",
        {
          ...stripped,
          reasoning_details: [{ type: "reasoning.encrypted", data: "G", format: "google-gemini-v1", index: 0 }],
        },
        ["dropped messages[1].reasoning_details[0]"],
      ],
    ])("are switched off where a client kept %s", (_what, assistant, adjustments) => {
      const asked = plan(loop(assistant), { model });
      expect(bodyOf(asked)).toMatchObject({
        thinking: { type: "disabled" },
        messages: [{}, { content: [text("Look"), use("toolu_1")] }, {}],
      });
      expect(asked.adjustments.map(describeAdjustment)).toEqual([
        ...adjustments,
        "mapped reasoning_effort: medium → disabled",
      ]);
    });

    it("go on without their signatures where the model decides itself when it thinks", () => {
      expect(bodyOf(plan(loop(stripped)))["thinking"]).toEqual({ type: "adaptive", display: "summarized" });
    });

    it("are not sent to a model that does not think", () => {
      const asked = plan({ ...loop(message), reasoning_effort: null }, { model: "claude-3-5-haiku-latest" });
      expect(bodyOf(asked)["messages"]).toMatchObject([{}, { content: [text("Look"), use("toolu_1")] }, {}]);
      expect(asked.adjustments.map(describeAdjustment)).toContain("dropped messages[1].reasoning_details[0]");
      expect(details).toHaveLength(2);
    });
  });

  it("edge case 19: a schema is made what Anthropic takes, the caller's own stays, and no data is lost in silence", () => {
    const schema = {
      type: "object",
      properties: {
        a: { oneOf: [{ const: 1 }, { $ref: "#/$defs/b" }] },
        c: { type: ["string", "null"], maxLength: 3 },
      },
      $defs: { b: { type: "object", properties: {} } },
    };
    const before = structuredClone(schema);
    const ask = (json: JsonObject) =>
      bodyOf(plan({ response_format: { type: "json_schema", json_schema: { name: "x", schema: json } } }));
    expect(ask(schema)["output_config"]).toEqual({
      format: {
        type: "json_schema",
        schema: {
          type: "object",
          properties: {
            a: { anyOf: [{ const: 1 }, { $ref: "#/$defs/b" }] },
            c: { type: ["string", "null"], description: "{maxLength: 3}" },
          },
          $defs: { b: { type: "object", properties: {}, additionalProperties: false } },
          additionalProperties: false,
        },
      },
    });
    expect(schema).toEqual(before);
    const map = { type: "object", additionalProperties: true };
    expect(ask(map)).toMatchObject({
      tools: [{ name: "x", input_schema: map }],
      tool_choice: { type: "tool", name: "x" },
    });
  });

  it("edge case 20: 529 is an overload, and a day's delay is one hour's", () => {
    const failure = {
      status: 529,
      body: "",
      header: (name: string) => (name === "retry-after" ? "86400" : undefined),
      receivedAt: 0,
    };
    const error = createProvider().decodeError(failure);
    expect([error.row.httpStatus, error.code, error.details.retryAfterMs]).toEqual([503, "overloaded", 3_600_000]);
  });

  it("refuses arguments that are nested too deep, and overflows nothing", () => {
    const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
    const messages = [user("Hi"), { role: "assistant", tool_calls: [call("c", deep)] }, result("c", "x")];
    expect(() => plan({ tools, messages })).toThrow(
      refused("INVALID_VALUE", "messages[1].tool_calls[0].function.arguments"),
    );
  });
});
