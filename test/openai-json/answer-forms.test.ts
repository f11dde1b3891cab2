import { type DescMessage, fromJson, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, it } from "vitest";
import { ExplainChatCompletionResponseSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import {
  ChatCompletionChunkSchema,
  ChatCompletionSchema,
  DeltaSchema,
  FinishReason,
  LogprobsSchema,
  ModerationFindingSchema,
  ModerationOutcomeSchema,
  ServiceTier,
  ToolCallDelta_Type,
  UsageSchema,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ImageUrl_Detail, MessageSchema, ReasoningDetail_Type, Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ListModelsResponseSchema, Modality } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { type Form, form } from "./support/form.ts";

function answer<Desc extends DescMessage>(
  desc: Desc,
  name: string,
  json: JsonObject,
  init: MessageInitShape<Desc>,
  written?: JsonObject,
): Form {
  return form("answer", desc, name, json, init, written);
}

const completion = { id: "chatcmpl-1", object: "chat.completion", created: 1790000000, model: "sandbox/eliza" };
const chunk = { ...completion, object: "chat.completion.chunk" };
const head = { id: "chatcmpl-1", created: 1790000000n, model: "sandbox/eliza" };

describe("OpenAI's completions", () => {
  it.each<Form>([
    answer(
      ChatCompletionSchema,
      "text",
      {
        ...completion,
        choices: [
          {
            index: 0,
            message: { role: "assistant", content: "Hi", refusal: null },
            finish_reason: "stop",
            logprobs: null,
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
        service_tier: "default",
        system_fingerprint: "fp_1",
      },
      {
        ...head,
        choices: [
          {
            message: { role: Role.ASSISTANT, content: [{ kind: { case: "text", value: "Hi" } }] },
            finishReason: FinishReason.STOP,
          },
        ],
        usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 },
        serviceTier: ServiceTier.DEFAULT,
        systemFingerprint: "fp_1",
      },
    ),
    answer(
      ChatCompletionSchema,
      "calls, with nulls for what is unset",
      {
        ...completion,
        choices: [
          {
            index: 1,
            message: {
              role: "assistant",
              content: null,
              refusal: null,
              tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
            },
            finish_reason: "tool_calls",
            native_finish_reason: "tool_use",
            logprobs: null,
          },
        ],
        metadata: { a: "b" },
      },
      {
        ...head,
        choices: [
          {
            index: 1,
            message: {
              role: Role.ASSISTANT,
              toolCalls: [{ id: "call_1", kind: { case: "function", value: { name: "f", arguments: "{}" } } }],
            },
            finishReason: FinishReason.TOOL_CALLS,
            nativeFinishReason: "tool_use",
          },
        ],
        metadata: { a: "b" },
      },
    ),
    answer(
      ChatCompletionSchema,
      "no choices, and a choice without anything",
      { ...completion, choices: [{ index: 0, finish_reason: null, logprobs: null }], service_tier: null, usage: null },
      { ...head, choices: [{}] },
      { ...completion, choices: [{ index: 0, finish_reason: null, logprobs: null }] },
    ),
    answer(ChatCompletionSchema, "no choices", { ...completion, choices: [] }, head),
    answer(
      ChatCompletionSchema,
      "keys that are not known",
      {
        ...completion,
        choices: [{ index: 0, finish_reason: null, logprobs: null, content_filter_results: {} }],
        provider: "x",
        usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, cost: 0.1 },
      },
      {
        ...head,
        choices: [{ extra: { content_filter_results: {} } }],
        usage: { extra: { cost: 0.1 } },
        extra: { provider: "x" },
      },
    ),
    answer(
      MessageSchema,
      "what OpenAI does not have",
      {
        role: "assistant",
        content: "See [1].",
        refusal: null,
        annotations: [
          {
            type: "url_citation",
            url_citation: { start_index: 4, end_index: 7, title: "T", url: "https://x" },
          },
          {
            type: "url_citation",
            url_citation: { start_index: 0, end_index: 0, title: "", url: "" },
            index: 1,
          },
        ],
        images: [{ type: "image_url", image_url: { url: "data:,", detail: "auto" }, index: 0 }],
        audio: { id: "audio_1", data: "QQ==", expires_at: 1790000000, transcript: "Hi" },
      },
      {
        role: Role.ASSISTANT,
        content: [{ kind: { case: "text", value: "See [1]." } }],
        annotations: [
          { kind: { case: "urlCitation", value: { startIndex: 4, endIndex: 7, title: "T", url: "https://x" } } },
          { kind: { case: "urlCitation", value: {} }, index: 1 },
        ],
        images: [{ imageUrl: { url: "data:,", detail: ImageUrl_Detail.AUTO } }],
        audio: { id: "audio_1", data: "QQ==", expiresAt: 1790000000n, transcript: "Hi" },
      },
    ),
    answer(
      LogprobsSchema,
      "log probabilities",
      {
        content: [
          {
            token: "é",
            logprob: -0.5,
            bytes: [195, 169],
            top_logprobs: [{ token: "é", logprob: -0.5, bytes: null }],
          },
          { token: "", logprob: -9999, bytes: [], top_logprobs: [] },
          { token: "x", logprob: 0, bytes: null, top_logprobs: [] },
        ],
        refusal: null,
      },
      {
        content: [
          {
            token: "é",
            logprob: -0.5,
            bytes: Uint8Array.of(195, 169),
            topLogprobs: [{ token: "é", logprob: -0.5 }],
          },
          { logprob: -9999, bytes: Uint8Array.of() },
          { token: "x" },
        ],
      },
    ),
    answer(
      UsageSchema,
      "usage with all details",
      {
        prompt_tokens: 10,
        completion_tokens: 20,
        total_tokens: 30,
        prompt_tokens_details: {
          cached_tokens: 1,
          cache_write_tokens: 2,
          audio_tokens: 0,
          image_tokens: 3,
          text_tokens: 4,
        },
        completion_tokens_details: {
          reasoning_tokens: 1,
          audio_tokens: 0,
          accepted_prediction_tokens: 2,
          rejected_prediction_tokens: 3,
          text_tokens: 4,
        },
        cache_creation_input_tokens: 2,
        cache_read_input_tokens: 1,
      },
      {
        promptTokens: 10,
        completionTokens: 20,
        totalTokens: 30,
        promptTokensDetails: { cachedTokens: 1, cacheWriteTokens: 2, audioTokens: 0, imageTokens: 3, textTokens: 4 },
        completionTokensDetails: {
          reasoningTokens: 1,
          audioTokens: 0,
          acceptedPredictionTokens: 2,
          rejectedPredictionTokens: 3,
          textTokens: 4,
        },
        cacheCreationInputTokens: 2,
        cacheReadInputTokens: 1,
      },
    ),
    answer(
      ModerationOutcomeSchema,
      "moderation, done and failed",
      {
        input: {
          type: "moderation_results",
          model: "omni",
          results: [
            {
              type: "moderation_result",
              flagged: true,
              model: "omni",
              categories: { violence: true, "self-harm": false },
              category_scores: { violence: 0.9, "self-harm": 0 },
              category_applied_input_types: { violence: ["text", "image"], "self-harm": [] },
            },
          ],
        },
        output: { type: "error", code: "timeout", message: "It took too long." },
      },
      {
        input: {
          kind: {
            case: "moderationResults",
            value: {
              model: "omni",
              results: [
                {
                  flagged: true,
                  model: "omni",
                  categories: { violence: true, "self-harm": false },
                  categoryScores: { violence: 0.9, "self-harm": 0 },
                  categoryAppliedInputTypes: {
                    violence: fromJson(ListValueSchema, ["text", "image"]),
                    "self-harm": fromJson(ListValueSchema, []),
                  },
                },
              ],
            },
          },
        },
        output: { kind: { case: "error", value: { code: "timeout", message: "It took too long." } } },
      },
    ),
    answer(
      ModerationFindingSchema,
      "a finding that is empty",
      { type: "moderation_results" },
      { kind: { case: "moderationResults", value: {} } },
      { type: "moderation_results", model: "", results: [] },
    ),
    answer(ModerationFindingSchema, "no finding", {}, {}),
  ])("$name", ({ check }) => check());
});

describe("OpenAI's chunks", () => {
  const framed = (name: string, choice: JsonObject, init: NonNullable<ChunkInit["choices"]>[number]): Form =>
    answer(ChatCompletionChunkSchema, name, { ...chunk, choices: [choice], usage: null }, { ...head, choices: [init] });
  type ChunkInit = MessageInitShape<typeof ChatCompletionChunkSchema>;

  it.each<Form>([
    framed(
      "the role",
      { index: 0, delta: { role: "assistant", content: "", refusal: null }, finish_reason: null },
      { delta: { role: Role.ASSISTANT, content: "" } },
    ),
    framed(
      "the role before a call",
      { index: 0, delta: { role: "assistant", content: null, refusal: null }, finish_reason: null },
      { delta: { role: Role.ASSISTANT } },
    ),
    form("request", DeltaSchema, "the role, without nulls", { role: "assistant" }, { role: Role.ASSISTANT }),
    answer(DeltaSchema, "the role, with nulls", { role: "user", content: null, refusal: null }, { role: Role.USER }),
    framed("text", { index: 3, delta: { content: "Hi" }, finish_reason: null }, { index: 3, delta: { content: "Hi" } }),
    framed(
      "the finish",
      { index: 0, delta: {}, finish_reason: "length", native_finish_reason: "max_tokens" },
      { delta: {}, finishReason: FinishReason.LENGTH, nativeFinishReason: "max_tokens" },
    ),
    framed(
      "calls",
      {
        index: 0,
        delta: {
          tool_calls: [
            { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } },
            { index: 1, id: "call_2", type: "custom", custom: { name: "c", input: "" }, extra_content: {} },
            { index: 0, function: { arguments: "{}" } },
            { index: 1, custom: { input: "x" } },
          ],
          function_call: { name: "f", arguments: "{" },
        },
        finish_reason: null,
      },
      {
        delta: {
          toolCalls: [
            { index: 0, id: "call_1", type: ToolCallDelta_Type.FUNCTION, function: { name: "f", arguments: "" } },
            {
              index: 1,
              id: "call_2",
              type: ToolCallDelta_Type.CUSTOM,
              custom: { name: "c", input: "" },
              extraContent: {},
            },
            { index: 0, function: { arguments: "{}" } },
            { index: 1, custom: { input: "x" } },
          ],
          functionCall: { name: "f", arguments: "{" },
        },
      },
    ),
    framed(
      "log probabilities",
      { index: 0, delta: {}, finish_reason: null, logprobs: { content: null, refusal: null } },
      { delta: {}, logprobs: {} },
    ),
    answer(
      ChatCompletionChunkSchema,
      "the usage",
      { ...chunk, choices: [], usage: { prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 } },
      { ...head, usage: { promptTokens: 1, totalTokens: 1 } },
    ),
    answer(
      ChatCompletionChunkSchema,
      "obfuscation",
      { ...chunk, choices: [], usage: null, obfuscation: "x" },
      { ...head, obfuscation: "x" },
    ),
    answer(
      DeltaSchema,
      "what OpenAI does not have",
      {
        refusal: "No",
        audio: { id: "audio_1", data: "QQ==", expires_at: 1790000000, transcript: "" },
        reasoning_content: "Hm",
        reasoning_details: [{ type: "reasoning.text", text: "Hm", index: 0 }, { index: 0 }],
        annotations: [{ index: 0 }],
        images: [{ type: "image_url", index: 1 }],
        x: [null],
      },
      {
        refusal: "No",
        audio: { id: "audio_1", data: "QQ==", expiresAt: 1790000000n, transcript: "" },
        reasoningContent: "Hm",
        reasoningDetails: [{ type: ReasoningDetail_Type.TEXT, text: "Hm" }, {}],
        annotations: [{ index: 0 }],
        images: [{ index: 1 }],
        extra: { x: [null] },
      },
    ),
  ])("$name", ({ check }) => check());
});

