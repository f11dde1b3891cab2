import type { JsonObject } from "@bufbuild/protobuf";
import type { GatewayError } from "../../errors/gateway-error.ts";
import { blankDelta } from "../../gen/parley/chat/v1/blanks.ts";
import { type Delta, FinishReason, type Logprobs } from "../../gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../gen/parley/chat/v1/message_pb.ts";
import { invalidResponse } from "../upstream-error.ts";
import { WholeCharacters } from "../whole-characters.ts";
import { type AnswerContext, stringifyArgs } from "./answer-context.ts";
import { CallReader } from "./call-reader.ts";
import { BLOCKED, endingOf, nativeOf } from "./finish-reasons.ts";
import { annotationsOf } from "./grounding.ts";
import { numberIn, objectIn, objectsIn, textIn } from "./json-fields.ts";
import { logprobsOf } from "./logprobs.ts";
import type { Block } from "./read-answer.ts";
import { imageId, signatureDetail, THOUGHT_ID } from "./signatures.ts";

/** Something new of an answer. */
export interface Piece {
  readonly delta: Delta;
  logprobs?: Logprobs;
}

/** The end of an answer, and what is known only then. */
export interface CandidateEnd {
  readonly pieces: readonly Piece[];
  readonly finishReason: FinishReason;
  readonly native: string | undefined;
}

/** What a part is for the answer; parts of a kind that follow one another make one delta. */
type Kind = "text" | "thought" | "call" | "image";

/**
 * Reads one candidate of an answer, whole or as it comes. Both go the same way, so that a stream adds up to what the whole answer
 * would have been.
 */
