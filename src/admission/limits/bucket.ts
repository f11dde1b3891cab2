import type { Allowance } from "./limiter.ts";

/** The time in which an empty bucket fills. */
const FILL_MS = 60_000;

/**
 * An allowance that refills all the time. It holds a minute's worth, and may fall below nothing: that is debt, which the refill
 * repays first.
 *
 * Its level is counted in parts, of which an allowed unit has as many as a minute has milliseconds; so a millisecond brings
 * exactly `limit` parts, and no refill is ever rounded. Times are whole milliseconds.
 */
export class Bucket {
  #limit: number;
  #level: number;
  #atMs: number;

  /** A full one. */
  constructor(limit: number, nowMs: number) {
    this.#limit = limit;
    this.#level = limit * FILL_MS;
    this.#atMs = nowMs;
  }

  /** Refills it up to now. */
  refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return;
    this.#level = Math.min(this.#limit * FILL_MS, this.#level + (nowMs - this.#atMs) * this.#limit);
    this.#atMs = nowMs;
  }

  /** Gives it another limit from now on: as full as it was, by its share; debt stays what it is. */
  resize(limit: number): void {
    if (limit === this.#limit) return;
    if (this.#level > 0) this.#level = Math.min(limit * FILL_MS, Math.floor((this.#level / this.#limit) * limit));
    this.#limit = limit;
  }

  /** The least milliseconds after which that much can be taken; 0: now. For more than it holds, it has to be full. */
  waitFor(amount: number): number {
    const missing = Math.min(amount, this.#limit) * FILL_MS - this.#level;
    return missing <= 0 ? 0 : Math.ceil(missing / this.#limit);
  }

  take(amount: number): void {
    this.#level -= amount * FILL_MS;
  }

  /** Gives back what was taken too much; a negative amount is taken. */
  give(amount: number): void {
    this.#level = Math.min(this.#limit * FILL_MS, this.#level + amount * FILL_MS);
  }

  get isFull(): boolean {
    return this.#level >= this.#limit * FILL_MS;
  }

  get allowance(): Allowance {
    return {
      limit: this.#limit,
      remaining: Math.max(0, Math.floor(this.#level / FILL_MS)),
      resetMs: Math.ceil((this.#limit * FILL_MS - this.#level) / this.#limit),
    };
  }
}
