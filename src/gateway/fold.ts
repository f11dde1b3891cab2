import { create } from "@bufbuild/protobuf";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionSchema,
  type Choice,
  ChoiceSchema,
  type ChunkChoice,
  type Delta,
  LogprobsSchema,
  ServiceTier,
  type ToolCallDelta,
  ToolCallDelta_Type,
} from "../gen/parley/chat/v1/completion_pb.ts";
import {
  type Annotation,
  AudioSchema,
  ContentPartSchema,
  type Message,
  MessageSchema,
  type ReasoningDetail,
} from "../gen/parley/chat/v1/message_pb.ts";
import {
  type CustomToolCall,
  CustomToolCallSchema,
  type FunctionCall,
  FunctionCallSchema,
  type ToolCall,
  ToolCallSchema,
} from "../gen/parley/chat/v1/tool_pb.ts";

/** Folds the chunks of a stream into the whole answer that they say. It relies on the grammar that the gateway holds streams to. */
export interface Fold {
  /** Takes the next chunk. What it holds is not changed, but parts of it become parts of the answer. */
  push(chunk: ChatCompletionChunk): void;
  /** The answer so far. */
  readonly completion: ChatCompletion;
}

/** Begins with nothing. */
export function createFold(): Fold {
  const completion = create(ChatCompletionSchema);
  return { completion, push: (chunk) => foldChunk(completion, chunk) };
}

function foldChunk(completion: ChatCompletion, chunk: ChatCompletionChunk): void {
  const { id, created, model, usage, serviceTier, systemFingerprint, moderation, extra } = chunk;
  Object.assign(completion, { id, created, model });
  if (usage !== undefined) completion.usage = usage;
  if (serviceTier !== ServiceTier.UNSPECIFIED) completion.serviceTier = serviceTier;
  if (systemFingerprint !== undefined) completion.systemFingerprint = systemFingerprint;
  if (moderation !== undefined) completion.moderation = moderation;
  if (extra !== undefined) completion.extra = { ...completion.extra, ...extra };
  for (const choice of chunk.choices) foldChoice(choiceOf(completion, choice.index), choice);
}

/** Choices open in ascending order. */
function choiceOf({ choices }: ChatCompletion, index: number): Choice {
  const known = choices[index];
  if (known !== undefined) return known;
  const choice = create(ChoiceSchema, { index, message: create(MessageSchema) });
  choices.push(choice);
  return choice;
}

function foldChoice(choice: Choice, { delta, finishReason, nativeFinishReason, logprobs, extra }: ChunkChoice): void {
  if (finishReason !== 0) choice.finishReason = finishReason;
  if (nativeFinishReason !== undefined) choice.nativeFinishReason = nativeFinishReason;
  if (extra !== undefined) choice.extra = { ...choice.extra, ...extra };
  if (logprobs !== undefined) {
    choice.logprobs ??= create(LogprobsSchema);
    choice.logprobs.content.push(...logprobs.content);
    choice.logprobs.refusal.push(...logprobs.refusal);
  }
  if (delta !== undefined) foldDelta(choice.message as Message, delta);
}

function foldDelta(message: Message, delta: Delta): void {
  const { role, content, refusal, reasoningContent, functionCall, audio, extra } = delta;
  if (role !== 0) message.role = role;
  if (content !== undefined) appendText(message, content);
  if (refusal !== undefined) message.refusal = (message.refusal ?? "") + refusal;
  if (reasoningContent !== undefined) message.reasoningContent = (message.reasoningContent ?? "") + reasoningContent;
  for (const piece of delta.reasoningDetails) foldReasoning(message.reasoningDetails, piece);
  for (const annotation of delta.annotations) message.annotations.push(withoutPlace(annotation));
  message.images.push(...delta.images);
  for (const call of delta.toolCalls) foldCall(message.toolCalls, call);
  if (functionCall !== undefined) {
    message.functionCall ??= create(FunctionCallSchema);
    foldFunction(message.functionCall, functionCall);
  }
  if (audio !== undefined) foldAudio(message, audio);
  if (extra !== undefined) message.extra = { ...message.extra, ...extra };
}

/** The content of an answer is one part of text. */
function appendText(message: Message, text: string): void {
  const [part] = message.content;
  if (part?.kind.case === "text") part.kind.value += text;
  else message.content.push(create(ContentPartSchema, { kind: { case: "text", value: text } }));
}

/** Details of the same index and type are pieces of one: texts are appended, the rest is set. */
function foldReasoning(details: ReasoningDetail[], piece: ReasoningDetail): void {
  const before = details.find(({ index, type }) => index === piece.index && type === piece.type);
  if (before === undefined) {
    details.push({ ...piece });
    return;
  }
  for (const key of ["text", "summary", "data"] as const) {
    if (piece[key] !== undefined) before[key] = (before[key] ?? "") + piece[key];
  }
  for (const key of ["signature", "format", "id"] as const) if (piece[key] !== undefined) before[key] = piece[key];
  if (piece.extra !== undefined) before.extra = { ...before.extra, ...piece.extra };
}

/** Annotations say their place in streams only. */
function withoutPlace({ index: _, ...annotation }: Annotation): Annotation {
  return annotation;
}

function foldCall(calls: ToolCall[], delta: ToolCallDelta): void {
  const call = calls[delta.index] ?? beginCall(calls, delta);
  if (delta.id !== undefined) call.id = delta.id;
  if (delta.extraContent !== undefined) call.extraContent = { ...call.extraContent, ...delta.extraContent };
  if (delta.extra !== undefined) call.extra = { ...call.extra, ...delta.extra };
  if (call.kind.case === "function" && delta.function !== undefined) foldFunction(call.kind.value, delta.function);
  if (call.kind.case === "custom" && delta.custom !== undefined) foldCustom(call.kind.value, delta.custom);
}

function beginCall(calls: ToolCall[], { type, custom }: ToolCallDelta): ToolCall {
  const isCustom = type === ToolCallDelta_Type.CUSTOM || custom !== undefined;
  const call = create(ToolCallSchema, {
    kind: isCustom
      ? { case: "custom", value: create(CustomToolCallSchema) }
      : { case: "function", value: create(FunctionCallSchema) },
  });
  calls.push(call);
  return call;
}

function foldFunction(call: FunctionCall, delta: NonNullable<Delta["functionCall"]>): void {
  if (delta.name !== undefined) call.name = delta.name;
  call.arguments += delta.arguments ?? "";
}

function foldCustom(call: CustomToolCall, delta: NonNullable<ToolCallDelta["custom"]>): void {
  if (delta.name !== undefined) call.name = delta.name;
  call.input += delta.input ?? "";
}

function foldAudio(message: Message, { id, data, expiresAt, transcript }: NonNullable<Delta["audio"]>): void {
  message.audio ??= create(AudioSchema);
  const { audio } = message;
  audio.id += id ?? "";
  if (data !== undefined) audio.data = (audio.data ?? "") + data;
  if (transcript !== undefined) audio.transcript = (audio.transcript ?? "") + transcript;
  if (expiresAt !== undefined) audio.expiresAt = expiresAt;
}
