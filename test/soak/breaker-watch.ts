import type { Metric } from "./metrics.ts";

/** What was seen of the breakers, from time to time. Times are those of `performance.now()`. */
export interface BreakerWatch {
  /** How often one was seen open that was not open before. */
  readonly openings: number;
  note(metrics: readonly Metric[]): void;
  /** Whether the target's breaker was seen open, or half open, within that time. */
  wasOpen(target: string, from: number, to: number): boolean;
}

/** Makes one that has seen nothing. */
export function createBreakerWatch(clock: () => number = () => performance.now()): BreakerWatch {
  const seen = new Map<string, { readonly at: number; readonly value: number }[]>();
  let openings = 0;
  return {
    get openings() {
      return openings;
    },
    note(metrics) {
      const at = clock();
      for (const { name, labels, value } of metrics) {
        if (name !== "parley_target_breaker") continue;
        const target = `${labels["parley_provider"]}/${labels["gen_ai_request_model"]}`;
        const before = seen.get(target) ?? [];
        if (value === 2 && before.at(-1)?.value !== 2) openings += 1;
        seen.set(target, before);
        before.push({ at, value });
      }
    },
    wasOpen: (target, from, to) =>
      (seen.get(target) ?? []).some(({ at, value }) => value !== 0 && from <= at && at <= to),
  };
}
