/** What one loop sleeps by, and others wake it with. */
export interface Alarm {
  /** Ends the sleep, or the next one where there is none. */
  ring(): void;
  /** Sees to it that no sleep goes on longer than that many milliseconds from now. */
  ringIn(ms: number): void;
  /** Sleeps that many milliseconds, or until it rings. */
  sleep(ms: number): Promise<void>;
}

/** Makes an alarm that has not rung. */
export function createAlarm(): Alarm {
  let hasRung = false;
  /** When it rings by itself. */
  let soonest = Number.POSITIVE_INFINITY;
  let wake: (() => void) | undefined;

  const ring = (): void => {
    hasRung = true;
    wake?.();
  };
  return {
    ring,
    ringIn(ms) {
      soonest = Math.min(soonest, performance.now() + ms);
      // Whoever sleeps has to look at the clock anew.
      if (wake !== undefined) ring();
    },
    async sleep(ms) {
      if (!hasRung) {
        const forMs = Math.max(0, Math.min(ms, soonest - performance.now()));
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, forMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      if (performance.now() >= soonest) soonest = Number.POSITIVE_INFINITY;
      wake = undefined;
      hasRung = false;
    },
  };
}
