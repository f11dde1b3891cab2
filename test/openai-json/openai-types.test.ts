import type { DescMessage, JsonObject, MessageShape } from "@bufbuild/protobuf";
import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions";
import type { Model } from "openai/resources/models";
import { describe, expect, it } from "vitest";
import { ChatCompletionChunkSchema, ChatCompletionSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { ModelSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { planOf } from "../../src/openai-json/compile-plan.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { encodeJson } from "../../src/openai-json/encode.ts";
import { FULL_REQUEST, REQUESTS } from "./support/openai-requests.ts";

/** Decodes what a client of OpenAI's types sends or gets; fails the test if a key of it is not known. */
function decodeKnown<Desc extends DescMessage>(desc: Desc, json: object): MessageShape<Desc> {
  const message = decodeJson(desc, json as JsonObject, { unknownKeys: "reject" });
  expect(keptUnknown(message)).toEqual([]);
  return message;
}

/** The catch-all fields of a message and those below it. */
function keptUnknown(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "extra" && inner !== undefined ? [inner] : keptUnknown(inner),
  );
}

describe("the parameters of OpenAI's types", () => {
  it("are those of the contract, which has two more", () => {
    const ours = [...planOf(ChatCompletionParamsSchema).slots.keys()];
    // FULL_REQUEST has every key of OpenAI's type, and no other: the compiler sees to that.
    expect(ours.toSorted()).toEqual([...Object.keys(FULL_REQUEST), "top_k", "async"].toSorted());
  });

  it.each(REQUESTS)("are all known (%s)", (_, request) => {
    decodeKnown(ChatCompletionParamsSchema, request);
  });

  it("come back as they were", () => {
    const message = decodeKnown(ChatCompletionParamsSchema, FULL_REQUEST);
    expect(encodeJson(ChatCompletionParamsSchema, message, { nulls: false })).toEqual(withoutNulls(FULL_REQUEST));
  });
});

/** The request without what is null, but for content, and with one text part where there is one, as a plain string. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key, inner]) => inner !== null || key === "content");
  return Object.fromEntries(entries.map(([key, inner]) => [key, oneText(inner) ?? withoutNulls(inner)]));
}

function oneText(value: unknown): unknown {
  if (!Array.isArray(value) || value.length !== 1) return undefined;
  const part: unknown = value[0];
  const isBare = typeof part === "object" && part !== null && Object.keys(part).sort().join() === "text,type";
  return isBare && "text" in part ? part.text : undefined;
}

const LOGPROB = { token: "Hi", logprob: -0.5, bytes: [72, 105] };

const DETAILS = {
  prompt_tokens_details: {
    cached_tokens: 1,
    cache_write_tokens: 2,
    audio_tokens: 3,
    image_tokens: 4,
    text_tokens: 5,
  },
  completion_tokens_details: {
    reasoning_tokens: 1,
    audio_tokens: 2,
    accepted_prediction_tokens: 3,
    rejected_prediction_tokens: 4,
    text_tokens: 5,
  },
} satisfies Partial<ChatCompletion["usage"]>;

const MODERATION = {
  input: {
    type: "moderation_results",
    model: "omni",
    results: [
      {
        type: "moderation_result",
        model: "omni",
        flagged: false,
        categories: { violence: false },
        category_scores: { violence: 0.1 },
        category_applied_input_types: { violence: ["text"] },
      },
    ],
  },
  output: { type: "error", code: "c", message: "m" },
} satisfies ChatCompletion["moderation"];

/** A completion with every key of OpenAI's type. */
const COMPLETION = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1790000000,
  model: "m",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: "Hi",
        refusal: null,
        annotations: [
          { type: "url_citation", url_citation: { start_index: 0, end_index: 2, title: "t", url: "https://x" } },
        ],
        audio: { id: "a", data: "QQ==", expires_at: 1790000000, transcript: "Hi" },
        function_call: { name: "f", arguments: "{}" },
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } },
          { id: "call_2", type: "custom", custom: { name: "c", input: "x" } },
        ],
      },
      finish_reason: "tool_calls",
      logprobs: { content: [{ ...LOGPROB, top_logprobs: [{ ...LOGPROB, bytes: null }] }], refusal: null },
    },
    {
      index: 1,
      message: { role: "assistant", content: null, refusal: "No." },
      finish_reason: "content_filter",
      logprobs: null,
    },
  ],
  metadata: { a: "b" },
  moderation: MODERATION,
  service_tier: "scale",
  system_fingerprint: "fp",
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, ...DETAILS },
} satisfies Required<ChatCompletion>;

/** Chunks with every key of OpenAI's type. */
const CHUNKS = [
  {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1790000000,
    model: "m",
    choices: [
      {
        index: 0,
        delta: {
          role: "assistant",
          content: null,
          refusal: "No",
          audio: { id: "a", data: "QQ==", expires_at: 1790000000, transcript: "Hi" },
          function_call: { name: "f", arguments: "" },
          tool_calls: [
            { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } },
            { index: 1, id: "call_2", type: "custom", custom: { name: "c", input: "" } },
          ],
        },
        finish_reason: null,
        logprobs: { content: null, refusal: [{ ...LOGPROB, top_logprobs: [] }] },
      },
      { index: 1, delta: {}, finish_reason: "stop" },
    ],
    moderation: MODERATION,
    service_tier: "fast",
    system_fingerprint: "fp",
    usage: null,
    obfuscation: "pad",
  },
  {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1790000000,
    model: "m",
    choices: [],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, ...DETAILS },
  },
] satisfies [Required<ChatCompletionChunk>, ChatCompletionChunk];

const MODEL = {
  id: "a/b",
  object: "model",
  created: 1790000000,
  owned_by: "a",
  shutdown_date: "2026-12-31",
} satisfies Required<Model>;

describe("the answers of OpenAI's types", () => {
  it.each<[string, DescMessage, object]>([
    ["a completion", ChatCompletionSchema, COMPLETION],
    ["a chunk", ChatCompletionChunkSchema, CHUNKS[0]],
    ["the last chunk", ChatCompletionChunkSchema, CHUNKS[1]],
    ["a model", ModelSchema, MODEL],
  ])("are known, and written as they were read (%s)", (_, desc, answer) => {
    expect(encodeJson(desc, decodeKnown(desc, answer))).toStrictEqual(answer);
  });
});
