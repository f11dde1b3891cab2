/** Attributes of metrics and spans: OpenTelemetry's conventions for generative AI, and our own. None holds a text of a caller. */
import type { Attributes } from "@opentelemetry/api";
import { Attempt_Move, Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";
import type { AttemptRecord } from "./attempt-record.ts";
import type { CallEnd } from "./call-end.ts";
import type { CallLog } from "./call-log.ts";
import type { KnownNames, ProviderOrigin } from "./known-names.ts";
import { providerName } from "./provider-name.ts";

/** Stands for the name of a model that nobody but the caller knows, and of a parameter that the contract does not have. */
export const OTHER = "other";

/** What came of an attempt, as signals tell it. */
export type OutcomeWord = "succeeded" | "failed" | "cancelled" | "skipped" | "superseded";

/** What an error is called in `error.type`: "rate_limit_exceeded". */
const errorType = (reasonName: string): string => reasonName.toLowerCase();

/** The outcome of an attempt. One that had not ended when its call was over was left by the call's client. */
export function outcomeOf({ outcome }: AttemptRecord): OutcomeWord {
  if (outcome === Attempt_Outcome.UNSPECIFIED) return "cancelled";
  return (Attempt_Outcome[outcome]?.toLowerCase() ?? OTHER) as OutcomeWord;
}

/** What the gateway did after an attempt; undefined: nothing more. */
export function moveOf({ move }: AttemptRecord): string | undefined {
  return move === Attempt_Move.UNSPECIFIED ? undefined : (Attempt_Move[move]?.toLowerCase() ?? OTHER);
}

/** Why an attempt gave no answer: the reason of its error, or else its outcome; undefined for one that did. */
export function attemptErrorType(attempt: AttemptRecord): string | undefined {
  const outcome = outcomeOf(attempt);
  if (outcome === "succeeded") return undefined;
  return attempt.error === undefined ? outcome : errorType(attempt.error.reasonName);
}

/** A call without an error of ours may still be one that the RPC layer refused, such as with 415. */
export function callErrorType({ error }: CallLog, { status }: CallEnd): string | undefined {
  if (error !== undefined) return errorType(error.reasonName);
  return status >= 400 ? String(status) : undefined;
}

/** The attempt whose answer the caller got, or got a part of: usage, id and model of the answer are its own. */
export function answeringAttempt({ attempts }: CallLog): AttemptRecord | undefined {
  let partly: AttemptRecord | undefined;
  for (const attempt of attempts) {
    if (attempt.outcome === Attempt_Outcome.SUCCEEDED) return attempt;
    if (attempt.firstMs !== undefined && attempt.outcome !== Attempt_Outcome.SUPERSEDED) partly = attempt;
  }
  return partly;
}

/** Which model of which provider attempts were made at, as signals may name it. */
export interface AttemptTarget {
  readonly provider: string;
  readonly model: string;
  readonly origin: ProviderOrigin | undefined;
  /** The model that the provider says it answered with. */
  readonly responseModel: string | undefined;
}

/** Which model of which provider an attempt was made at. `isAnswering`: whether it is the one that the caller got something of. */
export function attemptTarget(
  { target, provider, model }: AttemptRecord,
  isAnswering: boolean,
  log: CallLog,
  names: KnownNames,
): AttemptTarget {
  const isKnown = names.isKnownModel(target);
  return {
    provider,
    model: isKnown ? model : OTHER,
    origin: names.originOf(provider),
    // Where nobody but the caller knows the model, the provider may repeat the caller's word.
    responseModel: isKnown && isAnswering ? log.upstreamModel : undefined,
  };
}

/** Says which model of which provider it is. */
export const targetAttributes = ({ provider, model }: AttemptTarget): Attributes => ({
  "parley.provider": provider,
  "gen_ai.request.model": model,
});

/** What the conventions want said of every call of a model. */
export function operationAttributes(target: AttemptTarget): Attributes {
  const { provider, origin, responseModel } = target;
  const attributes: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": providerName(origin?.vendor, provider),
    ...targetAttributes(target),
  };
  if (origin?.address !== undefined) {
    attributes["server.address"] = origin.address.host;
    attributes["server.port"] = origin.address.port;
  }
  if (responseModel !== undefined) attributes["gen_ai.response.model"] = responseModel;
  return attributes;
}

/** When an attempt ended, in milliseconds since the arrival of the call. */
export const attemptEndMs = (attempt: AttemptRecord, callMs: number): number =>
  Math.max(attempt.startedMs, attempt.endedMs ?? callMs);
