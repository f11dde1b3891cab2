import type { ConcurrencySettings } from "../config/provider-settings.ts";
import type { RoutingSettings } from "../config/settings.ts";
import { createBreaker, type TargetBreaker } from "./breaker.ts";
import { createKeyRing, type KeyRing } from "./key-ring.ts";
import { createLane, type Lane } from "./lane.ts";
import { createLatency, type Latency } from "./latency.ts";
import { createRetryBudget, type RetryBudget } from "./retry-budget.ts";

/** What is known of a target by the calls that went there. */
export interface TargetState {
  readonly lane: Lane;
  /** By kind of call: the first output of a stream, and a whole answer. */
  readonly latency: { readonly stream: Latency; readonly whole: Latency };
  readonly breaker: TargetBreaker;
  readonly budget: RetryBudget;
  /** The provider's keys at this target: one that has reached a limit here may not have reached it at another model. */
  readonly keys: KeyRing;
  /** The provider's keys at all its targets. */
  readonly providerKeys: KeyRing;
}

/** How long the target takes to what a call of that kind waits for. */
export const latencyOf = ({ latency }: TargetState, streaming: boolean): Latency =>
  streaming ? latency.stream : latency.whole;

/** Makes the state of a target that nobody has called. */
export function createTargetState(
  { retryBudget, breaker }: Pick<RoutingSettings, "retryBudget" | "breaker">,
  concurrency: ConcurrencySettings,
  providerKeys: KeyRing,
): TargetState {
  return {
    lane: createLane(concurrency),
    latency: { stream: createLatency(), whole: createLatency() },
    breaker: createBreaker(breaker),
    budget: createRetryBudget(retryBudget),
    keys: createKeyRing(providerKeys.size, providerKeys),
    providerKeys,
  };
}
