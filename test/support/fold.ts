import { clone, create } from "@bufbuild/protobuf";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionSchema,
  type Choice,
  ChoiceSchema,
  type ChunkChoice,
  FinishReason,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import {
  AudioSchema,
  ContentPartSchema,
  type Message,
  MessageSchema,
  ReasoningDetailSchema,
} from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ToolCallSchema } from "../../src/gen/parley/chat/v1/tool_pb.ts";

/** Folds a stream into the whole answer that it says, and fails where the stream breaks the grammar of chunks. */
export function fold(chunks: readonly ChatCompletionChunk[]): ChatCompletion {
  const [first] = chunks;
  if (first === undefined) throw new Error("a stream without chunks");
  const completion = create(ChatCompletionSchema, { id: first.id, created: first.created, model: first.model });
  for (const chunk of chunks) {
    if (chunk.id !== first.id || chunk.created !== first.created || chunk.model !== first.model) {
      throw new Error("the identity of a stream changed");
    }
    if (completion.usage !== undefined) throw new Error("a chunk after the usage");
    if (chunk.usage !== undefined) completion.usage = chunk.usage;
    completion.serviceTier ||= chunk.serviceTier;
    if (chunk.systemFingerprint !== undefined) completion.systemFingerprint = chunk.systemFingerprint;
    for (const choice of chunk.choices) foldChoice(completion, choice);
  }
  return completion;
}

function foldChoice(completion: ChatCompletion, chunkChoice: ChunkChoice): void {
  const { index, delta, finishReason, nativeFinishReason, logprobs, extra } = chunkChoice;
  if (delta === undefined) throw new Error("a choice without a delta");
  let choice = completion.choices[index];
  if (choice === undefined) {
    if (index !== completion.choices.length) throw new Error(`choice ${index} began before its turn`);
    choice = create(ChoiceSchema, { index, message: create(MessageSchema, { role: delta.role }) });
    completion.choices.push(choice);
  } else if (delta.role !== 0) throw new Error("a role that came twice");
  const message = choice.message as Message;
  if (message.role === 0) throw new Error("a choice that began without a role");
  if (choice.finishReason !== FinishReason.UNSPECIFIED) throw new Error("a delta after the end of its choice");
  choice.finishReason = finishReason;
  if (nativeFinishReason !== undefined) choice.nativeFinishReason = nativeFinishReason;
  if (extra !== undefined) choice.extra = extra;
  foldTexts(message, delta);
  foldDetails(message, delta);
  foldOutputs(message, delta);
  foldCalls(message, delta);
  if (logprobs !== undefined) {
    choice.logprobs ??= create(ChoiceSchema, { logprobs: {} }).logprobs as NonNullable<Choice["logprobs"]>;
    choice.logprobs.content.push(...logprobs.content);
  }
}

type Delta = NonNullable<ChunkChoice["delta"]>;

function foldTexts(message: Message, { content, refusal, reasoningContent }: Delta): void {
  if (content !== undefined) {
    const before = message.content[0]?.kind.value ?? "";
    message.content = [create(ContentPartSchema, { kind: { case: "text", value: `${before as string}${content}` } })];
  }
  if (refusal !== undefined) message.refusal = (message.refusal ?? "") + refusal;
  if (reasoningContent !== undefined) message.reasoningContent = (message.reasoningContent ?? "") + reasoningContent;
}

/** Details of the same index and type are pieces of one: texts are appended, the rest is set. */
function foldDetails(message: Message, { reasoningDetails }: Delta): void {
  for (const piece of reasoningDetails) {
    const before = message.reasoningDetails.find(({ index, type }) => index === piece.index && type === piece.type);
    if (before === undefined) {
      message.reasoningDetails.push(clone(ReasoningDetailSchema, piece));
      continue;
    }
    for (const key of ["text", "summary", "data"] as const)
      if (piece[key] !== undefined) before[key] = (before[key] ?? "") + piece[key];
    for (const key of ["signature", "format", "id"] as const) if (piece[key] !== undefined) before[key] = piece[key];
  }
}

function foldOutputs(message: Message, { annotations, images, audio }: Delta): void {
  // Their place is for streams only.
  message.annotations.push(...annotations.map(({ index: _, ...annotation }) => annotation));
  message.images.push(...images);
  if (audio === undefined) return;
  const { id = "", data = "", transcript = "", expiresAt } = audio;
  message.audio ??= create(AudioSchema, { data: "", transcript: "" });
  const before = message.audio;
  before.id += id;
  before.data += data;
  before.transcript += transcript;
  if (expiresAt !== undefined) before.expiresAt = expiresAt;
}

function foldCalls(message: Message, { toolCalls, functionCall }: Delta): void {
  if (functionCall !== undefined) {
    const before = message.functionCall;
    if (before?.name && functionCall.name !== undefined) throw new Error("a function's name that came twice");
    message.functionCall = create(MessageSchema, {
      functionCall: {
        name: before?.name || (functionCall.name ?? ""),
        arguments: (before?.arguments ?? "") + (functionCall.arguments ?? ""),
      },
    }).functionCall;
  }
  for (const { index, id, function: fn, custom, extraContent } of toolCalls) {
    const before = message.toolCalls[index];
    if (before === undefined) {
      if (index !== message.toolCalls.length || id === undefined)
        throw new Error(`call ${index} began before its turn`);
      const kind =
        custom === undefined
          ? { case: "function" as const, value: { name: fn?.name ?? "", arguments: fn?.arguments ?? "" } }
          : { case: "custom" as const, value: { name: custom.name ?? "", input: custom.input ?? "" } };
      message.toolCalls.push(create(ToolCallSchema, { id, kind, ...(extraContent && { extraContent }) }));
      continue;
    }
    if (id !== undefined || fn?.name !== undefined || custom?.name !== undefined)
      throw new Error("a call that began twice");
    if (extraContent !== undefined) before.extraContent = extraContent;
    if (before.kind.case === "function") before.kind.value.arguments += fn?.arguments ?? "";
    if (before.kind.case === "custom") before.kind.value.input += custom?.input ?? "";
  }
}
