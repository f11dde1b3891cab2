/** The gateway's fold: what chunks say is the answer that the call in one piece has. */
import { clone, create, toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { createFold } from "../../src/gateway/fold.ts";
import { createStreamGrammar } from "../../src/gateway/stream-grammar.ts";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  ChatCompletionSchema,
  FinishReason,
  ServiceTier,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { chunksOf } from "../../src/upstream/chunks-of-completion.ts";
import { choicesOf, openDecoder, readEvents } from "../recordings/in-process.ts";
import { readRecording } from "../recordings/reading/read.ts";
import { loadRecordings, titleOf } from "../recordings/recordings.ts";
import { fold } from "../support/fold.ts";

function folded(chunks: readonly ChatCompletionChunk[]): ChatCompletion {
  const mine = createFold();
  for (const chunk of chunks) mine.push(chunk);
  return mine.completion;
}

const asJson = (completion: ChatCompletion) => toJson(ChatCompletionSchema, completion);

const whole = (): ChatCompletion =>
  create(ChatCompletionSchema, {
    id: "chatcmpl-1",
    created: 1n,
    model: "m",
    systemFingerprint: "fp",
    serviceTier: ServiceTier.FLEX,
    usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3, extra: { a: 1 } },
    moderation: { input: { kind: { case: "error", value: { code: "c", message: "m" } } } },
    extra: { citations: ["a"] },
    choices: [
      {
        index: 0,
        finishReason: FinishReason.TOOL_CALLS,
        nativeFinishReason: "TOOLS",
        extra: { seed: 7 },
        logprobs: {
          content: [
            { token: "a", logprob: -1, bytes: new Uint8Array([97]), topLogprobs: [{ token: "b", logprob: -2 }] },
          ],
          refusal: [{ token: "r", logprob: -3 }],
        },
        message: {
          role: Role.ASSISTANT,
          content: [{ kind: { case: "text", value: "a 😀" } }],
          refusal: "no",
          reasoningContent: "thinking",
          reasoningDetails: [{ type: 1, text: "t", signature: "S", format: "f", id: "i", index: 0, extra: { b: 2 } }],
          annotations: [
            { kind: { case: "urlCitation", value: { endIndex: 1, title: "A", url: "https://a.example" } } },
          ],
          images: [{ imageUrl: { url: "data:image/png;base64,AAAA" } }],
          audio: { id: "audio_1", data: "AAAA", expiresAt: 5n, transcript: "hi" },
          toolCalls: [
            {
              id: "call_1",
              kind: { case: "function", value: { name: "f", arguments: "{}" } },
              extraContent: { a: 1 },
              extra: { c: 3 },
            },
            { id: "call_2", kind: { case: "custom", value: { name: "c", input: "text" } } },
          ],
          functionCall: { name: "g", arguments: "[]" },
          extra: { mood: "good" },
        },
      },
      { index: 1, finishReason: FinishReason.STOP, message: { role: Role.ASSISTANT } },
    ],
  });

describe("createFold()", () => {
  it("makes an answer of its own chunks", () => {
    expect(asJson(folded(chunksOf(whole())))).toEqual(asJson(whole()));
  });

  it("appends the pieces of texts, calls, reasoning and audio, and sets the rest", () => {
    const deltas = [
      { role: Role.ASSISTANT, content: "" },
      { content: "a", reasoningDetails: [{ type: 1, index: 0, text: "x" }] },
      { content: "b", reasoningDetails: [{ type: 1, index: 0, text: "y", signature: "S" }] },
      { toolCalls: [{ index: 0, id: "call_1", type: 1, function: { name: "f", arguments: "{" } }] },
      { toolCalls: [{ index: 1, id: "call_2", type: 2, custom: { name: "c", input: "1" } }] },
      { toolCalls: [{ index: 0, function: { arguments: "}" } }], audio: { id: "a", data: "A", transcript: "x" } },
      { toolCalls: [{ index: 1, custom: { input: "2" } }], audio: { data: "B", transcript: "y", expiresAt: 9n } },
    ];
    const chunks = deltas.map((delta) => create(ChatCompletionChunkSchema, { choices: [{ delta }] }));
    const before = chunks.map((chunk) => clone(ChatCompletionChunkSchema, chunk));
    expect(folded(chunks).choices[0]?.message).toMatchObject({
      content: [{ kind: { value: "ab" } }],
      reasoningDetails: [{ text: "xy", signature: "S" }],
      toolCalls: [
        { id: "call_1", kind: { value: { arguments: "{}" } } },
        { kind: { value: { name: "c", input: "12" } } },
      ],
      audio: { id: "a", data: "AB", transcript: "xy", expiresAt: 9n },
    });
    expect(chunks).toEqual(before);
  });

  const recordings = loadRecordings()
    .filter(
      ({ status, streaming, headers }) => status === 200 && streaming && !/json/.test(headers["content-type"] ?? ""),
    )
    .map((recording) => ({ title: titleOf(recording), recording, reading: readRecording(recording) }))
    .filter(({ reading }) => reading.kind === "answer");

  it.each(recordings)("says of $title what the stream says", ({ recording, reading }) => {
    const decoder = openDecoder(recording, reading);
    const grammar = createStreamGrammar({ id: "chatcmpl-1", created: 1n, model: "m" }, choicesOf(reading));
    const chunks: ChatCompletionChunk[] = [];
    const take = (made: readonly ChatCompletionChunk[]): void => {
      for (const chunk of made) grammar.push(chunk, chunks);
    };
    for (const event of readEvents([recording.body])) if (!decoder.isDone) take(decoder.push(event));
    if (!decoder.isDone) take(decoder.finish());
    const last = grammar.finish();
    if (last !== undefined) chunks.push(last);
    const { extra: _, moderation: __, ...mine } = folded(chunks);
    expect(asJson(mine)).toEqual(asJson(fold(chunks)));
  });
});
