import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  ServiceTier,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { stringifyJson } from "../../src/openai-json/encode.ts";
import { compileStreamStringifier } from "../../src/openai-json/stream-stringifier.ts";
import { arbitraryMessage } from "./support/arbitrary-message.ts";
import { caught } from "./support/caught.ts";

const chunk = (init: MessageInitShape<typeof ChatCompletionChunkSchema>): ChatCompletionChunk =>
  create(ChatCompletionChunkSchema, { id: "chatcmpl-1", created: 7n, model: "m", systemFingerprint: "fp", ...init });
const CONTENT = ["choices", "delta", "content"] as const;
const says = (content: string) => ({ choices: [{ index: 0, delta: { content } }] });

describe("compileStreamStringifier()", () => {
  it("writes what stringifyJson() writes, whatever changes from one chunk to the next", () => {
    const usage = { promptTokens: 1 };
    const chunks = [
      chunk(says("a")),
      chunk(says("b")),
      chunk({ ...says("c"), serviceTier: ServiceTier.FLEX }),
      chunk({ ...says("d"), extra: { more: 1, choices: 2 } }),
      chunk({ ...says("e"), extra: { more: 1, choices: 2 } }),
      chunk({ choices: [], usage }),
      chunk(says("f")),
      chunk({ choices: [] }),
      chunk({ ...says("g"), created: 8n }),
    ];
    for (const options of [{}, { without: "usage" }, { nulls: false }]) {
      const stringify = compileStreamStringifier(ChatCompletionChunkSchema, CONTENT, options)();
      const texts = chunks.map((each) => stringify(each));
      expect(texts).toEqual(chunks.map((each) => stringifyJson(ChatCompletionChunkSchema, each, options)));
    }
  });

  it("does so for any sequence of chunks", () => {
    const sequences = fc.array(arbitraryMessage(ChatCompletionChunkSchema), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(sequences, fc.array(fc.nat(3), { maxLength: 8 }), (chunks, order) => {
        const stringify = compileStreamStringifier(ChatCompletionChunkSchema, CONTENT)();
        for (const index of order) {
          const each = chunks[index % chunks.length] as ChatCompletionChunk;
          expect(stringify(each)).toBe(stringifyJson(ChatCompletionChunkSchema, each));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("writes chunks that differ in one text only", () => {
    const stringify = compileStreamStringifier(ChatCompletionChunkSchema, CONTENT)();
    const logprobs = { content: [{ token: "b", logprob: -1 }] };
    const chunks = [
      chunk(says("a")),
      chunk(says('"the text"\n')),
      chunk(says("")),
      chunk(says("\ud83e")),
      chunk({ choices: [{ index: 1, delta: { content: "b" } }] }),
      chunk({ choices: [{ index: 1, delta: { content: "c", refusal: "no" } }] }),
      chunk({ choices: [{ index: 1, delta: { content: "d" }, logprobs }] }),
      chunk({ choices: [{ index: 1, delta: { content: "e" }, logprobs }] }),
      chunk({ choices: [{ index: 1, delta: { content: "f", toolCalls: [{ index: 0 }] } }] }),
      chunk({ choices: [{ index: 1, delta: { content: "g" }, extra: { more: 1 } }] }),
      chunk({ choices: [{ index: 1, delta: {} }] }),
      chunk({ choices: [{ index: 1 }] }),
      chunk({ id: "the text", ...says("h") }),
      chunk({ id: "the text", ...says("i") }),
      chunk({ choices: [...says("j").choices, ...says("k").choices] }),
      chunk(says("l")),
    ];
    for (const each of [...chunks, ...chunks.flatMap((one) => [one, one]), ...chunks.toReversed()])
      expect(stringify(each)).toBe(stringifyJson(ChatCompletionChunkSchema, each));
  });

  it("sees what changes within a message that it has written", () => {
    const stringify = compileStreamStringifier(ChatCompletionChunkSchema, CONTENT)();
    const each = chunk({ ...says("a"), usage: { promptTokens: 1 } });
    expect(stringify(each)).toContain('"prompt_tokens":1');
    each.usage!.promptTokens = 2;
    expect(stringify(each)).toContain('"prompt_tokens":2');
  });

  it("names the place of what cannot be written", () => {
    const stringify = compileStreamStringifier(ChatCompletionChunkSchema, CONTENT)();
    stringify(chunk(says("a")));
    const logprobs = { content: [{ token: "b", logprob: Number.NaN }] };
    expect(caught(() => stringify(chunk({ choices: [{ index: 0, logprobs }] })))).toMatchObject({
      details: { param: "choices[0].logprobs.content[0].logprob" },
    });
  });

  it("refuses a field that cannot vary alone", () => {
    expect(() => compileStreamStringifier(ChatCompletionChunkSchema, ["usage", "delta", "content"])).toThrow();
    expect(() => compileStreamStringifier(ChatCompletionChunkSchema, ["choices", "delta", "nothing"])).toThrow(
      'there is no text "nothing"',
    );
  });
});
