import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import {
  type ChatCompletionChunk,
  ChatCompletionSchema,
  FinishReason,
} from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";
import { fold } from "../../support/fold.ts";
import { encode, errorOf } from "./support.ts";

const TOOLS = { tools: [{ type: "function", function: { name: "w" } }] };
const event = (json: JsonValue | string) => ({
  event: undefined,
  data: typeof json === "string" ? json : JSON.stringify(json),
});
const parts = (...list: JsonObject[]): JsonObject => ({ candidates: [{ content: { parts: list } }] });
const STOP = { candidates: [{ finishReason: "STOP" }] };
const text = (value: string) => parts({ text: value });

/** What a stream of these events adds up to. */
function folded(events: readonly (JsonObject | string)[], request: JsonObject = {}, model?: string): JsonObject {
  const decoder = encode(request, model).createStreamDecoder();
  const chunks = events.flatMap((each) => decoder.push(event(each)));
  chunks.push(...decoder.finish());
  return encodeJson(ChatCompletionSchema, fold(chunks));
}
const choiceOf = (completion: JsonObject): JsonObject => (completion["choices"] as JsonObject[])[0] as JsonObject;
const messageOf = (completion: JsonObject) => choiceOf(completion)["message"] as JsonObject;
const callsOf = (completion: JsonObject) =>
  (messageOf(completion)["tool_calls"] as { function: { name: string; arguments: string } }[]).map(
    ({ function: { name, arguments: input } }) => [name, input],
  );

