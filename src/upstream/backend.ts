/**
 * The way out: what the gateway knows of whoever answers. A backend plans a call, and the plan makes one attempt at one target; it
 * never retries, and it knows nothing of the doors.
 */
import type { ConcurrencySettings } from "../config/provider-settings.ts";
import type { UpstreamRequest } from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletion, ChatCompletionChunk, ServiceTier, Usage } from "../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment, UsageSource } from "../gen/parley/chat/v1/report_pb.ts";
import type { Model } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Address } from "../lib/address.ts";
import type { Abilities } from "../providers/provider.ts";

/** What is asked of a backend. */
export interface BackendCall {
  /** The provider's own name of the model, without "provider/". */
  readonly model: string;
  /** What is asked; validated, and never changed by the backend. */
  readonly params: ChatCompletionParams;
  /** Whether the answer is to come piece by piece. */
  readonly streaming: boolean;
  /** Whose call it is: what is remembered between calls is never shared with another's. */
  readonly tenant: string;
}

/**
 * What a stream delivers at once: the chunks that one piece of input held, in order. Their id and model are the provider's own, and
 * their created may be empty. Usage may come on any chunk; the last one counts. An empty batch is a sign of life, and no more.
 */
export type ChunkBatch = readonly ChatCompletionChunk[];

/**
 * A call that is ready to be made; nobody has been called for it yet. It is made by `complete` or `stream`, as it was planned, and
 * once. Their signal ends the attempt: by the deadline, by the client, or because the server stops. The backend stops at once then,
 * and throws the signal's reason.
 */
export interface PlannedCall {
  /** Parameters that the model cannot take as they are. */
  readonly adjustments: readonly Adjustment[];
  /** Tokens of the messages; undefined where only the provider can count them. */
  readonly promptTokens: number | undefined;
  /** What would be sent, for people to read: without secrets. Undefined where there is no network. */
  describe(): UpstreamRequest | undefined;
  /** Answers in one piece. Its id and model are the provider's own. */
  complete(signal: AbortSignal, options?: AttemptOptions): Promise<ChatCompletion>;
  /**
   * Answers piece by piece. The iteration ends without an error only when the provider's stream ended by its own grammar or was
   * cut; which of the two, the gateway finds out from the finish reasons.
   */
  stream(signal: AbortSignal, options?: AttemptOptions): AsyncIterable<ChunkBatch>;
}

/** How a planned call is made. */
export interface AttemptOptions {
  /** Which of the provider's keys it is made with, from 0; unset: the first. */
  readonly credential?: number;
  /** Is told when the head of the answer has come, be it a success or not. */
  readonly onHead?: () => void;
}

/** What a call used up, as far as its price depends on it. */
export interface Consumption {
  /** The provider's own name of the model that was asked for. */
  readonly model: string;
  /** The model that the provider says it answered with; undefined where it does not say. */
  readonly answeredBy: string | undefined;
  /** With all details filled in. */
  readonly usage: Usage;
  /** The tier that the provider says it served the call in. */
  readonly serviceTier: ServiceTier;
}

/** A provider that can be called. */
export interface Backend {
  /** Id of the provider: the part of "provider/model" before the slash. */
  readonly id: string;
  /** How many keys there are for it; 1 where it takes none. */
  readonly credentials: number;
  /** How many calls each of its models gets at once. */
  readonly concurrency: ConcurrencySettings;
  /** Who serves it, in one lower-case word, for signals: "openai", "azure", "anthropic", "google", "sandbox"; "generic" where it is not known. */
  readonly vendor: string;
  /** Whether a network lies between. Only then are failures held against a target, and calls made again on it. */
  readonly networked: boolean;
  /** Where it is called, for signals; undefined where there is no network. */
  readonly address: Address | undefined;
  /** Where the numbers of its usage come from. */
  readonly usageSource: UsageSource;
  /** The models that it lists now; their ids without "provider/". The list stays the same object as long as it says the same. */
  models(): readonly Model[];
  /** Whether the provider takes this model name. A provider may take names that it does not list. */
  has(model: string): boolean;
  /** What a model can do: what a call of it would be refused for, or would lose. Quick enough to be asked for each call. */
  abilitiesOf(model: string): Abilities;
  /** Plans a call. Throws where the call is bound to be refused. */
  plan(call: BackendCall): PlannedCall;
  /** What a call cost, in nano-dollars; undefined where a price or a count is not known. A backend without it knows no prices. */
  cost?(consumption: Consumption): bigint | undefined;
}