describe("Parley's other answers", () => {
  it.each<Form>([
    answer(ListModelsResponseSchema, "no models", { object: "list", data: [] }, {}),
    answer(
      ListModelsResponseSchema,
      "models",
      {
        object: "list",
        data: [
          { object: "model", id: "a/b", created: 0, owned_by: "a" },
          {
            object: "model",
            id: "a/c",
            created: 1790000000,
            owned_by: "a",
            description: "d",
            context_window: 1,
            max_output_tokens: 2,
            input_modalities: ["text", "image"],
            output_modalities: ["audio"],
            shutdown_date: "2026-12-31",
          },
        ],
      },
      {
        models: [
          { id: "a/b", ownedBy: "a" },
          {
            id: "a/c",
            created: 1790000000n,
            ownedBy: "a",
            description: "d",
            contextWindow: 1,
            maxOutputTokens: 2,
            inputModalities: [Modality.TEXT, Modality.IMAGE],
            outputModalities: [Modality.AUDIO],
            shutdownDate: "2026-12-31",
          },
        ],
      },
    ),
    answer(
      ExplainChatCompletionResponseSchema,
      "an explanation",
      {
        provider: "sandbox",
        model: "eliza",
        adjustments: [
          { path: "n", action: "clamped", before: 128, after: 8, reason: "r" },
          { path: "logit_bias", action: "dropped", before: { "1": [true, null, "x"] }, reason: "" },
        ],
        prompt_tokens: 7,
        candidates: [
          {
            target: "sandbox/eliza",
            answers_as: "auto",
            rank: 1,
            exclusions: [],
            breaker: "closed",
            available_in: "1.5s",
            in_flight: 2,
            waiting: 0,
            latency: "0.02s",
            estimated_cost_nano_dollars: 12,
          },
          {
            target: "a/b",
            answers_as: "a/b",
            rank: 0,
            exclusions: [{ reason: "unsupported_parameter", path: "tools", description: "d" }],
            in_flight: 0,
            waiting: 0,
          },
        ],
        estimated_prompt_tokens: 9,
      },
      {
        provider: "sandbox",
        model: "eliza",
        adjustments: [
          {
            path: "n",
            action: 3,
            before: { kind: { case: "numberValue", value: 128 } },
            after: { kind: { case: "numberValue", value: 8 } },
            reason: "r",
          },
          { path: "logit_bias", action: 2, before: fromJson(ValueSchema, { "1": [true, null, "x"] }) },
        ],
        promptTokens: 7,
        candidates: [
          {
            target: "sandbox/eliza",
            answersAs: "auto",
            rank: 1,
            breaker: 1,
            availableIn: { seconds: 1n, nanos: 500_000_000 },
            inFlight: 2,
            latency: { nanos: 20_000_000 },
            estimatedCostNanoDollars: 12n,
          },
          { target: "a/b", answersAs: "a/b", exclusions: [{ reason: 5, path: "tools", description: "d" }] },
        ],
        estimatedPromptTokens: 9,
      },
    ),
  ])("$name", ({ check }) => check());
});
