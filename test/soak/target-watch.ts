import type { Metric } from "./metrics.ts";

/** What the gateway's metrics said of its targets, from time to time. Times are those of `performance.now()`. */
export interface TargetWatch {
  /** How often a breaker was seen open that was not open before. */
  readonly openings: number;
  note(metrics: readonly Metric[]): void;
  /** Whether the target's breaker was seen open, or half open, within that time. */
  wasOpen(target: string, from: number, to: number): boolean;
  /** The most calls that the target was seen to have within that time. */
  mostInFlight(target: string, from: number, to: number): number;
}

/** Makes one that has seen nothing. */
export function createTargetWatch(clock: () => number = () => performance.now()): TargetWatch {
  const seen = new Map<string, { readonly at: number; readonly value: number }[]>();
  const keyOf = (name: string, target: string): string => `${name} ${target}`;
  let openings = 0;
  const valuesOf = (name: string, target: string, from: number, to: number): readonly number[] =>
    (seen.get(keyOf(name, target)) ?? []).filter(({ at }) => from <= at && at <= to).map(({ value }) => value);
  return {
    get openings() {
      return openings;
    },
    note(metrics) {
      const at = clock();
      for (const { name, labels, value } of metrics) {
        if (name !== BREAKER && name !== IN_FLIGHT) continue;
        const key = keyOf(name, `${labels["parley_provider"]}/${labels["gen_ai_request_model"]}`);
        const before = seen.get(key) ?? [];
        if (name === BREAKER && value === 2 && before.at(-1)?.value !== 2) openings += 1;
        seen.set(key, before);
        before.push({ at, value });
      }
    },
    wasOpen: (target, from, to) => valuesOf(BREAKER, target, from, to).some((value) => value !== 0),
    mostInFlight: (target, from, to) => Math.max(0, ...valuesOf(IN_FLIGHT, target, from, to)),
  };
}

const BREAKER = "parley_target_breaker";
const IN_FLIGHT = "parley_target_in_flight";
