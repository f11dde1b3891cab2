import type { ConcurrencySettings } from "../config/provider-settings.ts";

/**
 * The places at one target: so many calls at once, and so many that wait, in the order in which they came. A call that gives up
 * leaves at once, so that none of those that wait is dead; no library's queue does that at the price of a counter.
 */
export interface Lane {
  /** Calls that have a place. */
  readonly inFlight: number;
  /** Calls that wait for one. */
  readonly waiting: number;
  /** Whether a call would get a place at once. */
  readonly hasPlace: boolean;
  /** Whether a call that has so many milliseconds could wait for one, by how long places were held lately. */
  hasRoomFor(leftMs: number): boolean;
  /** Takes a place, where there is one. */
  take(): boolean;
  /** Waits for a place, and takes it. Rejects with the signal's reason when that is aborted before. */
  wait(signal: AbortSignal): Promise<void>;
  /** Gives a place back that was held for so many milliseconds; undefined: it was not used. */
  leave(heldMs: number | undefined): void;
}

/** How much the newest time counts in the usual one. */
const NEWEST = 0.1;

/** Makes an empty one. */
export const createLane = (settings: ConcurrencySettings): Lane => new Places(settings);

/** A class, for the reason that the latency is one. */
class Places implements Lane {
  readonly #maxInFlight: number;
  readonly #maxQueue: number;
  readonly #queue = new Set<() => void>();
  #inFlight = 0;
  #usualMs = 0;

  constructor({ maxInFlight, maxQueue }: ConcurrencySettings) {
    this.#maxInFlight = maxInFlight;
    this.#maxQueue = maxQueue;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get hasPlace(): boolean {
    return this.#inFlight < this.#maxInFlight;
  }

  hasRoomFor(leftMs: number): boolean {
    const { size } = this.#queue;
    return size < this.#maxQueue && (this.#usualMs * (size + 1)) / this.#maxInFlight < leftMs;
  }

  take(): boolean {
    if (!this.hasPlace) return false;
    this.#inFlight += 1;
    return true;
  }

  wait(signal: AbortSignal): Promise<void> {
    const queue = this.#queue;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const next = (): void => {
        signal.removeEventListener("abort", gone);
        resolve();
      };
      const gone = (): void => {
        queue.delete(next);
        reject(signal.reason);
      };
      signal.addEventListener("abort", gone, { once: true });
      queue.add(next);
    });
  }

  leave(heldMs: number | undefined): void {
    if (heldMs !== undefined) this.#usualMs += (heldMs - this.#usualMs) * NEWEST;
    const [next] = this.#queue;
    if (next === undefined) {
      this.#inFlight -= 1;
      return;
    }
    // The place goes on to the one that waited longest.
    this.#queue.delete(next);
    next();
  }
}
