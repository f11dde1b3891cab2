/** How fast a measurement is forgotten: after this time, a third of it counts. */
const FORGET_MS = 30_000;

/**
 * How long a target usually takes to its first output: an average that follows a peak at once, and forgets with time (peak EWMA). Times
 * are milliseconds.
 */
export interface Latency {
  /** The average as it was when something was last measured; undefined before. */
  readonly usual: number | undefined;
  /** The same for comparisons: it sinks while nothing is measured, so that a slow target is tried again. 0 where nothing is known. */
  now(at: number): number;
  /** Takes a measurement, made at that time. */
  observe(ms: number, at: number): void;
}

/** Makes one that knows nothing. */
export function createLatency(): Latency {
  let usual: number | undefined;
  let measuredAt = 0;
  const weightAt = (at: number): number => Math.exp(-Math.max(0, at - measuredAt) / FORGET_MS);
  return {
    get usual() {
      return usual;
    },
    now: (at) => (usual === undefined ? 0 : usual * weightAt(at)),
    observe(ms, at) {
      const weight = usual === undefined ? 0 : weightAt(at);
      usual = usual === undefined || ms > usual ? ms : usual * weight + ms * (1 - weight);
      measuredAt = at;
    },
  };
}
