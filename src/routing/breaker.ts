import { CircuitState, CountBreaker } from "cockatiel";
import type { BreakerSettings } from "../config/settings.ts";

/** Whether calls go to a target: all of them, none, or one that tries it. */
export type BreakerState = "closed" | "open" | "half_open";

/** A call's leave to go to a target. Exactly one of its three ends is told, once. */
export interface Pass {
  /** The target did its work, also where that was to refuse the call. */
  succeeded(): void;
  /** The target is at fault. */
  failed(): void;
  /** Nothing was learnt: the client went away, or another target was quicker. */
  abandoned(): void;
}

/** Keeps calls from a target that fails, and tries it with one call at a time until it is well again. */
export interface TargetBreaker {
  readonly state: BreakerState;
  /** When the next call may go: 0 for now, Infinity while another call tries the target. Unix milliseconds. */
  readonly readyAt: number;
  /** Lets a call go; undefined: it may not. */
  admit(): Pass | undefined;
}

/** Makes a breaker that is closed. Its clock is `Date.now`. */
export function createBreaker(settings: BreakerSettings): TargetBreaker {
  return new CountingBreaker(settings);
}

/** The library counts; which state the counts lead to is said here, without a promise for each call as its own policy has it. */
class CountingBreaker implements TargetBreaker {
  readonly #openMs: number;
  readonly #maxOpenMs: number;
  readonly #counts: CountBreaker;
  #state: BreakerState = "closed";
  #readyAt = 0;
  /** How often it has opened since it was last closed. */
  #openings = 0;
  /** How often the state has changed. What was begun before says nothing of what is now. */
  #changes = 0;

  constructor({ failureRatio, window, minCalls, openMs, maxOpenMs }: BreakerSettings) {
    this.#openMs = openMs;
    this.#maxOpenMs = maxOpenMs;
    this.#counts = new CountBreaker({ threshold: failureRatio, size: window, minimumNumberOfCalls: minCalls });
  }

  get state(): BreakerState {
    return this.#state;
  }

  get readyAt(): number {
    return this.#readyAt;
  }

  admit(): Pass | undefined {
    if (this.#state === "closed") return new CallPass(this, this.#changes);
    if (this.#readyAt > Date.now()) return undefined;
    // A trial; or the next one, where the one before was given up.
    if (this.#state === "open") this.#turn("half_open");
    this.#readyAt = Number.POSITIVE_INFINITY;
    return new CallPass(this, this.#changes);
  }

  /** A call that was let go after so many changes has ended. */
  ended(changes: number, end: keyof Pass): void {
    if (changes !== this.#changes) return;
    if (end === "abandoned") {
      if (this.#state === "half_open") this.#readyAt = 0;
    } else if (end === "succeeded") this.#succeeded();
    else if (this.#counts.failure(COUNTED[this.#state])) this.#open();
  }

  #succeeded(): void {
    this.#counts.success(COUNTED[this.#state]);
    if (this.#state !== "half_open") return;
    this.#turn("closed");
    this.#readyAt = 0;
    this.#openings = 0;
  }

  #open(): void {
    this.#turn("open");
    this.#readyAt = Date.now() + Math.min(this.#openMs * 2 ** Math.min(this.#openings, 30), this.#maxOpenMs);
    this.#openings += 1;
  }

  #turn(state: BreakerState): void {
    this.#state = state;
    this.#changes += 1;
  }
}

/** The states as the library names them to its counter. */
const COUNTED: Readonly<Record<BreakerState, CircuitState>> = {
  closed: CircuitState.Closed,
  open: CircuitState.Open,
  half_open: CircuitState.HalfOpen,
};

class CallPass implements Pass {
  readonly #breaker: CountingBreaker;
  readonly #changes: number;

  constructor(breaker: CountingBreaker, changes: number) {
    this.#breaker = breaker;
    this.#changes = changes;
  }

  succeeded(): void {
    this.#breaker.ended(this.#changes, "succeeded");
  }

  failed(): void {
    this.#breaker.ended(this.#changes, "failed");
  }

  abandoned(): void {
    this.#breaker.ended(this.#changes, "abandoned");
  }
}
