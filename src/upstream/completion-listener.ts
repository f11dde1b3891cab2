import { create, type JsonObject } from "@bufbuild/protobuf";
import type { ChatCompletionChunk, ChunkChoice, ToolCallDelta } from "../gen/parley/chat/v1/completion_pb.ts";
import {
  type Message,
  MessageSchema,
  type ReasoningDetail,
  ReasoningDetail_Type,
  Role,
} from "../gen/parley/chat/v1/message_pb.ts";
import { type ToolCall, ToolCallSchema } from "../gen/parley/chat/v1/tool_pb.ts";

type Delta = NonNullable<ChunkChoice["delta"]>;

/** What one choice has said so far, as far as it is of interest here. */
interface Heard {
  /** Pieces of the reasoning's plain text; undefined: there was none. */
  reasoning: string[] | undefined;
  readonly details: ReasoningDetail[];
  /** By their indices. */
  readonly calls: Map<number, HeardCall>;
}

interface HeardCall {
  id: string | undefined;
  extraContent: JsonObject | undefined;
  isCustom: boolean;
  name: string;
  /** Pieces of its arguments, or of its input. */
  readonly input: string[];
}

/**
 * Hears of a stream what has to be given back to its provider, and its calls. At `finish` it says, for each choice, a
 * message with these and nothing else. Chunks without any of it cost a look.
 */
export class CompletionListener {
  readonly #choices = new Map<number, Heard>();
  readonly #say: (message: Message) => void;

  constructor(say: (message: Message) => void) {
    this.#say = say;
  }

  push(chunk: ChatCompletionChunk): void {
    for (const { index, delta } of chunk.choices) {
      if (delta !== undefined && isOfInterest(delta)) hear(this.#heard(index), delta);
    }
  }

  finish(): void {
    for (const heard of this.#choices.values()) if (heard.calls.size > 0) this.#say(messageOf(heard));
    this.#choices.clear();
  }

  #heard(index: number): Heard {
    let heard = this.#choices.get(index);
    if (heard === undefined) {
      heard = { reasoning: undefined, details: [], calls: new Map() };
      this.#choices.set(index, heard);
    }
    return heard;
  }
}

const isOfInterest = ({ reasoningContent, reasoningDetails, toolCalls }: Delta): boolean =>
  reasoningContent !== undefined || reasoningDetails.length > 0 || toolCalls.length > 0;

function hear(heard: Heard, { reasoningContent, reasoningDetails, toolCalls }: Delta): void {
  if (reasoningContent !== undefined) {
    heard.reasoning ??= [];
    heard.reasoning.push(reasoningContent);
  }
  for (const detail of reasoningDetails) addDetail(heard.details, detail);
  for (const part of toolCalls) hearCall(heard.calls, part);
}

function hearCall(calls: Map<number, HeardCall>, part: ToolCallDelta): void {
  let call = calls.get(part.index);
  if (call === undefined) {
    call = { id: undefined, extraContent: undefined, isCustom: false, name: "", input: [] };
    calls.set(part.index, call);
  }
  const { id, extraContent, function: ofFunction, custom } = part;
  if (id !== undefined) call.id = id;
  if (extraContent !== undefined) call.extraContent = extraContent;
  if (custom !== undefined) call.isCustom = true;
  const name = ofFunction?.name ?? custom?.name;
  if (name !== undefined) call.name = name;
  const piece = ofFunction?.arguments ?? custom?.input;
  if (piece !== undefined) call.input.push(piece);
}

/** Adds a part to those before. It goes on with the last one of its index, unless it is of another type or has another id. */
function addDetail(details: ReasoningDetail[], part: ReasoningDetail): void {
  const at = details.findLastIndex((detail) => detail.index === part.index);
  const before = details[at];
  if (before === undefined || !goesOn(before, part)) details.push(part);
  else details[at] = joined(before, part);
}

const goesOn = (before: ReasoningDetail, { type, id }: ReasoningDetail): boolean =>
  (type === ReasoningDetail_Type.UNSPECIFIED || type === before.type) &&
  (id === undefined || before.id === undefined || id === before.id);

/** A new part, because the one before belongs to a chunk: texts are appended, the rest is set. */
function joined(before: ReasoningDetail, part: ReasoningDetail): ReasoningDetail {
  const whole: ReasoningDetail = { ...before };
  for (const key of ["text", "summary", "data"] as const) {
    if (part[key] !== undefined) whole[key] = (before[key] ?? "") + part[key];
  }
  for (const key of ["signature", "format", "id"] as const) {
    if (part[key] !== undefined) whole[key] = part[key];
  }
  if (part.extra !== undefined) whole.extra = { ...before.extra, ...part.extra };
  return whole;
}

function messageOf({ reasoning, details, calls }: Heard): Message {
  const message = create(MessageSchema, { role: Role.ASSISTANT, reasoningDetails: details });
  if (reasoning !== undefined) message.reasoningContent = reasoning.join("");
  for (const [, heard] of [...calls].sort(([a], [b]) => a - b))
    if (heard.id !== undefined) message.toolCalls.push(callOf(heard));
  return message;
}

function callOf({ id = "", extraContent, isCustom, name, input: pieces }: HeardCall): ToolCall {
  const input = pieces.join("");
  const call = create(ToolCallSchema, {
    id,
    kind: isCustom
      ? { case: "custom", value: { name, input } }
      : { case: "function", value: { name, arguments: input } },
  });
  if (extraContent !== undefined) call.extraContent = extraContent;
  return call;
}
