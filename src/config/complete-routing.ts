import {
  type Auto,
  type Concurrency,
  type ModelName,
  Policy,
  type Routing,
} from "../gen/parley/config/v1/config_pb.ts";
import { orMs } from "./duration.ts";
import type { ConcurrencySettings } from "./provider-settings.ts";
import type { AutoSettings, ModelNameSettings, PolicyName, RoutingSettings } from "./settings.ts";

/** The defaults that parley/config/v1/config.proto states. */
const DEFAULTS = {
  maxRetries: 2,
  maxWaitMs: 10_000,
  retryBurst: 10,
  retryRatio: 0.2,
  failureRatio: 0.5,
  window: 20,
  minCalls: 5,
  openMs: 1_000,
  maxOpenMs: 10_000,
  maxInFlight: 1_000,
  maxQueue: 1_000,
};

const POLICY_OF: Readonly<Record<Policy, PolicyName>> = {
  [Policy.UNSPECIFIED]: "quality",
  [Policy.QUALITY]: "quality",
  [Policy.COST]: "cost",
  [Policy.LATENCY]: "latency",
};

/** Makes the settings of a name for models. */
export function completeModelName({ id, targets, policy, weights }: ModelName): ModelNameSettings {
  return { id, targets: [...targets], policy: POLICY_OF[policy], weights: new Map(Object.entries(weights)) };
}

/** Makes the settings of "auto"; its list stays empty where the file has none. */
export function completeAuto(auto: Auto | undefined): AutoSettings {
  return { policy: POLICY_OF[auto?.policy ?? Policy.UNSPECIFIED], models: [...(auto?.models ?? [])] };
}

/** Makes the settings of how calls find a target that answers. */
export function completeRouting(routing: Routing | undefined): RoutingSettings {
  const { maxRetries, maxWait, retryBudget, breaker } = routing ?? {};
  return {
    maxRetries: maxRetries ?? DEFAULTS.maxRetries,
    maxWaitMs: orMs(maxWait, DEFAULTS.maxWaitMs),
    retryBudget: {
      burst: retryBudget?.burst ?? DEFAULTS.retryBurst,
      ratio: retryBudget?.ratio ?? DEFAULTS.retryRatio,
    },
    breaker: {
      failureRatio: breaker?.failureRatio ?? DEFAULTS.failureRatio,
      window: breaker?.window ?? DEFAULTS.window,
      minCalls: breaker?.minCalls ?? DEFAULTS.minCalls,
      openMs: orMs(breaker?.open, DEFAULTS.openMs),
      maxOpenMs: orMs(breaker?.maxOpen, DEFAULTS.maxOpenMs),
    },
  };
}

/** Makes the settings of how many calls a provider gets at once. */
export function completeConcurrency(concurrency: Concurrency | undefined): ConcurrencySettings {
  return {
    maxInFlight: concurrency?.maxInFlight ?? DEFAULTS.maxInFlight,
    maxQueue: concurrency?.maxQueue ?? DEFAULTS.maxQueue,
  };
}
