import type { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { isAway } from "./persist.ts";

/** That a run has to wait, and is tried again. */
export interface Delay {
  readonly afterMs: number;
  /** Whether it waits for its owner's limits: then others of that owner have to, too. */
  readonly isLimited: boolean;
}

/** Time after which a run is tried again that this process could not try now. */
const LATER_MS = 1_000;

/** Longest time until a run is tried again that its owner's limits refused: limits can be raised, and budgets, too. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Whether a run that failed so has to wait instead: for its owner's limits, which refused it before anything came of it, for a server
 * that does not go down, or for the store. The gateway has done its retries; whatever else fails is final. `isCalled`: it came so far
 * that the gateway was called.
 */
export function delayOf(
  error: GatewayError,
  { isCalled, hasEvents }: { readonly isCalled: boolean; readonly hasEvents: boolean },
): Delay | undefined {
  const { retryAfterMs = LATER_MS, quota = "" } = error.details;
  if (error.reason === Reason.SHUTTING_DOWN) return { afterMs: retryAfterMs, isLimited: false };
  if (!isCalled && isAway(error)) return { afterMs: LATER_MS, isLimited: false };
  if (error.reason === Reason.RATE_LIMIT_EXCEEDED && quota.startsWith("key:") && !hasEvents) {
    return { afterMs: Math.min(retryAfterMs, LONGEST_WAIT_MS), isLimited: true };
  }
  return undefined;
}
