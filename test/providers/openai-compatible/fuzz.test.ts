import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { FinishReason } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { chunk, chunksOf, decodeAll, type Event, encode, foldedChoices, providerOf } from "./support.ts";

/** Any JSON, with the words that the decoder knows in all places. */
const word = fc.constantFrom(
  ..."id model choices index delta message content reasoning reasoning_content reasoning_details refusal tool_calls function name".split(
    " ",
  ),
  ..."arguments custom input type usage error finish_reason logprobs annotations images audio function_call code thinking text".split(
    " ",
  ),
  "prompt_tokens",
  "__proto__",
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(null, true, 0, 1, -1, 1.5, 1e300, "", "a", "stop", "\ud83d", "\ude00", "[DONE]"),
    word,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(word, tie("json"), { maxKeys: 6 }),
    fc.record({
      choices: fc.array(fc.record({ index: fc.constantFrom(0, 1), delta: tie("json"), finish_reason: tie("json") }), {
        maxLength: 2,
      }),
    }),
    fc.record({
      content: tie("json"),
      tool_calls: fc.array(fc.record({ index: tie("json"), id: tie("json"), function: tie("json") })),
    }),
  ),
}));

const onlyGatewayErrors = (work: () => unknown): void => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    // A fault of our own would be INTERNAL.
    expect((error as GatewayError).reasonName).not.toBe("INTERNAL");
  }
};

const call = (n: number) =>
  encode(providerOf("generic"), { model: "m", messages: [{ role: "user", content: "a" }], n }, true);

describe("fuzz", () => {
  it("never throws anything but a typed error at a stream", () => {
    const event = fc.record({
      event: fc.constantFrom(undefined, "error", "ping"),
      data: fc.oneof(
        { weight: 9, arbitrary: json.map((value) => JSON.stringify(value) ?? "") },
        fc.string(),
        fc.constant("[DONE]"),
      ),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), (events) => {
        const decoder = call(2).createStreamDecoder();
        for (const one of events) onlyGatewayErrors(() => decoder.push(one));
        onlyGatewayErrors(() => decoder.finish());
      }),
      { numRuns: 500 },
    );
  });

  it("never throws anything but a typed error at a body", () => {
    fc.assert(
      fc.property(json, fc.boolean(), (value, isChoices) => {
        const body = isChoices ? { choices: [{ message: value, finish_reason: "stop" }] } : value;
        onlyGatewayErrors(() => call(1).decodeResponse(JSON.stringify(body) ?? ""));
        onlyGatewayErrors(() => providerOf("generic").decodeModels(JSON.stringify(body) ?? ""));
        const failure = { status: 400, header: () => undefined, body: JSON.stringify(body) ?? "", receivedAt: 0 };
        expect(providerOf("generic").decodeError(failure)).toBeInstanceOf(GatewayError);
      }),
      { numRuns: 500 },
    );
  });

  it("never says that a stream ended which was cut", () => {
    const delta = fc.oneof(
      fc.record({ content: fc.string({ unit: "binary" }) }),
      fc.record({ reasoning: fc.string() }),
      fc.record({
        tool_calls: fc.tuple(
          fc.record({
            index: fc.nat(2),
            id: fc.constantFrom("a", "b", "c"),
            function: fc.record({ name: fc.constant("f"), arguments: fc.string() }),
          }),
        ),
      }),
    );
    fc.assert(
      fc.property(fc.array(delta, { minLength: 1, maxLength: 8 }), fc.nat(), (deltas, at) => {
        const events: Event[] = [...deltas.map((one) => chunk(one)), chunk({}, "stop"), "[DONE]"];
        const decoder = call(1).createStreamDecoder();
        const length = at % (deltas.length + 1);
        const chunks = events
          .slice(0, length)
          .flatMap((one) => decoder.push({ event: undefined, data: JSON.stringify(one) }));
        expect(() => decoder.finish()).toThrow(GatewayError);
        expect(
          chunks
            .flatMap(({ choices }) => choices)
            .every(({ finishReason }) => finishReason === FinishReason.UNSPECIFIED),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("says the same in a stream, however it is cut into deltas, as in one piece", () => {
    const text = fc.string({ unit: "binary", maxLength: 12 });
    fc.assert(
      fc.property(text, text, fc.array(fc.nat(12), { maxLength: 4 }), (content, reasoning, cuts) => {
        const bounds = [0, ...cuts.toSorted((a, b) => a - b), Number.POSITIVE_INFINITY];
        const pieces = (whole: string) => bounds.slice(1).map((end, at) => whole.slice(bounds[at], end));
        const deltas = [
          ...pieces(reasoning).map((one) => ({ reasoning: one })),
          ...pieces(content).map((one) => ({ content: one })),
        ];
        const events = [...deltas.map((one) => chunk(one)), chunk({ refusal: "r" }, "stop"), "[DONE]"];
        const { content: said, reasoning_content: thought } =
          (foldedChoices("generic", events) as unknown as { message: Record<string, unknown> }[])[0]?.message ?? {};
        expect([said ?? "", thought ?? ""]).toEqual([content.toWellFormed(), reasoning.toWellFormed()]);
      }),
      { numRuns: 300 },
    );
  });

  it("decodes what it never saw at the end of a stream without usage", () => {
    expect(decodeAll("generic", [chunk({ content: "a" }, "stop")]).at(-1)?.usage).toBeUndefined();
  });

  it("makes the same of events that differ in their text alone, however they are written", () => {
    const text = fc.oneof(
      { weight: 4, arbitrary: fc.string() },
      fc.constantFrom("", ",", ":", "\n", '"', "\\", "é😀", "\ud83d", "\ude00", "<think>", "</think>", "assistant"),
    );
    const piece = fc.oneof(
      { weight: 6, arbitrary: fc.record({ content: text }) },
      fc.record({ role: fc.constant("assistant"), content: text }),
      fc.record({ content: text, reasoning_content: text }),
      fc.record({ content: text, refusal: text }),
      fc.record({
        content: text,
        tool_calls: fc.constant([{ index: 0, id: "c", function: { name: "f", arguments: "" } }]),
      }),
    );
    const around = fc.oneof(
      { weight: 6, arbitrary: fc.constant({}) },
      fc.record({ obfuscation: text }),
      fc.record({ p: text, obfuscation: text }),
      fc.record({ usage: fc.constant({ prompt_tokens: 1, completion_tokens: 1 }) }),
      fc.record({ service_tier: fc.constantFrom("default", "flex"), system_fingerprint: text }),
      fc.record({ more: text }),
    );
    const events = fc.array(fc.tuple(piece, around), { maxLength: 12 });
    fc.assert(
      fc.property(events, fc.constantFrom("generic", "openai", "mistral"), (list, vendor) => {
        const all = [...list.map(([delta, more]) => ({ ...chunk(delta), ...more })), chunk({}, "stop"), "[DONE]"];
        // Blanks mean nothing, and no two of these are written with the same.
        const written = all.map((it, at) => (typeof it === "string" ? it : `${" ".repeat(at)}${JSON.stringify(it)}`));
        expect(chunksOf(vendor, all)).toEqual(chunksOf(vendor, written));
      }),
    );
  });
});
