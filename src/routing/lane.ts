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
export function createLane({ maxInFlight, maxQueue }: ConcurrencySettings): Lane {
  let inFlight = 0;
  let usualMs = 0;
  const queue = new Set<() => void>();
  return {
    get inFlight() {
      return inFlight;
    },
    get waiting() {
      return queue.size;
    },
    get hasPlace() {
      return inFlight < maxInFlight;
    },
    hasRoomFor: (leftMs) => queue.size < maxQueue && (usualMs * (queue.size + 1)) / maxInFlight < leftMs,
    take() {
      if (inFlight >= maxInFlight) return false;
      inFlight += 1;
      return true;
    },
    wait(signal) {
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
    },
    leave(heldMs) {
      if (heldMs !== undefined) usualMs += (heldMs - usualMs) * NEWEST;
      const [next] = queue;
      if (next === undefined) {
        inFlight -= 1;
        return;
      }
      // The place goes on to the one that waited longest.
      queue.delete(next);
      next();
    },
  };
}
