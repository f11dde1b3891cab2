/** What one loop sleeps by, and others wake it with. */
export interface Alarm {
  /** Ends the sleep, or the next one where there is none. */
  ring(): void;
  /** Sleeps that many milliseconds, or until it rings. */
  sleep(ms: number): Promise<void>;
}

/** Makes an alarm that has not rung. */
export function createAlarm(): Alarm {
  let hasRung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      hasRung = true;
      wake?.();
    },
    async sleep(ms) {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wake = undefined;
      hasRung = false;
    },
  };
}
