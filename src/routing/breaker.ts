import { CircuitState, CountBreaker, circuitBreaker, DelegateBackoff, handleWhen } from "cockatiel";
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

/** What a pass is given up with. It is no failure to the breaker. */
const ABANDONED = new Error("nothing was learnt");

const policyOf = handleWhen((error) => error !== ABANDONED);

/** Makes a breaker that is closed. Its clock is `Date.now`. */
export function createBreaker(settings: BreakerSettings): TargetBreaker {
  return new CountingBreaker(settings);
}

class CountingBreaker implements TargetBreaker {
  readonly #policy;
  #readyAt = 0;
  /** How long the next time out is, as the library is told. */
  #outMs = 0;
  /** How often the state has changed. What was begun before says nothing of what is now. */
  #changes = 0;
  /** The trial of a target whose call was given up: the next call takes it over. */
  #orphan: PromiseWithResolvers<void> | undefined;

  constructor({ failureRatio, window, minCalls, openMs, maxOpenMs }: BreakerSettings) {
    this.#policy = circuitBreaker(policyOf, {
      breaker: new CountBreaker({ threshold: failureRatio, size: window, minimumNumberOfCalls: minCalls }),
      halfOpenAfter: new DelegateBackoff(({ attempt }) => {
        this.#outMs = Math.min(openMs * 2 ** Math.min(attempt - 1, 30), maxOpenMs);
        return this.#outMs;
      }),
    });
    this.#policy.onStateChange((state) => {
      this.#orphan = undefined;
      this.#changes += 1;
      if (state === CircuitState.Closed) this.#readyAt = 0;
      // The library has read the clock before, so that it lets the call go which comes then.
      if (state === CircuitState.Open) this.#readyAt = Date.now() + this.#outMs;
      if (state === CircuitState.HalfOpen) this.#readyAt = Number.POSITIVE_INFINITY;
    });
  }

  get state(): BreakerState {
    switch (this.#policy.state) {
      case CircuitState.Closed:
        return "closed";
      case CircuitState.HalfOpen:
        return "half_open";
      default:
        return "open";
    }
  }

  get readyAt(): number {
    return this.#orphan === undefined ? this.#readyAt : 0;
  }

  admit(): Pass | undefined {
    if (this.readyAt > Date.now()) return undefined;
    const running = this.#orphan ?? this.#begin();
    this.#orphan = undefined;
    const isTrial = this.#policy.state === CircuitState.HalfOpen;
    const changes = this.#changes;
    const abandoned = (): void => {
      // To the library, what is no failure of a trial is its success.
      if (isTrial && this.#changes === changes) this.#orphan = running;
      else running.reject(ABANDONED);
    };
    return {
      succeeded: () => (this.#changes === changes ? running.resolve() : abandoned()),
      failed: () => (this.#changes === changes ? running.reject(new Error("the target failed")) : abandoned()),
      abandoned,
    };
  }

  #begin(): PromiseWithResolvers<void> {
    const running = Promise.withResolvers<void>();
    // What it ends with is for the one who has the pass to say.
    this.#policy.execute(() => running.promise).catch(() => undefined);
    return running;
  }
}
