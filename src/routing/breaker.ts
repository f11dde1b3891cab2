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
  /** The trial of a target whose call was given up: the next call takes it over. */
  #orphan: PromiseWithResolvers<void> | undefined;

  constructor({ failureRatio, window, minCalls, openMs, maxOpenMs }: BreakerSettings) {
    this.#policy = circuitBreaker(policyOf, {
      breaker: new CountBreaker({ threshold: failureRatio, size: window, minimumNumberOfCalls: minCalls }),
      // The library keeps the time to itself; here it is told.
      halfOpenAfter: new DelegateBackoff(({ attempt }) => {
        const ms = Math.min(openMs * 2 ** Math.min(attempt - 1, 30), maxOpenMs);
        this.#readyAt = Date.now() + ms;
        return ms;
      }),
    });
    this.#policy.onStateChange((state) => {
      this.#orphan = undefined;
      if (state === CircuitState.Closed) this.#readyAt = 0;
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
    return {
      succeeded: () => running.resolve(),
      failed: () => running.reject(new Error("the target failed")),
      abandoned: () => {
        // To the library, what is no failure of a trial is its success.
        if (isTrial && this.#policy.state === CircuitState.HalfOpen) this.#orphan = running;
        else running.reject(ABANDONED);
      },
    };
  }

  #begin(): PromiseWithResolvers<void> {
    const running = Promise.withResolvers<void>();
    // What it ends with is for the one who has the pass to say.
    this.#policy.execute(() => running.promise).catch(() => undefined);
    return running;
  }
}
