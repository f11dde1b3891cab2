/** A moment in which a process was late. */
export interface Lag {
  /** When it was noticed, in Unix milliseconds. */
  readonly at: number;
  /** By how many milliseconds. */
  readonly ms: number;
}

const EACH_MS = 20;
/** What is not worth telling, in milliseconds. */
const USUAL_MS = 50;

/** Watches how late the timers of this process are, and gives what it has noticed since it was asked last. */
export function watchLag(): { take(): readonly Lag[]; end(): void } {
  let found: Lag[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const ms = now - last - EACH_MS;
    last = now;
    if (ms > USUAL_MS) found.push({ at: Date.now(), ms });
  }, EACH_MS).unref();
  return {
    take() {
      const taken = found;
      found = [];
      return taken;
    },
    end: () => clearInterval(timer),
  };
}

/** By how much processes were late within a time of `performance.now()`, all in all; in milliseconds. */
export function lagWithin(lags: readonly Lag[], from: number, to: number): number {
  const { timeOrigin } = performance;
  return lags.reduce(
    (sum, { at, ms }) => (from <= at - timeOrigin && at - timeOrigin - ms <= to ? sum + ms : sum),
    2 * USUAL_MS,
  );
}