describe("the decoder of streams", () => {
  it("counts calls over events", () => {
    const call = (c: string) => ({ functionCall: { name: "w", args: { c } } });
    const completion = folded([parts(call("A"), call("B")), parts(call("C")), STOP], TOOLS);
    expect(callsOf(completion)).toEqual([
      ["w", '{"c":"A"}'],
      ["w", '{"c":"B"}'],
      ["w", '{"c":"C"}'],
    ]);
    expect(choiceOf(completion)["finish_reason"]).toBe("tool_calls");
  });

  it("collects arguments that come in pieces", () => {
    const piece = (jsonPath: string, value: JsonObject) => ({ jsonPath, ...value });
    const more = (...partialArgs: JsonObject[]) => parts({ functionCall: { partialArgs, willContinue: true } });
    const completion = folded(
      [
        parts({ functionCall: { name: "w", willContinue: true }, thoughtSignature: "G" }),
        more(piece("$.city", { stringValue: "Ber", willContinue: true })),
        more(piece("$.city", { stringValue: "lin" }), piece("$.days[0].n", { numberValue: 1 })),
        more(piece("$.days[0]['is warm']", { boolValue: true }), piece("$.days[1]", { nullValue: "NULL_VALUE" })),
        more(piece("$.__proto__", { stringValue: "x" })),
        parts({ functionCall: {} }),
        parts({ functionCall: { name: "w", args: {} } }),
        STOP,
      ],
      TOOLS,
    );
    expect(callsOf(completion)).toEqual([
      ["w", '{"city":"Berlin","days":[{"n":1,"is warm":true},null],"__proto__":"x"}'],
      ["w", "{}"],
    ]);
    expect(messageOf(completion)).toMatchObject({
      tool_calls: [{ extra_content: { google: { thought_signature: "G" } } }, {}],
    });
  });

  it("takes whole arguments that follow the name of their call", () => {
    const completion = folded(
      [
        parts({ functionCall: { name: "w", willContinue: true } }),
        parts({ functionCall: { args: JSON.parse('{"c":"A","__proto__":1}'), willContinue: true } }),
        parts({ functionCall: { partialArgs: [{ jsonPath: "$.c", stringValue: "B" }] } }),
        STOP,
      ],
      TOOLS,
    );
    expect(callsOf(completion)).toEqual([["w", '{"c":"AB","__proto__":1}']]);
  });

  it.each(["$.a[5]", "city", "$", "$.a[", `$${".a".repeat(100)}`])("refuses a piece of arguments at %j", (jsonPath) => {
    const decoder = encode(TOOLS).createStreamDecoder();
    const pieces = [{ jsonPath, numberValue: 1 }];
    const error = errorOf(() =>
      decoder.push(event(parts({ functionCall: { name: "w", partialArgs: pieces, willContinue: true } }))),
    );
    expect(error.reasonName).toBe("UPSTREAM_INVALID_RESPONSE");
  });

  it("keeps the answers of a call apart", () => {
    const both = (a: string, b: string) => ({
      candidates: [{ content: { parts: [{ text: a }] } }, { index: 1, content: { parts: [{ text: b }] } }],
    });
    const completion = folded(
      [both("a", "x"), both("b", "y"), { candidates: [{ index: 1, finishReason: "MAX_TOKENS" }] }, STOP],
      { n: 2 },
      "gemini-2.5-flash",
    );
    expect(completion["choices"]).toMatchObject([
      { index: 0, message: { content: "ab" }, finish_reason: "stop" },
      { index: 1, message: { content: "xy" }, finish_reason: "length" },
    ]);
  });

  it("reads an answer by a function of ours", () => {
    const format = { type: "json_schema", json_schema: { name: "json", schema: { type: "object" } } };
    const completion = folded(
      [parts({ functionCall: { name: "json", args: { a: 1 } }, thoughtSignature: "G" }), STOP],
      { ...TOOLS, response_format: format },
      "gemini-2.5-flash",
    );
    expect(choiceOf(completion)).toMatchObject({ message: { content: '{"a":1}' }, finish_reason: "stop" });
    expect(messageOf(completion)).not.toHaveProperty("tool_calls");
  });

  it("cites the last sources that came, in the text as a whole", () => {
    const metadata = (endIndex: number) => ({
      groundingChunks: [{ web: { uri: "https://a.example", title: "A" } }],
      groundingSupports: [
        { segment: { startIndex: 2, endIndex, text: "bc".slice(0, endIndex - 2) }, groundingChunkIndices: [0] },
      ],
    });
    const completion = folded([
      { candidates: [{ content: { parts: [{ text: "é" }] }, groundingMetadata: metadata(3) }] },
      { candidates: [{ content: { parts: [{ text: "bc" }] }, groundingMetadata: metadata(4), finishReason: "STOP" }] },
    ]);
    expect(messageOf(completion)["annotations"]).toEqual([
      { type: "url_citation", url_citation: { start_index: 1, end_index: 3, title: "A", url: "https://a.example" } },
    ]);
  });

  it.each<[string, JsonValue | string, string]>([
    ["no JSON", "data", "UPSTREAM_INVALID_RESPONSE"],
    ["a list", [], "UPSTREAM_INVALID_RESPONSE"],
    ["a number", 5, "UPSTREAM_INVALID_RESPONSE"],
    ["an error", { error: { code: 500, status: "INTERNAL", message: "x" } }, "UPSTREAM_ERROR"],
    [
      "a list of an error",
      [{ error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "x" } }],
      "RATE_LIMIT_EXCEEDED",
    ],
  ])("fails for %s", (_name, json, reason) => {
    const decoder = encode({}).createStreamDecoder();
    decoder.push(event(text("a")));
    expect(errorOf(() => decoder.push(event(json))).reasonName).toBe(reason);
  });
});

describe("the end of a stream", () => {
  it.each([
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
  ])("is an error for %s, after what came with it", (finishReason) => {
    const decoder = encode({}).createStreamDecoder();
    const chunks = decoder.push(event({ candidates: [{ content: { parts: [{ text: "a" }] }, finishReason }] }));
    expect(chunks.map(({ choices: [choice] }) => choice?.delta?.content)).toEqual(["a"]);
    expect(errorOf(() => decoder.finish()).reasonName).toBe("UPSTREAM_INVALID_RESPONSE");
  });

  it("is none where the finish reason is empty", () => {
    const decoder = encode({}).createStreamDecoder();
    decoder.push(event({ candidates: [{ content: { parts: [{ text: "a" }] }, finishReason: "" }] }));
    expect(errorOf(() => decoder.finish()).reasonName).toBe("UPSTREAM_STREAM_INTERRUPTED");
  });
});

