import type { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/** What a failed attempt means for the call and for the target. */
export interface Verdict {
  /** Whether the same target may be asked again: at once, or after the others and a while. */
  readonly again: "no" | "at_once" | "later";
  /** Whether the provider's next key may be tried at once, and for how long this one is to be left alone, in milliseconds. */
  readonly keyRestMs: number | undefined;
  /** Whether the key rests at this model only, and not at all of the provider's. */
  readonly isOfModel: boolean;
  /** Which other targets may be asked. */
  readonly elsewhere: "no" | "any" | "larger";
  /** Whether the target is at fault: its breaker counts it. */
  readonly isFault: boolean;
}

/** How long a key rests that was refused, or whose budget is used up: somebody has to mend that. */
const BAD_KEY_REST_MS = 60_000;
/** How long a key rests at a limit, where the provider does not say. */
const LIMIT_REST_MS = 1_000;

const verdict = (
  again: Verdict["again"],
  elsewhere: Verdict["elsewhere"],
  isFault: boolean,
  keyRestMs?: number,
  isOfModel = false,
): Verdict => ({ again, elsewhere, isFault, keyRestMs, isOfModel });

/** The request is at fault: others would refuse it, too. */
const END = verdict("no", "no", false);
/** The target does not take this call; another may. */
const ELSEWHERE = verdict("no", "any", false);
/** The target failed, and may be well in a moment. */
const FAILED = verdict("later", "any", true);
/** It had a reason of the moment, and is well. */
const AT_ONCE = verdict("at_once", "any", false);

/** What each reason means. Reasons that no provider's answer leads to end the call. */
const TABLE: Readonly<Partial<Record<Reason, Verdict>>> = {
  [Reason.CONTEXT_LENGTH_EXCEEDED]: verdict("no", "larger", false),
  [Reason.PERMISSION_DENIED]: ELSEWHERE,
  [Reason.MODEL_NOT_FOUND]: ELSEWHERE,
  [Reason.REQUEST_TOO_LARGE]: ELSEWHERE,
  [Reason.NOT_IMPLEMENTED]: ELSEWHERE,
  // A fault of the gateway's own, in what it does for this target.
  [Reason.INTERNAL]: ELSEWHERE,
  [Reason.UNSUPPORTED_PARAMETER]: ELSEWHERE,
  [Reason.UNSUPPORTED_VALUE]: ELSEWHERE,
  [Reason.REQUEST_TIMEOUT]: AT_ONCE,
  [Reason.CONFLICT]: AT_ONCE,
  [Reason.UPSTREAM_ERROR]: FAILED,
  [Reason.UPSTREAM_INVALID_RESPONSE]: FAILED,
  [Reason.UPSTREAM_STREAM_INTERRUPTED]: FAILED,
  [Reason.UPSTREAM_UNREACHABLE]: FAILED,
  [Reason.OVERLOADED]: FAILED,
  [Reason.DEADLINE_EXCEEDED]: FAILED,
  [Reason.UPSTREAM_AUTHENTICATION_FAILED]: verdict("no", "any", false, BAD_KEY_REST_MS),
  [Reason.UPSTREAM_QUOTA_EXHAUSTED]: verdict("no", "any", false, BAD_KEY_REST_MS),
};

/** Says what it means that a target was silent for too long: it is not asked again, and is at fault where it had time enough. */
export const silenceVerdict = (isFault: boolean): Verdict => verdict("no", "any", isFault);

/** Says what a provider's failure means. */
export function verdictOf(error: GatewayError): Verdict {
  const { reason, retryable, details } = error;
  if (reason === Reason.RATE_LIMIT_EXCEEDED || reason === Reason.INSUFFICIENT_QUOTA) {
    const restMs = details.retryAfterMs ?? LIMIT_REST_MS;
    return verdict(retryable ? "later" : "no", "any", false, retryable ? restMs : BAD_KEY_REST_MS, true);
  }
  const known = TABLE[reason] ?? END;
  // What the provider itself says of another try wins over the table.
  if (known.again !== "no" && details.retryable === false) return { ...known, again: "no" };
  if (known.again === "no" && details.retryable === true) return { ...known, again: "later" };
  if (known === FAILED && isBroken(error)) return BROKEN;
  return known;
}

/**
 * A connection that broke. Where the other side closed one that was kept, a new one will do. It counts all the same: a target that is
 * down may break them all.
 */
const BROKEN = verdict("at_once", "any", true);

const BROKEN_CODES: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

function isBroken({ reason, details: { cause } }: GatewayError): boolean {
  return (
    reason === Reason.UPSTREAM_UNREACHABLE && cause instanceof Error && "code" in cause && BROKEN_CODES.has(cause.code)
  );
}
