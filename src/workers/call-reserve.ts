import type { Allowance, Standing } from "../admission/limits/limiter.ts";
import type { Quota } from "../admission/limits/quota.ts";

/** In such a time calls are counted, to tell how many will come soon. */
const WINDOW_MS = 25;
/** Fewer calls in it are asked for one by one. */
const FEW = 4;
const MOST_AHEAD = 128;
/** What is not used within so many windows is surplus. */
const KEPT_WINDOWS = 4;
/** After so long without a call, nothing is known that is worth keeping. */
const IDLE_MS = 10_000;

/** Calls that were reserved ahead. */
export interface Reserved {
  /** They have this number and those that follow. */
  readonly first: number;
  readonly count: number;
  readonly quota: Quota;
  /** That were reserved for each of them. */
  readonly tokens: number;
  /** How it stood, when they and those of this process that were not used counted as left. */
  readonly standing: Standing;
}

/** The calls of one caller that are reserved and not made yet, and how many come. */
export class CallReserve {
  /** Whether some are being asked for. */
  isAsking = false;
  #calls: number[] = [];
  #latest: Reserved | undefined;
  #usedTokens = 0;
  #usedCalls = 0;
  #windowAtMs = Number.NEGATIVE_INFINITY;
  #inWindow = { calls: 0, tokens: 0 };
  #inLastWindow = { calls: 0, tokens: 0 };
  #usedSinceTick = 0;

  get size(): number {
    return this.#calls.length;
  }

  /** How many calls will come in the next window, as far as the last one tells; 0 for few. */
  get expected(): number {
    const count = Math.max(this.#inLastWindow.calls, this.#inWindow.calls);
    return count < FEW ? 0 : Math.min(count, MOST_AHEAD);
  }

  /** The most tokens that one of them will ask for. */
  get expectedTokens(): number {
    return Math.max(this.#inLastWindow.tokens, this.#inWindow.tokens);
  }

  /** Whether it is time to ask for more. */
  get isLow(): boolean {
    return this.#calls.length <= this.expected / 4;
  }

  isIdle(nowMs: number): boolean {
    return this.#calls.length === 0 && !this.isAsking && nowMs - this.#windowAtMs > IDLE_MS;
  }

  /** A call comes that asks for so many tokens. */
  note(tokens: number, nowMs: number): void {
    const sinceMs = nowMs - this.#windowAtMs;
    if (sinceMs >= WINDOW_MS) {
      this.#inLastWindow = sinceMs < 2 * WINDOW_MS ? this.#inWindow : { calls: 0, tokens: 0 };
      this.#inWindow = { calls: 0, tokens: 0 };
      this.#windowAtMs = nowMs;
    }
    this.#inWindow.calls += 1;
    this.#inWindow.tokens = Math.max(this.#inWindow.tokens, tokens);
  }

  /** Adds calls. Returns the numbers of those before that are of no use beside them: of other limits, or for fewer tokens. */
  add(reserved: Reserved): number[] {
    const { first, count, quota, tokens } = reserved;
    const before = this.#latest;
    const isAlike = before?.quota === quota && before.tokens === tokens;
    const useless = isAlike ? [] : this.#calls.splice(0);
    this.#latest = reserved;
    this.#usedTokens = 0;
    this.#usedCalls = 0;
    for (let at = 0; at < count; at++) this.#calls.push(first + at);
    return useless;
  }

  /** Takes the number of a call with so many tokens; undefined: there is none. */
  take(quota: Quota, tokens: number): number | undefined {
    const latest = this.#latest;
    if (latest === undefined || latest.quota !== quota || tokens > latest.tokens) return undefined;
    const call = this.#calls.shift();
    if (call === undefined) return undefined;
    this.#usedSinceTick += 1;
    this.#usedCalls += 1;
    this.#usedTokens += tokens;
    return call;
  }

  /** How it stands after the calls that were taken, as far as this process knows. */
  get standing(): Standing {
    const { requests, tokens } = this.#latest?.standing ?? {};
    return { requests: changed(requests, -this.#usedCalls), tokens: changed(tokens, -this.#usedTokens) };
  }

  /** How it stands for a caller, as whose so many calls and those of this reserve count as left, too. */
  withUnused({ requests, tokens }: Standing, more: number): Standing {
    const calls = this.#calls.length + more;
    return { requests: changed(requests, calls), tokens: changed(tokens, calls * (this.#latest?.tokens ?? 0)) };
  }

  /** Takes away the numbers of calls that won't be used soon; to be called once in each window. */
  takeSurplus(): number[] {
    const kept = KEPT_WINDOWS * this.#usedSinceTick;
    this.#usedSinceTick = 0;
    return this.#calls.splice(kept);
  }

  /** Takes all of them away. */
  takeAll(): number[] {
    return this.#calls.splice(0);
  }
}

function changed(allowance: Allowance | undefined, by: number): Allowance | undefined {
  if (allowance === undefined) return undefined;
  const { limit, remaining } = allowance;
  return { ...allowance, remaining: Math.max(0, Math.min(limit, remaining + by)) };
}