/** JSON that looks like answers, and all that may stand in their places. */
const odd = fc.oneof(
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue> },
  fc.constant(null),
);
const part = fc.oneof(
  fc.record(
    { text: fc.string({ unit: "binary" }), thought: fc.boolean(), thoughtSignature: fc.string() },
    { requiredKeys: [] },
  ),
  fc.record({
    functionCall: fc.record(
      {
        name: fc.constantFrom("w", "x", ""),
        id: fc.string(),
        args: fc.dictionary(fc.string(), odd),
        willContinue: fc.boolean(),
        partialArgs: fc.array(
          fc.record({ jsonPath: fc.constantFrom("$.a", "$.a.b", "$.a[0]", "$.b[0]", "x"), stringValue: odd }),
        ),
      },
      { requiredKeys: [] },
    ),
  }),
  odd,
);
const grounding = fc.record({
  groundingChunks: fc.array(fc.oneof(fc.constant({ web: { uri: "u", title: "t" } }), odd)),
  groundingSupports: fc.array(
    fc.oneof(
      fc.record({
        segment: fc.record(
          { startIndex: fc.integer(), endIndex: fc.integer(), partIndex: fc.integer() },
          { requiredKeys: [] },
        ),
        groundingChunkIndices: fc.array(fc.oneof(fc.nat(3), odd)),
      }),
      odd,
    ),
  ),
});
const candidate = fc.record(
  {
    index: fc.oneof(fc.nat(2), odd),
    content: fc.oneof(fc.record({ parts: fc.oneof(fc.array(part), odd) }), odd),
    finishReason: fc.oneof(fc.constantFrom("STOP", "MAX_TOKENS", "OTHER", "MALFORMED_RESPONSE", "NEW"), odd),
    groundingMetadata: fc.oneof(grounding, odd),
    logprobsResult: fc.oneof(fc.record({ chosenCandidates: fc.array(odd), topCandidates: fc.array(odd) }), odd),
  },
  { requiredKeys: [] },
);
const anyEvent = fc
  .oneof(
    {
      weight: 5,
      arbitrary: fc.record(
        { candidates: fc.oneof(fc.array(candidate), odd), usageMetadata: odd, promptFeedback: odd, error: odd },
        { requiredKeys: ["candidates"] },
      ),
    },
    odd,
  )
  .map((json) => JSON.stringify(json));

/** Chunks of what is pushed, until an error ends it. Fails for an error that is not ours. */
function run(events: readonly string[]): { chunks: ChatCompletionChunk[]; ended: boolean } {
  const decoder = encode(TOOLS).createStreamDecoder();
  const chunks: ChatCompletionChunk[] = [];
  try {
    for (const data of events) chunks.push(...decoder.push({ event: undefined, data }));
    chunks.push(...decoder.finish());
    return { chunks, ended: true };
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    return { chunks, ended: false };
  }
}

describe("any stream", () => {
  const isFinish = (chunk: ChatCompletionChunk) =>
    chunk.choices.some(({ finishReason }) => finishReason !== FinishReason.UNSPECIFIED);

  it("fails with typed errors only, and has no finish before its end", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: anyEvent }, fc.string())), (events) => {
        const { chunks, ended } = run(events);
        expect(chunks.some(isFinish)).toBe(ended);
      }),
      { numRuns: 500 },
    );
  });

  it("never finishes when it is cut before its finish reason", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), fc.nat(), (texts, cut) => {
        const events = [...texts.map((each) => JSON.stringify(text(each))), JSON.stringify(STOP)];
        const { chunks, ended } = run(events.slice(0, cut % events.length));
        expect([ended, chunks.some(isFinish)]).toEqual([false, false]);
      }),
    );
  });

  it("adds up to the same text, wherever that is cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.array(fc.nat()), (whole, cuts) => {
        const places = [...new Set([0, ...cuts.map((cut) => cut % whole.length), whole.length])].sort((a, b) => a - b);
        const pieces = places.slice(1).map((end, at) => text(whole.slice(places[at], end)));
        expect(messageOf(folded([...pieces, STOP]))["content"]).toBe(whole);
      }),
    );
  });
});

describe("any body", () => {
  it("is an answer whose choices have ended, or a typed error", () => {
    fc.assert(
      fc.property(anyEvent, (body) => {
        try {
          const { choices } = encode(TOOLS).decodeResponse(body);
          expect(choices.map(({ finishReason }) => finishReason)).not.toContain(FinishReason.UNSPECIFIED);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
