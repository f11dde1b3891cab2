import { ExponentialBackoff, fullJitterGenerator, type IBackoffFactory } from "cockatiel";
import type { GatewayError } from "../errors/gateway-error.ts";
import { freshKey, keysReadyAt, pickKey } from "../routing/key-ring.ts";
import type { Stop } from "../routing/step.ts";
import type { Candidate } from "../routing/target.ts";
import type { Verdict } from "../routing/verdict.ts";

/** Time before a target is asked again: random, up to 250 ms the first time, and doubled each further time, up to 8 s. */
const BACKOFF = new ExponentialBackoff({ generator: fullJitterGenerator, initialDelay: 250, maxDelay: 8_000 });

/** One target on the way of one call: what the call has tried there, and what came of it. */
export class Leg {
  readonly candidate: Candidate;
  /** Whether the call's report says already that it was passed over. */
  isNoted = false;
  /** How often it was asked, without those tries that only tried another key. */
  #tries = 0;
  /** The keys that were refused to this call; undefined: none was. There is a leg for each target of each call. */
  #refusedKeys: Set<number> | undefined;
  #wasAsked = false;
  #isOut = false;
  #isNext = false;
  #notBefore = 0;
  #backoff: IBackoffFactory<unknown> & { readonly duration?: number } = BACKOFF;

  constructor(candidate: Candidate) {
    this.candidate = candidate;
  }

  /** Whether it can be asked yet, and was not. */
  get isUntried(): boolean {
    return this.#tries === 0 && !this.#isOut;
  }

  /** Whether there is a retry left for it, where it takes one to ask it. */
  get mayBeAsked(): boolean {
    return this.#tries === 0 || this.candidate.target.state.budget.hasOne;
  }

  /** Whether there is a place for a call. */
  get hasPlace(): boolean {
    return this.candidate.target.state.lane.hasPlace;
  }

  /** The key to ask it with. */
  pickKey(now: number): number {
    return pickKey(this.candidate.target.state.keys, now, this.#refusedKeys);
  }

  /** What is known of it now. */
  stop(now: number, leftMs: number): Stop {
    const { lane, breaker, budget, keys } = this.candidate.target.state;
    const { readyAt } = breaker;
    return {
      tries: this.#tries,
      isOut: this.#isOut,
      isNext: this.#isNext,
      notBefore: this.#notBefore,
      breakerReadyAt: readyAt <= now ? 0 : readyAt,
      keysReadyAt: keysReadyAt(keys, now),
      hasPlace: lane.hasPlace,
      hasRoom: lane.hasRoomFor(leftMs),
      hasRetry: budget.hasOne,
    };
  }

  /** It will not be asked any more. */
  leaveOut(): void {
    this.#isOut = true;
  }

  /** It is asked. */
  asked(): void {
    const { budget } = this.candidate.target.state;
    if (!this.#wasAsked) budget.earn();
    if (this.#tries > 0) budget.spend();
    this.#wasAsked = true;
    this.#tries += 1;
    this.#isNext = false;
  }

  /** An attempt with that key failed. */
  failed({ again, keyRestMs, isOfModel }: Verdict, { details }: GatewayError, key: number, now: number): void {
    const { backend, state } = this.candidate.target;
    if (keyRestMs !== undefined) {
      (isOfModel ? state.keys : state.providerKeys).rest(key, now + keyRestMs);
      this.#refusedKeys ??= new Set();
      this.#refusedKeys.add(key);
      // Each key is tried once at once, however short its rest is.
      if (freshKey(state.keys, now, this.#refusedKeys) !== undefined) {
        this.#tries -= 1;
        this.#isNext = true;
        return;
      }
    }
    // Without a network between, the same call fails in the same way.
    if (again === "no" || !backend.networked) this.#isOut = true;
    else if (again === "at_once" && this.#tries === 1) this.#isNext = true;
    else this.#waitFor(details.retryAfterMs, now);
  }

  #waitFor(retryAfterMs: number | undefined, now: number): void {
    const backoff = this.#backoff.next(undefined);
    this.#backoff = backoff;
    this.#notBefore = now + Math.max(backoff.duration, retryAfterMs ?? 0);
  }
}
