import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { createStreamGrammar } from "../../src/gateway/stream-grammar.ts";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionSchema,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { chunksOf } from "../../src/upstream/chunks-of-completion.ts";
import { fold } from "../support/fold.ts";

/** An answer with everything that an answer can have, in two choices. */
const FULL = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  system_fingerprint: "fp",
  service_tier: "default",
  choices: [
    {
      index: 0,
      finish_reason: "tool_calls",
      native_finish_reason: "TOOLS",
      logprobs: {
        content: [{ token: "a", logprob: -1, bytes: [97], top_logprobs: [{ token: "b", logprob: -2, bytes: [98] }] }],
        refusal: null,
      },
      message: {
        role: "assistant",
        content: "a 😀",
        refusal: null,
        reasoning_content: "thinking",
        reasoning_details: [{ type: "reasoning.encrypted", data: "S", id: "call_1", format: "f", index: 0 }],
        annotations: [
          {
            type: "url_citation",
            url_citation: { start_index: 0, end_index: 1, title: "A", url: "https://a.example" },
          },
          {
            type: "url_citation",
            url_citation: { start_index: 1, end_index: 2, title: "B", url: "https://b.example" },
          },
        ],
        images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" }, index: 0 }],
        audio: { id: "audio_1", data: "AAAA", expires_at: 5, transcript: "hi" },
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "f", arguments: "{}" }, extra_content: { a: 1 } },
          { id: "call_2", type: "custom", custom: { name: "c", input: "text" } },
        ],
      },
    },
    { index: 1, finish_reason: "content_filter", message: { role: "assistant", content: null, refusal: "no" } },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};

/** What clients get of the chunks of an answer, folded. */
function folded(completion: ChatCompletion): ChatCompletion {
  const { id, created, model, choices } = completion;
  const grammar = createStreamGrammar({ id, created, model }, choices.length);
  const chunks: ChatCompletionChunk[] = [];
  for (const chunk of chunksOf(completion)) grammar.push(chunk, chunks);
  const last = grammar.finish();
  return fold(last === undefined ? chunks : [...chunks, last]);
}

const parse = (json: object): ChatCompletion => decodeJson(ChatCompletionSchema, JSON.parse(JSON.stringify(json)));

describe("chunksOf()", () => {
  it("makes chunks that are the answer when they are folded", () => {
    const answer = parse(FULL);
    const whole = folded(parse(FULL));
    expect(whole.choices).toEqual(answer.choices);
    expect(whole).toMatchObject({ systemFingerprint: "fp", serviceTier: answer.serviceTier });
    expect(whole.usage).toMatchObject({ promptTokens: 1, completionTokens: 2, totalTokens: 3 });
  });

  it("gives each call and each citation its index, and has the call of the legacy form", () => {
    const [first] = chunksOf(parse(FULL));
    expect(first?.choices[0]?.delta?.annotations.map(({ index }) => index)).toEqual([0, 1]);
    expect(first?.choices[0]?.delta?.toolCalls.map(({ index, id }) => [index, id])).toEqual([
      [0, "call_1"],
      [1, "call_2"],
    ]);
    const legacy = { role: "assistant", content: null, function_call: { name: "f", arguments: '{"a":1}' } };
    const answer = { ...FULL, choices: [{ index: 0, finish_reason: "function_call", message: legacy }] };
    expect(folded(parse(answer)).choices).toEqual(parse(answer).choices);
  });

  it("keeps what is not known of a message and of a choice, and ends without usage where there is none", () => {
    const answer = create(ChatCompletionSchema, {
      choices: [{ index: 0, finishReason: 1, message: { role: 4, extra: { mood: "good" } }, extra: { seed: 7 } }],
    });
    expect(chunksOf(answer).map(({ choices, usage }) => [choices[0]?.delta?.extra, choices[0]?.extra, usage])).toEqual([
      [{ mood: "good" }, undefined, undefined],
      [undefined, { seed: 7 }, undefined],
      [undefined, undefined, undefined],
    ]);
  });
});
