import type { GatewayError } from "../errors/gateway-error.ts";
import { Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";
import type { AttemptRecord } from "./attempt-record.ts";

/** Longest name of a target that is shown whole: callers choose names of models. */
const MAX_TARGET = 100;

/**
 * One attempt in a few words: "openai/gpt-4o=overloaded;ms=120". After "=" stands the reason of a failure, or else what came of it; "ms"
 * is how long it took, and is not there where nobody was asked, or where it has not ended. `nameOf` writes the target's name.
 */
export function formatAttempt(
  { target, outcome, error, startedMs, endedMs }: AttemptRecord,
  nameOf: (name: string) => string = (name) => name,
): string {
  const word = outcome === Attempt_Outcome.FAILED ? reasonOf(error) : (OUTCOMES[outcome] ?? "failed");
  const isTimed = endedMs !== undefined && outcome !== Attempt_Outcome.SKIPPED;
  const name = target.length > MAX_TARGET ? `${target.slice(0, MAX_TARGET)}…` : target;
  return `${nameOf(name)}=${word}${isTimed ? `;ms=${Math.round(endedMs - startedMs)}` : ""}`;
}

const OUTCOMES: Readonly<Partial<Record<Attempt_Outcome, string>>> = {
  [Attempt_Outcome.UNSPECIFIED]: "answering",
  [Attempt_Outcome.SUCCEEDED]: "succeeded",
  [Attempt_Outcome.CANCELLED]: "cancelled",
  [Attempt_Outcome.SKIPPED]: "skipped",
  [Attempt_Outcome.SUPERSEDED]: "superseded",
};

const reasonOf = (error: GatewayError | undefined): string => (error?.reasonName ?? "failed").toLowerCase();

/** Most attempts that a line of the log names. */
const MAX_NAMED = 20;

/** The attempts of a call for its line in the log; undefined where one was made, and it succeeded. */
export function formatAttempts(attempts: readonly AttemptRecord[]): string[] | undefined {
  if (attempts.length === 0) return undefined;
  if (attempts.length === 1 && attempts[0]?.outcome === Attempt_Outcome.SUCCEEDED) return undefined;
  const named = attempts.slice(0, MAX_NAMED).map((attempt) => formatAttempt(attempt));
  return attempts.length > MAX_NAMED ? [...named, "…"] : named;
}