export class CandidateReader {
  readonly #context: AnswerContext;
  readonly #calls: CallReader;
  readonly #text = new WholeCharacters();
  readonly #thought = new WholeCharacters();
  /** The text so far, without thoughts, and where in it each part of the answer began: citations count in those. */
  #content = "";
  readonly #partStarts: number[] = [];
  /** What the last part was; a text goes on over events. */
  #last: Kind | undefined;
  #details = 0;
  #images = 0;
  #hasBegun = false;
  #grounding: JsonObject | undefined;
  #finish: string | undefined;
  #finishMessage: string | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#calls = new CallReader(context, (signature, id) => signatureDetail(signature, id, this.#details++));
  }

  /** Whether the candidate has said why it ended. */
  get hasEnded(): boolean {
    return this.#finish !== undefined;
  }

  /** Takes a candidate, or the next piece of it. */
  push(candidate: JsonObject): Piece[] {
    this.#finish = textIn(candidate, "finishReason") || this.#finish;
    this.#finishMessage = textIn(candidate, "finishMessage") ?? this.#finishMessage;
    this.#grounding = objectIn(candidate, "groundingMetadata") ?? this.#grounding;
    const pieces: Piece[] = [];
    const content = objectIn(candidate, "content");
    if (content !== undefined)
      for (const [at, part] of objectsIn(content, "parts").entries()) this.#readPart(part, at === 0, pieces);
    const result = objectIn(candidate, "logprobsResult");
    const logprobs = result === undefined ? undefined : logprobsOf(result);
    if (logprobs !== undefined) (pieces.at(-1) ?? this.#add(pieces)).logprobs = logprobs;
    return pieces;
  }

  /**
   * Takes the end. The candidate must have said why, unless there is a block, which ends whatever has not ended. Throws
   * UPSTREAM_INVALID_RESPONSE where the model says itself that what it made is no use, or has made nothing.
   */
  end(block?: Block): CandidateEnd {
    const native = this.#finish ?? block?.reason ?? "";
    const ending = endingOf(this.#finish ?? BLOCKED);
    if (ending.kind === "failed") throw this.#useless(native);
    const pieces: Piece[] = [];
    this.#say(this.#text.finish(), pieces);
    const thought = this.#thought.finish();
    if (thought !== "") this.#add(pieces).delta.reasoningContent = thought;
    this.#calls.end(() => this.#add(pieces).delta);
    const annotations =
      this.#grounding === undefined ? [] : annotationsOf(this.#grounding, this.#content, this.#partStarts);
    if (annotations.length > 0)
      this.#add(pieces).delta.annotations = annotations.map((each, index) => ({ ...each, index }));
    const hasCalls = this.#calls.count > 0;
    const isEmpty = this.#content === "" && !hasCalls && this.#images === 0;
    if (ending.kind !== "finish" && isEmpty) throw this.#useless(native);
    let finishReason = ending.kind === "finish" ? ending.reason : FinishReason.STOP;
    if (finishReason === FinishReason.STOP && hasCalls)
      finishReason = this.#context.names.isLegacy ? FinishReason.FUNCTION_CALL : FinishReason.TOOL_CALLS;
    const message = this.#finishMessage ?? (this.hasEnded ? undefined : block?.message);
    if (finishReason === FinishReason.CONTENT_FILTER && message !== undefined)
      this.#add(pieces).delta.refusal = message.toWellFormed();
    else if (this.#content === "" && !hasCalls) this.#add(pieces).delta.content = "";
    return { pieces, finishReason, native: nativeOf(native) };
  }

  #readPart(part: JsonObject, isFirst: boolean, pieces: Piece[]): void {
    const text = textIn(part, "text") ?? (isSignatureAlone(part) ? "" : undefined);
    const signature = textIn(part, "thoughtSignature") || undefined;
    const isThought = part["thought"] === true;
    // A text goes on from event to event; within one, each text is a part of its own.
    const goesOn = isFirst && text !== undefined && this.#last === (isThought ? "thought" : "text");
    if (!goesOn) this.#partStarts.push(this.#content.length);
    if (text !== undefined) {
      if (isThought) this.#think(text, pieces);
      else this.#say(this.#text.push(text), pieces);
      this.#last = isThought ? "thought" : "text";
      if (signature !== undefined) this.#sign(signature, isThought ? THOUGHT_ID : undefined, pieces);
      return;
    }
    const call = objectIn(part, "functionCall");
    const bytes = objectIn(part, "inlineData");
    if (call !== undefined) {
      const { answerFunction } = this.#context;
      if (answerFunction !== undefined && textIn(call, "name") === answerFunction)
        this.#say(stringifyArgs(objectIn(call, "args") ?? {}, this.#context), pieces);
      else this.#calls.read(call, signature, () => this.#joined(pieces, "call").delta);
      this.#last = "call";
    } else if (bytes !== undefined && !isThought) this.#readImage(bytes, signature, pieces);
    // A part may have nothing but a signature, as a text that is empty has one.
    else if (signature !== undefined && Object.keys(part).length === 1) this.#sign(signature, undefined, pieces);
    // Code that Google ran, its results, and what is not known, is not part of the answer.
    else this.#last = undefined;
  }

  #readImage(bytes: JsonObject, signature: string | undefined, pieces: Piece[]): void {
    const type = textIn(bytes, "mimeType") ?? "";
    const data = textIn(bytes, "data");
    this.#last = undefined;
    if (!type.startsWith("image/") || data === undefined) return;
    const index = this.#images++;
    const { delta } = this.#joined(pieces, "image");
    delta.images.push({
      $typeName: "parley.chat.v1.ImageOutput",
      imageUrl: { $typeName: "parley.chat.v1.ImageUrl", url: `data:${type};base64,${data}`, detail: 0 },
      index,
    });
    if (signature !== undefined) this.#sign(signature, imageId(index), pieces);
    this.#last = "image";
  }

  #think(text: string, pieces: Piece[]): void {
    const whole = this.#thought.push(text);
    if (whole === "") return;
    const { delta } = this.#joined(pieces, "thought");
    delta.reasoningContent = (delta.reasoningContent ?? "") + whole;
  }

  #say(text: string, pieces: Piece[]): void {
    if (text === "") return;
    this.#content += text;
    const { delta } = this.#joined(pieces, "text");
    delta.content = (delta.content ?? "") + text;
  }

  #sign(signature: string, id: string | undefined, pieces: Piece[]): void {
    const { delta } = pieces.at(-1) ?? this.#add(pieces);
    delta.reasoningDetails.push(signatureDetail(signature, id, this.#details++));
  }

  /** The last piece, where it is of the same kind; else a new one. */
  #joined(pieces: Piece[], kind: Kind): Piece {
    const last = pieces.at(-1);
    return last !== undefined && this.#last === kind ? last : this.#add(pieces);
  }

  #add(pieces: Piece[]): Piece {
    const piece: Piece = { delta: newDelta(this.#hasBegun ? Role.UNSPECIFIED : Role.ASSISTANT) };
    this.#hasBegun = true;
    pieces.push(piece);
    return piece;
  }

  #useless(native: string): GatewayError {
    return invalidResponse(this.#context.provider, `nothing that can be used (finish reason ${wordOf(native)})`);
  }
}

/** Whether a part is nothing but the signature of a text that is empty, and so may be left out. */
const isSignatureAlone = (part: JsonObject): boolean => Object.keys(part).join() === "thoughtSignature";

/** A finish reason for a message: a word of Google's, and nothing else. */
const wordOf = (native: string): string => (/^[A-Z_]{1,64}$/.test(native) ? native : "not known");

/** A delta that says nothing yet, as the object that `create` would make. */
export function newDelta(role: Role = Role.ASSISTANT): Delta {
  const delta = blankDelta();
  delta.role = role;
  return delta;
}

/** Index of a candidate among those of a body or an event: its own, which is left out where it is 0; where none has one, its place. */
export function indexOf(candidates: readonly JsonObject[], place: number): number {
  const candidate = candidates[place];
  const index = candidate === undefined ? undefined : numberIn(candidate, "index");
  if (index !== undefined) return Number.isInteger(index) && index >= 0 ? index : place;
  if (place === 0) return 0;
  return candidates.every((each) => numberIn(each, "index") === undefined) ? place : 0;
}
