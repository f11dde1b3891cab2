import type { JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import {
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  FinishReason,
} from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";
import { answer, decodeBody, decodeEvents, eventsOf, foldEvents, plan } from "./support.ts";

const start = (index: number, content_block: JsonObject): JsonObject => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, value: JsonObject): JsonObject => ({ type: "content_block_delta", index, delta: value });
const stop = (index: number): JsonObject => ({ type: "content_block_stop", index });
const begin: JsonObject = {
  type: "message_start",
  message: { id: "msg_1", model: "claude-x", usage: { input_tokens: 10, output_tokens: 1 } },
};
const end = (stop_reason: string, usage: JsonObject = {}): JsonObject[] => [
  { type: "message_delta", delta: { stop_reason }, usage },
  { type: "message_stop" },
];

/** What the deltas say, in OpenAI's JSON, without the frame. */
const deltasOf = (chunks: readonly ChatCompletionChunk[]) =>
  chunks.map((chunk) => {
    const { choices } = encodeJson(ChatCompletionChunkSchema, chunk, { nulls: false });
    const [choice] = choices as JsonObject[];
    const { delta: said, finish_reason: finish } = choice as { delta: JsonObject; finish_reason?: string };
    return finish === undefined ? said : finish;
  });

describe("the stream decoder", () => {
  it("says each block in its place", () => {
    const chunks = decodeEvents(plan({ tools: [{ type: "custom", custom: { name: "c" } }] }), [
      { type: "ping" },
      begin,
      start(0, { type: "thinking", thinking: "" }),
      delta(0, { type: "thinking_delta", thinking: "Hm" }),
      delta(0, { type: "thinking_delta", thinking: "m" }),
      delta(0, { type: "signature_delta", signature: "S" }),
      stop(0),
      start(1, { type: "text", text: "H" }),
      delta(1, { type: "text_delta", text: "i" }),
      delta(1, { type: "of_tomorrow", text: "?" }),
      stop(1),
      { type: "of_tomorrow" },
      start(2, { type: "tool_use", id: "toolu_1", name: "w", input: {} }),
      delta(2, { type: "input_json_delta", partial_json: "" }),
      delta(2, { type: "input_json_delta", partial_json: '{"a"' }),
      start(3, { type: "tool_use", id: "toolu_2", name: "c", input: {} }),
      delta(3, { type: "input_json_delta", partial_json: '{"input": "x\\' }),
      delta(2, { type: "input_json_delta", partial_json: ":1}" }),
      delta(3, { type: "input_json_delta", partial_json: 'ny"}' }),
      stop(2),
      stop(3),
      ...end("tool_use", { output_tokens: 7 }),
    ]);
    expect(deltasOf(chunks)).toEqual([
      { role: "assistant" },
      { reasoning_content: "Hm" },
      { reasoning_content: "m" },
      {
        reasoning_details: [
          { type: "reasoning.text", text: "Hmm", signature: "S", format: "anthropic-claude-v1", index: 0 },
        ],
      },
      { content: "H" },
      { content: "i" },
      { tool_calls: [{ index: 0, id: "toolu_1", type: "function", function: { name: "w", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
      { tool_calls: [{ index: 1, id: "toolu_2", type: "custom", custom: { name: "c", input: "" } }] },
      { tool_calls: [{ index: 1, custom: { input: "x" } }] },
      { tool_calls: [{ index: 0, function: { arguments: ":1}" } }] },
      { tool_calls: [{ index: 1, custom: { input: "\ny" } }] },
      "tool_calls",
    ]);
    expect(chunks.map(({ id, model }) => [id, model])).toEqual(chunks.map(() => ["msg_1", "claude-x"]));
  });

  it("opens an answer with a text by an empty one, and cites at the end of a block", () => {
    const citation = { type: "web_search_result_location", url: "https://a.example", title: "A" };
    const chunks = decodeEvents(plan(), [
      begin,
      start(0, { type: "text", text: "" }),
      delta(0, { type: "citations_delta", citation }),
      delta(0, { type: "text_delta", text: "Hi" }),
      stop(0),
      ...end("end_turn"),
    ]);
    expect(deltasOf(chunks)).toEqual([
      { role: "assistant", content: "" },
      { content: "Hi" },
      {
        annotations: [
          {
            type: "url_citation",
            url_citation: { start_index: 0, end_index: 2, title: "A", url: "https://a.example" },
            index: 0,
          },
        ],
      },
      "stop",
    ]);
  });

  it("takes the input that a call begins with, with its numbers, where no piece has any", () => {
    const decoder = plan().createStreamDecoder();
    const block = '{"type":"tool_use","id":"toolu_1","name":"w","input":{"id":12345678901234567890}}';
    const pushed = [
      `{"type":"content_block_start","index":0,"content_block":${block}}`,
      JSON.stringify(stop(0)),
    ].flatMap((data) => [...decoder.push({ event: undefined, data })]);
    expect(deltasOf(pushed)).toEqual([
      { role: "assistant" },
      { tool_calls: [{ index: 0, id: "toolu_1", type: "function", function: { name: "w", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"id":12345678901234567890}' } }] },
    ]);
  });

  it("keeps the numbers of a custom tool's input that is of another form", () => {
    const events = [
      begin,
      start(0, { type: "tool_use", id: "toolu_1", name: "c", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"x": 12345678901234567890}' }),
      stop(0),
      ...end("tool_use"),
    ];
    expect(foldEvents(plan({ tools: [{ type: "custom", custom: { name: "c" } }] }), events)).toMatchObject({
      choices: [{ message: { tool_calls: [{ custom: { input: '{"x":12345678901234567890}' } }] } }],
    });
  });

  it("passes on arguments that were cut, as they are", () => {
    const events = [
      begin,
      start(0, { type: "tool_use", id: "toolu_1", name: "w", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"a' }),
      stop(0),
      ...end("max_tokens"),
    ];
    expect(foldEvents(plan(), events)).toMatchObject({
      choices: [{ message: { tool_calls: [{ function: { arguments: '{"a' } }] }, finish_reason: "length" }],
    });
  });

  it("goes by the last that is said of an end, and ends blocks that nobody ended", () => {
    const events = [
      begin,
      start(0, { type: "tool_use", id: "toolu_1", name: "w", input: {} }),
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
      { type: "message_delta", delta: { stop_reason: "tool_use" } },
      { type: "message_delta", delta: { stop_reason: null } },
      { type: "message_stop" },
    ];
    expect(foldEvents(plan(), events)).toMatchObject({
      choices: [{ message: { tool_calls: [{ function: { arguments: "{}" } }] }, finish_reason: "tool_calls" }],
    });
  });

  it("is done at the end of the message, and reads no further", () => {
    const decoder = plan().createStreamDecoder();
    const push = (event: JsonObject) => decoder.push({ event: undefined, data: JSON.stringify(event) });
    for (const event of [begin, ...end("end_turn")]) push(event);
    expect(decoder.isDone).toBe(true);
    expect(push(delta(9, {}))).toEqual([]);
    expect(decoder.finish()).toEqual([]);
  });

  it.each<[string, JsonObject[]]>([
    ["more of a block that has not begun", [begin, delta(0, { type: "text_delta", text: "x" })]],
    ["a block without a place", [{ type: "content_block_start", content_block: { type: "text" } }]],
    ["no reason for the end", [begin, { type: "message_stop" }]],
    ["a call without a name", [begin, start(0, { type: "tool_use", id: "toolu_1" })]],
  ])("refuses %s", (_what, events) => {
    expect(() => decodeEvents(plan(), events)).toThrow(
      expect.objectContaining({ name: "GatewayError", reasonName: "UPSTREAM_INVALID_RESPONSE" }),
    );
  });

  it("refuses an event that is no JSON", () => {
    expect(() => plan().createStreamDecoder().push({ event: "x", data: "{" })).toThrow(
      expect.objectContaining({ reasonName: "UPSTREAM_INVALID_RESPONSE" }),
    );
  });
});

const words = fc.string({ unit: "grapheme", maxLength: 30 });
const json = fc.dictionary(words, fc.oneof(words, fc.integer(), fc.boolean()), {
  maxKeys: 3,
}) as fc.Arbitrary<JsonObject>;
/** Texts that are, or are nearly, JSON in a fence of Markdown. */
const fenced = fc
  .array(fc.constantFrom("```", "``", "`", "json", "\n", " ", "{", "}", '"a":1', "Here:", "🪿", "\ud83e"), {
    maxLength: 9,
  })
  .map((parts) => parts.join(""));
const texts = fc.oneof(words, fenced);
const citation = fc.constantFrom<JsonObject>(
  { type: "web_search_result_location", url: "https://a.example", title: "A" },
  { type: "web_search_result_location", url: "https://b.example", title: null },
  { type: "page_location", document_index: 0, start_page_number: 1, end_page_number: 2 },
  { type: "char_location", document_index: 0, start_char_index: 0, end_char_index: 2 },
);
const block: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ type: fc.constant("text"), text: texts }),
  fc.record({ type: fc.constant("text"), text: texts, citations: fc.array(citation, { maxLength: 2 }) }),
  fc.record({ type: fc.constant("thinking"), thinking: texts, signature: words }),
  fc.record({ type: fc.constant("redacted_thinking"), data: words }),
  fc.record({
    type: fc.constant("tool_use"),
    id: fc.constantFrom("toolu_1", "a:b"),
    name: fc.constantFrom("w", "c", "answer"),
    input: fc.oneof(json, fc.record({ input: words }), fc.record({ z: words, input: words })),
  }),
  fc.record({ type: fc.constantFrom("server_tool_use", "compaction", "of_tomorrow"), input: json }),
);
const custom: JsonObject = { tools: [{ type: "custom", custom: { name: "c" } }] };
const schema = { type: "object", properties: { a: { type: "string" } } };
const REQUESTS: readonly JsonObject[] = [
  {},
  custom,
  { functions: [{ name: "w" }] },
  { response_format: { type: "json_object" } },
  { ...custom, response_format: { type: "json_object" } },
  { ...custom, response_format: { type: "json_schema", json_schema: { name: "answer", schema } } },
];
/** One that answers a schema by calling a tool. */
const model = "claude-3-7-sonnet-20250219";
/** The answer, or the name of the reason why there is none. */
const outcome = (read: () => JsonObject): JsonObject | string => {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    return thrown.reasonName;
  }
};

describe("a stream", () => {
  it("is the whole answer in pieces", () => {
    const stops = fc.constantFrom("end_turn", "tool_use", "max_tokens", "refusal", "pause_turn", "of_tomorrow");
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 5 }),
        stops,
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(...REQUESTS),
        (content, stop_reason, size, request) => {
          const body = answer(content, { stop_reason });
          const asked = plan(request, { model });
          expect(outcome(() => foldEvents(asked, eventsOf(body, size)))).toEqual(
            outcome(() => decodeBody(asked, body)),
          );
        },
      ),
      { numRuns: 600 },
    );
  });

  const value = fc.oneof(fc.jsonValue() as fc.Arbitrary<JsonObject>, words);
  const event: fc.Arbitrary<JsonObject> = fc.oneof(
    fc.record({ type: fc.constant("message_start"), message: value }),
    fc.record({ type: fc.constant("content_block_start"), index: fc.nat(3), content_block: fc.oneof(block, value) }),
    fc.record({
      type: fc.constant("content_block_delta"),
      index: fc.nat(3),
      delta: fc.oneof(
        value,
        fc.record({ type: fc.constant("text_delta"), text: value }),
        fc.record({ type: fc.constant("input_json_delta"), partial_json: value }),
        fc.record({ type: fc.constant("thinking_delta"), thinking: value }),
        fc.record({ type: fc.constant("citations_delta"), citation: value }),
      ),
    }),
    fc.record({ type: fc.constant("content_block_stop"), index: fc.oneof(fc.nat(3), value) }),
    fc.record({ type: fc.constant("message_delta"), delta: value, usage: value }),
    fc.record({ type: fc.constant("error"), error: value }),
    value as fc.Arbitrary<JsonObject>,
  );

  it("never fails but with an error of ours, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), fc.constantFrom(...REQUESTS), (events, request) => {
        let thrown: unknown;
        try {
          decodeEvents(plan(request), events);
        } catch (error) {
          thrown = error;
        }
        // None of these streams has an end, so each fails.
        expect(thrown).toBeInstanceOf(GatewayError);
      }),
      { numRuns: 1000 },
    );
  });

  it("never has a finish when it was cut, wherever", () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), fc.nat(), (content, at) => {
        const events = eventsOf(answer(content));
        const decoder = plan().createStreamDecoder();
        const chunks = events
          .slice(0, at % events.length)
          .flatMap((each) => [...decoder.push({ event: undefined, data: JSON.stringify(each) })]);
        const finishes = chunks.flatMap(({ choices }) => choices.map(({ finishReason }) => finishReason));
        expect(finishes.filter((reason) => reason !== FinishReason.UNSPECIFIED)).toEqual([]);
        expect(() => decoder.finish()).toThrow(expect.objectContaining({ reasonName: "UPSTREAM_STREAM_INTERRUPTED" }));
      }),
      { numRuns: 300 },
    );
  });
});
