import type { JsonObject } from "@bufbuild/protobuf";
import { blankChatCompletionChunk, blankChunkChoice } from "../../gen/parley/chat/v1/blanks.ts";
import { type ChatCompletionChunk, type ChunkChoice, FinishReason } from "../../gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../gen/parley/chat/v1/message_pb.ts";
import type { StreamDecoder, StreamEvent } from "../provider.ts";
import { interrupted } from "../upstream-error.ts";
import type { AnswerContext } from "./answer-context.ts";
import { CandidateReader, indexOf, newDelta, type Piece } from "./candidate.ts";
import { objectIn, objectsIn, textIn } from "./json-fields.ts";
import { type Block, blockOf, readAnswer } from "./read-answer.ts";
import { serviceTierOf, usageOf } from "./usage.ts";

/**
 * Makes a decoder of `streamGenerateContent`. Its events are answers of their own, each with what is new. It has no last event: finish
 * reasons come early and text may follow them, so an answer ends when the body does.
 */
export const createStreamDecoder = (context: AnswerContext): StreamDecoder => new GoogleStreamDecoder(context);

class GoogleStreamDecoder implements StreamDecoder {
  readonly isDone = false;
  readonly #context: AnswerContext;
  readonly #readers = new Map<number, CandidateReader>();
  #id = "";
  #model = "";
  /** The last one that came; each is a running total. */
  #usage: JsonObject | undefined;
  #block: Block | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  push({ data }: StreamEvent): ChatCompletionChunk[] {
    const answer = readAnswer(data, this.#context.provider, "event");
    this.#id = textIn(answer, "responseId") ?? this.#id;
    this.#model = textIn(answer, "modelVersion") ?? this.#model;
    this.#usage = objectIn(answer, "usageMetadata") ?? this.#usage;
    this.#block ??= blockOf(answer);
    const chunks: ChatCompletionChunk[] = [];
    const candidates = objectsIn(answer, "candidates");
    for (const [place, candidate] of candidates.entries()) {
      const index = indexOf(candidates, place);
      for (const piece of this.#reader(index).push(candidate)) chunks.push(this.#chunk([choiceOf(index, piece)]));
    }
    return chunks;
  }

  finish(): ChatCompletionChunk[] {
    const readers = [...this.#readers].sort(([a], [b]) => a - b);
    const isBlocked = this.#block !== undefined;
    if (!isBlocked && (readers.length === 0 || readers.some(([, reader]) => !reader.hasEnded)))
      throw interrupted(this.#context.provider);
    const chunks: ChatCompletionChunk[] = [];
    for (const [index, reader] of readers) {
      const { pieces, finishReason, native } = reader.end(this.#block);
      for (const piece of pieces) chunks.push(this.#chunk([choiceOf(index, piece)]));
      chunks.push(this.#chunk([endOf(index, finishReason, native)]));
    }
    if (isBlocked && readers.length === 0) chunks.push(...this.#blockedChunks());
    if (this.#usage !== undefined) {
      const last = this.#chunk([]);
      last.usage = usageOf(this.#usage);
      last.serviceTier = serviceTierOf(this.#usage);
      chunks.push(last);
    }
    return chunks;
  }

  #reader(index: number): CandidateReader {
    let reader = this.#readers.get(index);
    if (reader === undefined) {
      reader = new CandidateReader(this.#context);
      this.#readers.set(index, reader);
    }
    return reader;
  }

  /** The prompt was blocked: every answer that was asked for ends at once. */
  *#blockedChunks(): Iterable<ChatCompletionChunk> {
    for (let index = 0; index < this.#context.choices; index++) {
      const delta = newDelta();
      delta.refusal = this.#block?.message ?? "";
      yield this.#chunk([choiceOf(index, { delta })]);
      yield this.#chunk([endOf(index, FinishReason.CONTENT_FILTER, this.#block?.reason)]);
    }
  }

  #chunk(choices: ChunkChoice[]): ChatCompletionChunk {
    const chunk = blankChatCompletionChunk();
    chunk.id = this.#id;
    chunk.model = this.#model;
    chunk.choices = choices;
    return chunk;
  }
}

function choiceOf(index: number, { delta, logprobs }: Piece): ChunkChoice {
  const choice = blankChunkChoice();
  choice.index = index;
  choice.delta = delta;
  choice.logprobs = logprobs;
  return choice;
}

function endOf(index: number, finishReason: FinishReason, native: string | undefined): ChunkChoice {
  const choice = blankChunkChoice();
  choice.index = index;
  choice.delta = newDelta(Role.UNSPECIFIED);
  choice.finishReason = finishReason;
  choice.nativeFinishReason = native;
  return choice;
}
