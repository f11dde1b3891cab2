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

/**
 * How late things can be that happened within a time of `performance.now()`, in milliseconds: by all that the processes were late then, or
 * by the slowest of the questions that were asked to see how long one takes, there and back.
 */
export function lagWithin(
  { lags, questions }: { readonly lags: readonly Lag[]; readonly questions: readonly Lag[] },
  from: number,
  to: number,
): number {
  const { timeOrigin } = performance;
  const within = (all: readonly Lag[]): readonly number[] =>
    all.filter(({ at, ms }) => from <= at - timeOrigin && at - timeOrigin - ms <= to).map(({ ms }) => ms);
  const late = within(lags).reduce((sum, ms) => sum + ms, 2 * USUAL_MS);
  return Math.max(late, 2 * Math.max(0, ...within(questions)));
}
