import { OTHER } from "./attributes.ts";
import type { KnownNames } from "./known-names.ts";
import type { TargetGauge } from "./target-gauge.ts";

/** From what takes most calls to what takes none. */
const BREAKERS = ["closed", "half_open", "open"] as const;

/**
 * The same states, with the models alone that are known. Of each provider, the others are one: it has the calls of all, and the worst
 * of their breakers.
 */
export function knownTargets(targets: readonly TargetGauge[], names: KnownNames): readonly TargetGauge[] {
  const known: TargetGauge[] = [];
  const others = new Map<string, TargetGauge>();
  for (const target of targets) {
    const { provider, model } = target;
    if (names.isKnownModel(`${provider}/${model}`)) {
      known.push(target);
      continue;
    }
    const sum = others.get(provider) ?? { provider, model: OTHER, breaker: "closed", inFlight: 0, waiting: 0 };
    others.set(provider, {
      ...sum,
      breaker: BREAKERS.indexOf(target.breaker) > BREAKERS.indexOf(sum.breaker) ? target.breaker : sum.breaker,
      inFlight: sum.inFlight + target.inFlight,
      waiting: sum.waiting + target.waiting,
    });
  }
  return [...known, ...others.values()];
}
