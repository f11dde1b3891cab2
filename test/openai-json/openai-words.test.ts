/** The words of OpenAI's types are the words of the contract: the compiler sees to it that a table has all of a type's, and no other. */
import type { DescEnum } from "@bufbuild/protobuf";
import type {
  ChatCompletion,
  ChatCompletionAllowedTools,
  ChatCompletionAudioParam,
  ChatCompletionChunk,
  ChatCompletionContentPartImage,
  ChatCompletionContentPartInputAudio,
  ChatCompletionContentPartText,
  ChatCompletionCreateParams,
  ChatCompletionCreateParamsBase,
  ChatCompletionCustomTool,
  ChatCompletionRole,
  ChatCompletionToolChoiceOption,
} from "openai/resources/chat/completions";
import { describe, expect, it } from "vitest";
import {
  FinishReasonSchema,
  ServiceTierSchema,
  ToolCallDelta_TypeSchema,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import {
  ImageUrl_DetailSchema,
  InputAudio_FormatSchema,
  PromptCacheBreakpoint_ModeSchema,
  RoleSchema,
} from "../../src/gen/parley/chat/v1/message_pb.ts";
import {
  AudioParams_FormatSchema,
  ModerationRule_ModeSchema,
  OutputModalitySchema,
  PromptCacheOptions_ModeSchema,
  PromptCacheRetentionSchema,
  ReasoningEffortSchema,
  VerbositySchema,
  WebSearchOptions_SearchContextSizeSchema,
} from "../../src/gen/parley/chat/v1/params_pb.ts";
import {
  AllowedTools_ModeSchema,
  FunctionCallChoice_ModeSchema,
  Grammar_SyntaxSchema,
  ToolChoice_ModeSchema,
} from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { enumWords } from "../../src/openai-json/words.ts";

type Params = ChatCompletionCreateParamsBase;
/** Each string of a union, once. */
type Words<Union> = Readonly<Record<Extract<Union, string>, true>>;
type Grammar = Extract<ChatCompletionCustomTool.Custom["format"], { type: "grammar" }>["grammar"];
type Mode = ChatCompletionCreateParams.Moderation.Policy.Input["mode"];
type CallDelta = ChatCompletionChunk.Choice.Delta.ToolCall;

const role: Words<ChatCompletionRole> = {
  developer: true,
  system: true,
  user: true,
  assistant: true,
  tool: true,
  function: true,
};
const finishReason: Words<ChatCompletion.Choice["finish_reason"]> = {
  stop: true,
  length: true,
  tool_calls: true,
  content_filter: true,
  function_call: true,
};
const serviceTier: Words<Params["service_tier"] | ChatCompletion["service_tier"]> = {
  auto: true,
  default: true,
  flex: true,
  scale: true,
  priority: true,
  fast: true,
};
const reasoningEffort: Words<Params["reasoning_effort"]> = {
  none: true,
  minimal: true,
  low: true,
  medium: true,
  high: true,
  xhigh: true,
  max: true,
};
const verbosity: Words<Params["verbosity"]> = { low: true, medium: true, high: true };
const modality: Words<NonNullable<Params["modalities"]>[number]> = { text: true, audio: true };
const voiceFormat: Words<ChatCompletionAudioParam["format"]> = {
  wav: true,
  aac: true,
  mp3: true,
  flac: true,
  opus: true,
  pcm16: true,
};
const inputFormat: Words<ChatCompletionContentPartInputAudio.InputAudio["format"]> = { wav: true, mp3: true };
const detail: Words<ChatCompletionContentPartImage.ImageURL["detail"]> = {
  auto: true,
  low: true,
  high: true,
  original: true,
};
const retention: Words<Params["prompt_cache_retention"]> = { in_memory: true, "24h": true };
const cacheMode: Words<ChatCompletionCreateParams.PromptCacheOptions["mode"]> = { implicit: true, explicit: true };
const breakpointMode: Words<ChatCompletionContentPartText.PromptCacheBreakpoint["mode"]> = { explicit: true };
const contextSize: Words<ChatCompletionCreateParams.WebSearchOptions["search_context_size"]> = {
  low: true,
  medium: true,
  high: true,
};
const moderationMode: Words<Mode> = { score: true, block: true };
const toolMode: Words<ChatCompletionToolChoiceOption> = { none: true, auto: true, required: true };
const allowedMode: Words<ChatCompletionAllowedTools["mode"]> = { auto: true, required: true };
const functionMode: Words<Params["function_call"]> = { none: true, auto: true };
const syntax: Words<Grammar["syntax"]> = { lark: true, regex: true };
const callType: Words<CallDelta["type"]> = { function: true, custom: true };

describe("the words of OpenAI's types", () => {
  it.each<[DescEnum, object]>([
    [RoleSchema, role],
    [FinishReasonSchema, finishReason],
    [ServiceTierSchema, serviceTier],
    [ReasoningEffortSchema, reasoningEffort],
    [VerbositySchema, verbosity],
    [OutputModalitySchema, modality],
    [AudioParams_FormatSchema, voiceFormat],
    [InputAudio_FormatSchema, inputFormat],
    [ImageUrl_DetailSchema, detail],
    [PromptCacheRetentionSchema, retention],
    [PromptCacheOptions_ModeSchema, cacheMode],
    [PromptCacheBreakpoint_ModeSchema, breakpointMode],
    [WebSearchOptions_SearchContextSizeSchema, contextSize],
    [ModerationRule_ModeSchema, moderationMode],
    [ToolChoice_ModeSchema, toolMode],
    [AllowedTools_ModeSchema, allowedMode],
    [FunctionCallChoice_ModeSchema, functionMode],
    [Grammar_SyntaxSchema, syntax],
    [ToolCallDelta_TypeSchema, callType],
  ])("are those of %s", (desc, words) => {
    expect([...enumWords(desc).numberOf.keys()].toSorted()).toEqual(Object.keys(words).toSorted());
  });
});
