/**
 * What a provider without a network plays: an answer as a script of steps. A script is data, so that the provider stays free of
 * clocks; `upstream/` plays it.
 */
import type { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import type { Model } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Abilities } from "./provider.ts";

/** One step of a script. */
export type Step<T> =
  /** Nothing happens for that many milliseconds; Infinity: for ever. */
  | { readonly kind: "wait"; readonly ms: number }
  /** Nothing happens, but the work before was long: others have their turn. */
  | { readonly kind: "pause" }
  /** Output. */
  | { readonly kind: "output"; readonly value: T }
  /** The provider fails. */
  | { readonly kind: "fail"; readonly error: GatewayError };

/** A script of whole answers: it ends with an output or a failure. */
export type CompletionScript = Iterable<Step<ChatCompletion>>;

/** A script of a stream. One that ends without a finish reason of every choice is a stream that was cut. */
export type StreamScript = Iterable<Step<ChatCompletionChunk>>;

/** What a provider would do with a call. */
export interface ScriptedPlan {
  /** Parameters that the model cannot take as they are. */
  readonly adjustments: readonly Adjustment[];
  /** Tokens of the messages. */
  readonly promptTokens: number;
}

/** A provider without a network. */
export interface ScriptedProvider {
  /** Id of the provider: the part of "provider/model" before the slash. */
  readonly id: string;
  /** The models that it lists; their ids without "provider/". */
  models(): readonly Model[];
  /** Whether it has this model. */
  has(model: string): boolean;
  /** Says what it would do. Throws a GatewayError where the call is bound to be refused. */
  plan(model: string, params: ChatCompletionParams): ScriptedPlan;
  /** The whole answer. */
  complete(model: string, params: ChatCompletionParams, plan: ScriptedPlan): CompletionScript;
  /** The answer piece by piece. */
  stream(model: string, params: ChatCompletionParams, plan: ScriptedPlan): StreamScript;
  /** What a model can do. */
  abilitiesOf(model: string): Abilities;
}
