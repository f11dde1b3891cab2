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
  /** Nothing had come after that long: that counts where it is longer than usual. */
  outlasted(ms: number, at: number): void;
}

/** Makes one that knows nothing. */
export const createLatency = (): Latency => new PeakLatency();

/** A class: objects with getters of their own are each of a shape of its own to V8, and many are read for one call. */
class PeakLatency implements Latency {
  #usual: number | undefined;
  #measuredAt = 0;

  get usual(): number | undefined {
    return this.#usual;
  }

  now(at: number): number {
    return this.#usual === undefined ? 0 : this.#usual * this.#weightAt(at);
  }

  observe(ms: number, at: number): void {
    const weight = this.#usual === undefined ? 0 : this.#weightAt(at);
    this.#usual = this.#usual === undefined || ms > this.#usual ? ms : this.#usual * weight + ms * (1 - weight);
    this.#measuredAt = at;
  }

  outlasted(ms: number, at: number): void {
    if (this.#usual === undefined || ms > this.#usual) this.observe(ms, at);
  }

  #weightAt(at: number): number {
    return Math.exp(-Math.max(0, at - this.#measuredAt) / FORGET_MS);
  }
}
