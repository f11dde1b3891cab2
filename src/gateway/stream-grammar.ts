import { GatewayError } from "../errors/gateway-error.ts";
import { blankChatCompletionChunk, blankChunkChoice, blankDelta } from "../gen/parley/chat/v1/blanks.ts";
import {
  type ChatCompletionChunk,
  type ChunkChoice,
  type Delta,
  FinishReason,
  ServiceTier,
} from "../gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Identity } from "./identity.ts";
import { completeUsage } from "./usage.ts";

/**
 * Holds a stream to the grammar that clients rely on, whatever the provider sends: one identity on all chunks; in each choice the
 * role first and once, then the deltas, then the finish reason alone, once, and nothing after it; choices open in ascending
 * order; usage apart, at the end. And it tells a stream that ended from one that was cut.
 */
export interface StreamGrammar {
  /** Takes the provider's next chunk, and appends to `out` what clients get of it: nothing, the same chunk, or several. */
  push(chunk: ChatCompletionChunk, out: ChatCompletionChunk[]): void;
  /**
   * Takes the provider's end, and returns the last chunk: the one without choices that carries the usage; undefined when there was
   * no usage. Fails with UPSTREAM_STREAM_INTERRUPTED when a choice has not ended.
   */
  finish(): ChatCompletionChunk | undefined;
  /** Why the choices ended that have, in the order in which they did. */
  readonly finishReasons: readonly FinishReason[];
}

/** The grammar of one stream with that many choices. */
export function createStreamGrammar(identity: Identity, choices: number): StreamGrammar {
  return new Grammar(identity, choices);
}

class Grammar implements StreamGrammar {
  readonly #identity: Identity;
  readonly #expected: number;
  readonly finishReasons: FinishReason[] = [];
  /** Of each choice that has begun, whether it has ended. */
  readonly #ended: boolean[] = [];
  /** Without choices: what is the same on every chunk of the provider, and the last usage that was seen. */
  readonly #frame = blankChatCompletionChunk();

  constructor(identity: Identity, choices: number) {
    this.#identity = identity;
    this.#expected = choices;
    identify(this.#frame, identity);
  }

  push(chunk: ChatCompletionChunk, out: ChatCompletionChunk[]): void {
    identify(chunk, this.#identity);
    this.#remember(chunk);
    const told: ChunkChoice[] = [];
    const finishes: ChunkChoice[] = [];
    for (const choice of chunk.choices) this.#tell(choice, told, finishes);
    chunk.choices = told;
    const isTold = chunk.choices.length > 0 || chunk.moderation !== undefined;
    if (isTold) out.push(chunk);
    if (finishes.length === 0) return;
    const end: ChatCompletionChunk = { ...this.#frame, usage: undefined, choices: finishes };
    if (!isTold && chunk.extra !== undefined) end.extra = chunk.extra;
    out.push(end);
  }

  finish(): ChatCompletionChunk | undefined {
    if (this.#ended.length < this.#expected || this.#ended.includes(false)) {
      throw new GatewayError(
        Reason.UPSTREAM_STREAM_INTERRUPTED,
        "the model's stream ended before its answer did; what came of it is not complete",
      );
    }
    const { usage } = this.#frame;
    if (usage === undefined) return undefined;
    completeUsage(usage);
    return this.#frame;
  }

  /** Notes what the frame has, and takes the usage and the provider's padding out of the chunk. */
  #remember(chunk: ChatCompletionChunk): void {
    chunk.obfuscation = undefined;
    if (chunk.serviceTier !== ServiceTier.UNSPECIFIED) this.#frame.serviceTier = chunk.serviceTier;
    if (chunk.systemFingerprint !== undefined) this.#frame.systemFingerprint = chunk.systemFingerprint;
    if (chunk.usage === undefined) return;
    this.#frame.usage = chunk.usage;
    chunk.usage = undefined;
  }

  /** Tells what is new in a choice, after the openings that must precede it. Its end goes to `finishes`. */
  #tell(choice: ChunkChoice, told: ChunkChoice[], finishes: ChunkChoice[]): void {
    const { index } = choice;
    if (index < 0 || index >= this.#expected) {
      throw invalid(`a choice with index ${index}, where ${this.#expected} were asked for`);
    }
    const isFirst = index >= this.#ended.length;
    while (this.#ended.length <= index) {
      if (this.#ended.length < index) told.push(opening(this.#ended.length));
      this.#ended.push(false);
    }
    choice.delta ??= blankDelta();
    choice.delta.role = isFirst ? Role.ASSISTANT : Role.UNSPECIFIED;
    const hasNews = choice.logprobs !== undefined || hasOutput(choice.delta);
    if (this.#ended[index] === true) {
      if (hasNews) throw invalid(`more of choice ${index} after its end`);
      return;
    }
    if (choice.finishReason !== FinishReason.UNSPECIFIED) {
      this.#ended[index] = true;
      this.finishReasons.push(choice.finishReason);
      finishes.push(endOf(choice));
    }
    // What else stands on the choice is told where it stands; an end has taken it along.
    if (hasNews || isFirst || choice.extra !== undefined) told.push(choice);
  }
}

function identify(chunk: ChatCompletionChunk, { id, created, model }: Identity): void {
  chunk.id = id;
  chunk.created = created;
  chunk.model = model;
}

/** Takes the end out of a choice, as a choice of its own. */
function endOf(choice: ChunkChoice): ChunkChoice {
  const { index, finishReason, nativeFinishReason, extra } = choice;
  choice.finishReason = FinishReason.UNSPECIFIED;
  choice.nativeFinishReason = undefined;
  choice.extra = undefined;
  return { ...blankChunkChoice(), index, delta: blankDelta(), finishReason, nativeFinishReason, extra };
}

/** The first chunk of a choice that has nothing to say yet. */
function opening(index: number): ChunkChoice {
  const delta = blankDelta();
  delta.role = Role.ASSISTANT;
  return { ...blankChunkChoice(), index, delta };
}

/** Whether a delta says anything besides who speaks. This is also what "first output" means: a role alone is none. */
export function hasOutput(delta: Delta): boolean {
  return (
    !!delta.content ||
    !!delta.refusal ||
    !!delta.reasoningContent ||
    delta.toolCalls.length > 0 ||
    delta.functionCall !== undefined ||
    delta.audio !== undefined ||
    delta.reasoningDetails.length > 0 ||
    delta.annotations.length > 0 ||
    delta.images.length > 0 ||
    delta.extra !== undefined
  );
}

const invalid = (what: string): GatewayError =>
  new GatewayError(Reason.UPSTREAM_INVALID_RESPONSE, `the model's stream breaks its own grammar: ${what}`);
