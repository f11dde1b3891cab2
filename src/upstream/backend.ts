/**
 * The way out: what the gateway knows of whoever answers. A backend makes one attempt at one target; it never retries, and
 * it knows nothing of the doors.
 */
import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment, UsageSource } from "../gen/parley/chat/v1/report_pb.ts";
import type { Model } from "../gen/parley/models/v1/models_service_pb.ts";

/** One attempt. */
export interface BackendCall {
  /** The provider's own name of the model, without "provider/". */
  readonly model: string;
  /** What is asked; validated, and never changed by the backend. */
  readonly params: ChatCompletionParams;
  /** What the backend's own `plan` said of it. */
  readonly plan: BackendPlan;
  /**
   * Ends the attempt: by the deadline, by the client, or because the server stops. The backend stops at once and throws the
   * signal's reason.
   */
  readonly signal: AbortSignal;
}

/** What a backend would do with a call; made without calling anybody. */
export interface BackendPlan {
  /** Parameters that the model cannot take as they are. */
  readonly adjustments: readonly Adjustment[];
  /** Tokens of the messages, as far as they can be counted here. */
  readonly promptTokens: number;
}

/**
 * What a stream delivers at once: the chunks that one piece of input held, in order. Their id, created and model are the
 * gateway's business and may be empty. Usage may come on any chunk; the last one counts.
 */
export type ChunkBatch = readonly ChatCompletionChunk[];

/** A provider that can be called. */
export interface Backend {
  /** Id of the provider: the part of "provider/model" before the slash. */
  readonly id: string;
  /** Where the numbers of its usage come from. */
  readonly usageSource: UsageSource;
  /** The models that it lists; their ids without "provider/". */
  models(): readonly Model[];
  /** Whether the provider takes this model name. A provider may take names that it does not list. */
  has(model: string): boolean;
  /** Says what a call would do. Throws where the call is bound to be refused. */
  plan(model: string, params: ChatCompletionParams): BackendPlan;
  /** Answers in one piece. */
  complete(call: BackendCall): Promise<ChatCompletion>;
  /**
   * Answers piece by piece. The iteration ends without an error only when the provider's stream ended by its own grammar or was
   * cut; which of the two, the gateway finds out from the finish reasons.
   */
  stream(call: BackendCall): AsyncIterable<ChunkBatch>;
}
