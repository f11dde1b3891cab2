import { create } from "@bufbuild/protobuf";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  type Choice,
  type ChunkChoice,
  ChunkChoiceSchema,
  type Delta,
  DeltaSchema,
  type ToolCallDelta,
  ToolCallDelta_Type,
  ToolCallDeltaSchema,
} from "../gen/parley/chat/v1/completion_pb.ts";
import { type Message, MessageSchema, Role } from "../gen/parley/chat/v1/message_pb.ts";
import type { ToolCall } from "../gen/parley/chat/v1/tool_pb.ts";

/**
 * The chunks of an answer that came at once: for each choice what it says, and its end; then what it took. Folded, they are the
 * answer again.
 */
export function chunksOf(completion: ChatCompletion): ChatCompletionChunk[] {
  const { id, created, model, serviceTier, systemFingerprint, usage, moderation, extra } = completion;
  const chunkOf = (...choices: ChunkChoice[]): ChatCompletionChunk => {
    const chunk = create(ChatCompletionChunkSchema, { id, created, model, serviceTier, choices });
    if (systemFingerprint !== undefined) chunk.systemFingerprint = systemFingerprint;
    return chunk;
  };
  const chunks = completion.choices.flatMap((choice) => [chunkOf(saidBy(choice)), chunkOf(endOf(choice))]);
  const [first] = chunks;
  if (first !== undefined && extra !== undefined) first.extra = extra;
  const last = chunkOf();
  if (usage !== undefined) last.usage = usage;
  if (moderation !== undefined) last.moderation = moderation;
  return [...chunks, last];
}

function saidBy({ index, message, logprobs }: Choice): ChunkChoice {
  const said = create(ChunkChoiceSchema, { index, delta: deltaOf(message ?? create(MessageSchema)) });
  if (logprobs !== undefined) said.logprobs = logprobs;
  return said;
}

function endOf({ index, finishReason, nativeFinishReason, extra }: Choice): ChunkChoice {
  const end = create(ChunkChoiceSchema, { index, delta: {}, finishReason });
  if (nativeFinishReason !== undefined) end.nativeFinishReason = nativeFinishReason;
  if (extra !== undefined) end.extra = extra;
  return end;
}

function deltaOf(message: Message): Delta {
  const { content, refusal, functionCall, audio, reasoningContent, extra } = message;
  const delta = create(DeltaSchema, {
    role: Role.ASSISTANT,
    toolCalls: message.toolCalls.map(callOf),
    reasoningDetails: message.reasoningDetails,
    // In a stream, each element of a list says its place.
    annotations: message.annotations.map((annotation, index) => ({ ...annotation, index })),
    images: message.images,
  });
  const texts = content.flatMap(({ kind }) => (kind.case === "text" ? [kind.value] : []));
  const refusals = content.flatMap(({ kind }) => (kind.case === "refusal" ? [kind.value] : []));
  if (texts.length > 0) delta.content = texts.join("");
  if (refusal !== undefined || refusals.length > 0) delta.refusal = [refusal ?? "", ...refusals].join("");
  if (functionCall !== undefined)
    delta.functionCall = { ...functionCall, $typeName: "parley.chat.v1.FunctionCallDelta" };
  if (audio !== undefined) delta.audio = { ...audio, $typeName: "parley.chat.v1.AudioDelta" };
  if (reasoningContent !== undefined) delta.reasoningContent = reasoningContent;
  if (extra !== undefined) delta.extra = extra;
  return delta;
}

function callOf({ id, kind, extraContent, extra }: ToolCall, index: number): ToolCallDelta {
  const call = create(ToolCallDeltaSchema, { index, id });
  if (extraContent !== undefined) call.extraContent = extraContent;
  if (extra !== undefined) call.extra = extra;
  switch (kind.case) {
    case "function":
      call.type = ToolCallDelta_Type.FUNCTION;
      call.function = { ...kind.value, $typeName: "parley.chat.v1.FunctionCallDelta" };
      return call;
    case "custom":
      call.type = ToolCallDelta_Type.CUSTOM;
      call.custom = { ...kind.value, $typeName: "parley.chat.v1.CustomToolCallDelta" };
      return call;
    case undefined:
      return call;
  }
  return kind satisfies never;
}
