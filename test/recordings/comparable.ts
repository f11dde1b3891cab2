import {
  type ChatCompletion,
  type Choice,
  FinishReason,
  ServiceTier,
  type TokenLogprob,
  type Usage,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { type Message, type ReasoningDetail, ReasoningDetail_Type } from "../../src/gen/parley/chat/v1/message_pb.ts";
import type { ToolCall } from "../../src/gen/parley/chat/v1/tool_pb.ts";
import {
  type Answer,
  type AnswerCall,
  type AnswerChoice,
  type AnswerDetail,
  type AnswerLogprob,
  type AnswerUsage,
  parseInput,
} from "./reading/reading.ts";

/** An answer of the gateway in the form of readings. What is the gateway's own, such as the id, is left out. */
export function comparable({ choices, usage, serviceTier, systemFingerprint }: ChatCompletion): Answer {
  return {
    choices: choices.map(choiceOf),
    usage: usage && usageOf(usage),
    serviceTier: serviceTier === ServiceTier.UNSPECIFIED ? undefined : ServiceTier[serviceTier].toLowerCase(),
    systemFingerprint,
    endings: choices.map(({ nativeFinishReason, extra }) => ({
      native: nativeFinishReason,
      sequence: extra?.["stop_reason"] as string | undefined,
    })),
  };
}

function choiceOf({ message, finishReason, logprobs }: Choice): AnswerChoice {
  const { content, refusal, reasoningContent, reasoningDetails, toolCalls, functionCall, annotations, images, audio } =
    message as Message;
  return {
    content: content.map(({ kind }) => (kind.case === "text" ? kind.value : `<${kind.case}>`)).join(""),
    refusal,
    reasoning: reasoningContent ?? "",
    details: reasoningDetails.map((detail) => detailOf(detail, toolCalls)),
    calls: toolCalls.map(callOf),
    functionCall: functionCall && { name: functionCall.name, input: parseInput(functionCall.arguments) },
    finish: FinishReason[finishReason].toLowerCase(),
    annotations: annotations.flatMap(({ kind: { value } }) =>
      value === undefined ? [] : [{ from: value.startIndex, to: value.endIndex, title: value.title, url: value.url }],
    ),
    images: images.map(({ imageUrl }) => imageUrl?.url ?? ""),
    logprobs: (logprobs?.content ?? []).map(logprobOf),
    audio: audio && { id: audio.id, data: audio.data ?? "", transcript: audio.transcript ?? "" },
  };
}

function callOf({ id, kind, extraContent }: ToolCall): AnswerCall {
  const shared = { id, extraContent };
  if (kind.case === "custom") return { ...shared, type: "custom", name: kind.value.name, input: kind.value.input };
  const { name = "", arguments: text = "" } = kind.value ?? {};
  return { ...shared, type: "function", name, input: parseInput(text) };
}

function detailOf(detail: ReasoningDetail, calls: readonly ToolCall[]): AnswerDetail {
  const call = calls.findIndex(({ id }) => id === detail.id);
  return {
    type: `reasoning.${ReasoningDetail_Type[detail.type].toLowerCase()}`,
    text: detail.text ?? detail.summary ?? "",
    data: detail.data ?? "",
    signature: detail.signature ?? "",
    call: call < 0 ? undefined : call,
  };
}

const logprobOf = ({ token, logprob, bytes, topLogprobs }: TokenLogprob): AnswerLogprob => ({
  token,
  logprob,
  bytes: bytes && [...bytes],
  top: topLogprobs.map((top) => ({ token: top.token, logprob: top.logprob })),
});

function usageOf({ promptTokens, completionTokens, totalTokens, ...usage }: Usage): AnswerUsage {
  const { promptTokensDetails: prompt, completionTokensDetails: completion } = usage;
  return {
    prompt: promptTokens,
    completion: completionTokens,
    total: totalTokens,
    cached: prompt?.cachedTokens ?? 0,
    cacheWrite: prompt?.cacheWriteTokens ?? 0,
    reasoning: completion?.reasoningTokens ?? 0,
    promptAudio: prompt?.audioTokens ?? 0,
    completionAudio: completion?.audioTokens ?? 0,
    accepted: completion?.acceptedPredictionTokens ?? 0,
    rejected: completion?.rejectedPredictionTokens ?? 0,
  };
}
