import { create, type JsonObject } from "@bufbuild/protobuf";
import type { ChatCompletionChunk, ChunkChoice } from "../gen/parley/chat/v1/completion_pb.ts";
import {
  type Message,
  MessageSchema,
  type ReasoningDetail,
  ReasoningDetail_Type,
  Role,
} from "../gen/parley/chat/v1/message_pb.ts";
import { ToolCallSchema } from "../gen/parley/chat/v1/tool_pb.ts";

type Delta = NonNullable<ChunkChoice["delta"]>;

/** What one choice has said so far, as far as it is of interest here. */
interface Heard {
  /** Pieces of the reasoning's plain text; undefined: there was none. */
  reasoning: string[] | undefined;
  readonly details: ReasoningDetail[];
  readonly ids: Map<number, string>;
  readonly extraContents: Map<number, JsonObject>;
}

/**
 * Hears of a stream what has to be given back to its provider, and the ids of its calls. At `finish` it says, for each choice, a
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
    for (const heard of this.#choices.values()) if (heard.ids.size > 0) this.#say(messageOf(heard));
    this.#choices.clear();
  }

  #heard(index: number): Heard {
    let heard = this.#choices.get(index);
    if (heard === undefined) {
      heard = { reasoning: undefined, details: [], ids: new Map(), extraContents: new Map() };
      this.#choices.set(index, heard);
    }
    return heard;
  }
}

const isOfInterest = ({ reasoningContent, reasoningDetails, toolCalls }: Delta): boolean =>
  reasoningContent !== undefined ||
  reasoningDetails.length > 0 ||
  (toolCalls.length > 0 && toolCalls.some(({ id, extraContent }) => id !== undefined || extraContent !== undefined));

function hear(heard: Heard, { reasoningContent, reasoningDetails, toolCalls }: Delta): void {
  if (reasoningContent !== undefined) {
    heard.reasoning ??= [];
    heard.reasoning.push(reasoningContent);
  }
  for (const detail of reasoningDetails) addDetail(heard.details, detail);
  for (const { index, id, extraContent } of toolCalls) {
    if (id !== undefined) heard.ids.set(index, id);
    if (extraContent !== undefined) heard.extraContents.set(index, extraContent);
  }
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

function messageOf({ reasoning, details, ids, extraContents }: Heard): Message {
  const message = create(MessageSchema, { role: Role.ASSISTANT, reasoningDetails: details });
  if (reasoning !== undefined) message.reasoningContent = reasoning.join("");
  for (const [index, id] of [...ids].sort(([a], [b]) => a - b)) {
    const call = create(ToolCallSchema, { id });
    const extraContent = extraContents.get(index);
    if (extraContent !== undefined) call.extraContent = extraContent;
    message.toolCalls.push(call);
  }
  return message;
}
