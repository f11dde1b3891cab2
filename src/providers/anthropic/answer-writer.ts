import type { JsonValue } from "@bufbuild/protobuf";
import { blankChatCompletionChunk, blankChunkChoice, blankDelta } from "../../gen/parley/chat/v1/blanks.ts";
import {
  type ChatCompletionChunk,
  type ChunkChoice,
  type Delta,
  ServiceTier,
  type ToolCallDelta,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { type Annotation, type ReasoningDetail, Role } from "../../gen/parley/chat/v1/message_pb.ts";
import { countCharacters } from "./citations.ts";
import type { Reading } from "./decode-response.ts";
import { FenceStripper } from "./fence.ts";
import { finishOf, refusalOf, type Stop } from "./finish-reasons.ts";
import type { UsageCount } from "./usage.ts";

/** Writes what the blocks of a streamed answer say, as chunks: the role once and first, and the places of calls, details and citations. */
export class AnswerWriter {
  readonly #fence: FenceStripper | undefined;
  readonly #isLegacy: boolean;
  #chunks: ChatCompletionChunk[] = [];
  #id = "";
  #model = "";
  #tier = ServiceTier.UNSPECIFIED;
  #hasRole = false;
  #hasContent = false;
  #annotations = 0;
  #details = 0;
  /** How many of the caller's tools are called so far. */
  calls = 0;
  /** How many characters the content has so far. */
  characters = 0;

  constructor({ plan }: Reading) {
    this.#fence = plan.isFenced ? new FenceStripper() : undefined;
    this.#isLegacy = plan.isLegacy;
  }

  /** The chunks since the last time. */
  take(): readonly ChatCompletionChunk[] {
    const chunks = this.#chunks;
    if (chunks.length === 0) return [];
    this.#chunks = [];
    return chunks;
  }

  /** Says whose answer it is. */
  identify(id: JsonValue | undefined, model: JsonValue | undefined, tier: ServiceTier): void {
    if (typeof id === "string") this.#id = id;
    if (typeof model === "string") this.#model = model;
    this.#tier = tier;
  }

  /** Opens the answer. `hasText`: whether it opens with a text; an answer without one has no content at all. */
  open(hasText: boolean): void {
    if (this.#hasRole) return;
    this.#hasRole = true;
    this.#hasContent = hasText;
    this.#push({ role: Role.ASSISTANT, ...(hasText ? { content: "" } : {}) });
  }

  content(text: string): void {
    this.#say(this.#fence === undefined ? text : this.#fence.push(text));
  }

  #say(text: string): void {
    if (text === "") return;
    this.#hasContent = true;
    this.characters += countCharacters(text);
    this.#push({ content: text });
  }

  reasoning(text: string): void {
    if (text !== "") this.#push({ reasoningContent: text });
  }

  /** Writes a part of the reasoning, which is made for its place. */
  detail(make: (index: number) => ReasoningDetail | undefined): void {
    const detail = make(this.#details);
    if (detail === undefined) return;
    this.#details++;
    this.#push({ reasoningDetails: [detail] });
  }

  citations(annotations: readonly Annotation[]): void {
    if (annotations.length === 0) return;
    this.#push({ annotations: annotations.map((annotation) => ({ ...annotation, index: this.#annotations++ })) });
  }

  call(call: Pick<ToolCallDelta, "index"> & Partial<ToolCallDelta>): void {
    this.#push({ toolCalls: [{ $typeName: "parley.chat.v1.ToolCallDelta", type: 0, ...call }] });
  }

  /** Writes a piece of a call in the legacy form. */
  legacyCall(call: { readonly name?: string; readonly arguments: string }): void {
    this.#push({ functionCall: { $typeName: "parley.chat.v1.FunctionCallDelta", ...call } });
  }

  /** Ends the answer. */
  finish(stop: Stop, usage: UsageCount): void {
    this.open(false);
    if (this.#fence !== undefined) this.#say(this.#fence.finish());
    const refusal = refusalOf(stop);
    if (refusal !== undefined) this.#push({ refusal });
    else if (!this.#hasContent && this.calls === 0) this.#push({ content: "" });
    this.#tier = usage.serviceTier;
    const chunk = this.#push({});
    Object.assign(chunk.choices[0] as ChunkChoice, finishOf(stop, this.calls, this.#isLegacy));
    const total = usage.total();
    if (total !== undefined) chunk.usage = total;
  }

  #push(delta: Partial<Delta>): ChatCompletionChunk {
    const choice = blankChunkChoice();
    choice.delta = Object.assign(blankDelta(), delta);
    const chunk = blankChatCompletionChunk();
    chunk.id = this.#id;
    chunk.model = this.#model;
    chunk.choices = [choice];
    chunk.serviceTier = this.#tier;
    this.#chunks.push(chunk);
    return chunk;
  }
}
