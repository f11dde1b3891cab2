import { create } from "@bufbuild/protobuf";
import { blankContentPart } from "../../gen/parley/chat/v1/blanks.ts";
import { type Choice, type ChunkChoice, type Delta, FinishReason } from "../../gen/parley/chat/v1/completion_pb.ts";
import { AudioSchema, type Message, Role } from "../../gen/parley/chat/v1/message_pb.ts";
import { FunctionCallSchema, type ToolCall, ToolCallSchema } from "../../gen/parley/chat/v1/tool_pb.ts";

/** Adds what is new to a choice. */
export function foldChoice(
  choice: Choice,
  { delta, finishReason, nativeFinishReason, logprobs, extra }: ChunkChoice,
): void {
  if (finishReason !== FinishReason.UNSPECIFIED) choice.finishReason = finishReason;
  if (nativeFinishReason !== undefined) choice.nativeFinishReason = nativeFinishReason;
  if (logprobs !== undefined) choice.logprobs = logprobs;
  if (extra !== undefined) choice.extra = extra;
  if (choice.message !== undefined && delta !== undefined) foldDelta(choice.message, delta);
}

function foldDelta(message: Message, delta: Delta): void {
  message.role = Role.ASSISTANT;
  foldTexts(message, delta);
  for (const call of delta.toolCalls) foldCall(message.toolCalls, call);
  if (delta.functionCall !== undefined) {
    message.functionCall ??= create(FunctionCallSchema);
    message.functionCall.name ||= delta.functionCall.name ?? "";
    message.functionCall.arguments += delta.functionCall.arguments ?? "";
  }
  if (delta.audio !== undefined) {
    const { id = "", data, expiresAt, transcript } = delta.audio;
    message.audio = create(AudioSchema, { id });
    if (data !== undefined) message.audio.data = data;
    if (expiresAt !== undefined) message.audio.expiresAt = expiresAt;
    if (transcript !== undefined) message.audio.transcript = transcript;
  }
  message.reasoningDetails.push(...delta.reasoningDetails);
  // Only streams number them.
  for (const annotation of delta.annotations) {
    annotation.index = undefined;
    message.annotations.push(annotation);
  }
  message.images.push(...delta.images);
  if (delta.extra !== undefined) message.extra = delta.extra;
  // A turn that only calls tools has no text.
  const callsOnly = message.toolCalls.length > 0 || message.functionCall !== undefined;
  if (callsOnly && message.content.every(({ kind }) => kind.value === "")) message.content = [];
}

function foldTexts(message: Message, { content, refusal, reasoningContent }: Delta): void {
  if (content !== undefined) {
    const before = message.content[0]?.kind.value;
    const value = `${typeof before === "string" ? before : ""}${content}`;
    const part = blankContentPart();
    part.kind = { case: "text", value };
    message.content = [part];
  }
  if (refusal !== undefined) message.refusal = (message.refusal ?? "") + refusal;
  if (reasoningContent !== undefined) message.reasoningContent = (message.reasoningContent ?? "") + reasoningContent;
}

function foldCall(
  calls: ToolCall[],
  { index, id, function: fn, custom, extraContent, extra }: Delta["toolCalls"][number],
): void {
  const kind = calls[index]?.kind;
  if (kind === undefined) {
    const opened = create(ToolCallSchema, {
      id: id ?? "",
      kind:
        custom === undefined
          ? { case: "function", value: { name: fn?.name ?? "", arguments: fn?.arguments ?? "" } }
          : { case: "custom", value: { name: custom.name ?? "", input: custom.input ?? "" } },
    });
    if (extraContent !== undefined) opened.extraContent = extraContent;
    if (extra !== undefined) opened.extra = extra;
    calls[index] = opened;
    return;
  }
  if (kind.case === "function") kind.value.arguments += fn?.arguments ?? "";
  if (kind.case === "custom") kind.value.input += custom?.input ?? "";
}
