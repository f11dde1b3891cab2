/**
 * How often calls may ask one target again: never more than `burst`, and `ratio` for each call that asked it for the first time.
 * So retries stay a share of the calls, also while all of them fail.
 */
export interface RetryBudget {
  /** Whether there is a retry left. */
  readonly hasOne: boolean;
  /** A call asked the target for the first time. */
  earn(): void;
  /** A call asks it again. */
  spend(): void;
}

/** Makes a full one. */
export function createRetryBudget({ burst, ratio }: { readonly burst: number; readonly ratio: number }): RetryBudget {
  let left = burst;
  return {
    get hasOne() {
      return left >= 1;
    },
    earn() {
      left = Math.min(burst, left + ratio);
    },
    spend() {
      left -= 1;
    },
  };
}
