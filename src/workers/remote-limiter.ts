import { setImmediate as nextTurn } from "node:timers/promises";
import type { Ask, Grant, Limiter, Refusal, Standing, Use } from "../admission/limits/limiter.ts";
import { FREE, NO_STANDING } from "../admission/limits/memory-limiter.ts";
import { isUnlimited, type Quota } from "../admission/limits/quota.ts";
import { createSweep } from "../admission/limits/sweep.ts";
import { CallReserve } from "./call-reserve.ts";
import type { Channel } from "./channel.ts";
import type { PrimaryService, Settled, Verdict } from "./protocol.ts";

/** A worker's limiter: it asks the primary, which knows the calls of all workers. Where many calls of a caller come, it asks ahead. */
export interface RemoteLimiter extends Limiter {
  /** Gives back what was reserved ahead of a caller's calls, and tells what became of those that are over. */
  recall(caller: string): Promise<void>;
}

/** How often is looked whether what was reserved ahead will be used, and how long what became of calls waits to be told then. */
const TICK_MS = 25;

/** Makes one. `now`: milliseconds of a clock that only goes forward. */
export function createRemoteLimiter(
  primary: Pick<Channel<PrimaryService>, "ask" | "tell">,
  now = (): number => performance.now(),
): RemoteLimiter {
  /** By caller: of whole answers, and of streams. */
  const reserves = new Map<string, readonly [whole: CallReserve, stream: CallReserve]>();
  const sweep = createSweep(reserves, (pair: readonly CallReserve[], nowMs) => pair.every((it) => it.isIdle(nowMs)));
  let settled: Settled[] = [];
  let lastCall = 0;
  let timer: NodeJS.Timeout | undefined;

  function reserveOf(caller: string, stream: boolean, nowMs: number): CallReserve {
    let pair = reserves.get(caller);
    if (pair === undefined) {
      sweep(nowMs);
      pair = [new CallReserve(), new CallReserve()];
      reserves.set(caller, pair);
    }
    return pair[stream ? 1 : 0];
  }

  function tellSettled(): void {
    if (settled.length === 0) return;
    primary.tell("settle", settled);
    settled = [];
  }

  function giveBack(calls: readonly number[]): void {
    if (calls.length > 0) primary.tell("undo", calls);
  }

  function tick(): void {
    tellSettled();
    let held = 0;
    for (const pair of reserves.values()) {
      for (const reserve of pair) {
        if (reserve.size === 0) continue;
        giveBack(reserve.takeSurplus());
        held += reserve.size;
      }
    }
    if (held > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  /** Asks for a call and for so many more, which are kept. `isSpare`: so is the call itself, where any more is granted. */
  async function request(
    caller: string,
    quota: Quota,
    { tokens: least, stream }: Ask,
    reserve: CallReserve,
    count: number,
    isSpare = false,
  ): Promise<{ readonly call: number; readonly verdict: Verdict }> {
    const call = lastCall + 1;
    lastCall += 1 + count;
    const tokens = Math.max(least, reserve.expectedTokens);
    const asked = { tokens: isSpare ? tokens : least, stream };
    const verdict = await primary.ask("reserve", call, caller, quota, asked, { count, tokens });
    if (!verdict.granted) return { call, verdict };
    const own = isSpare ? 1 : 0;
    const standing = reserve.withUnused(verdict.standing, own);
    if (verdict.ahead > 0) {
      giveBack(reserve.add({ first: call + 1 - own, count: verdict.ahead + own, quota, tokens, standing }));
      timer ??= setInterval(tick, TICK_MS).unref();
    }
    return { call, verdict: { ...verdict, standing } };
  }

  async function ask(
    caller: string,
    quota: Quota,
    asked: Ask,
    reserve: CallReserve,
    count: number,
  ): Promise<Grant | Refusal> {
    const { call, verdict } = await request(caller, quota, asked, reserve, count);
    return verdict.granted ? new RemoteGrant(call, verdict.standing, reserve, settle) : verdict;
  }

  /** Asks for this call and for those that are expected. */
  async function askAhead(caller: string, quota: Quota, asked: Ask, reserve: CallReserve): Promise<Grant | Refusal> {
    reserve.isAsking = true;
    try {
      return await ask(caller, quota, asked, reserve, reserve.expected);
    } finally {
      reserve.isAsking = false;
    }
  }

  /** Has more reserved before there are none. */
  async function renew(caller: string, quota: Quota, asked: Ask, reserve: CallReserve): Promise<void> {
    reserve.isAsking = true;
    try {
      const { call, verdict } = await request(caller, quota, asked, reserve, reserve.expected, true);
      if (verdict.granted && verdict.ahead === 0) giveBack([call]);
    } catch {
      // The primary is gone, and this process with it.
    } finally {
      reserve.isAsking = false;
    }
  }

  const settle = ({ call, reserve }: RemoteGrant, { tokens, nanoDollars }: Use): void => {
    settled.push([call, tokens, nanoDollars]);
    // The primary has to know of it before its caller comes back, unless there is more of the same here, which it recalls.
    if (reserve.size === 0) tellSettled();
  };

  return {
    isLocal: false,
    reserve(caller, quota, asked) {
      if (isUnlimited(quota)) return FREE;
      const nowMs = now();
      const reserve = reserveOf(caller, asked.stream, nowMs);
      reserve.note(asked.tokens, nowMs);
      const call = reserve.take(quota, asked.tokens);
      if (call === undefined) {
        if (reserve.isAsking || reserve.expected === 0) return ask(caller, quota, asked, reserve, 0);
        return askAhead(caller, quota, asked, reserve);
      }
      if (reserve.isLow && !reserve.isAsking) void renew(caller, quota, asked, reserve);
      return new RemoteGrant(call, reserve.standing, reserve, settle);
    },
    standing: (caller, quota): Standing | Promise<Standing> =>
      isUnlimited(quota) ? NO_STANDING : primary.ask("standing", caller, quota),
    async recall(caller) {
      // What was granted before it has come before it, and is taken in when this turn is over.
      await nextTurn();
      tellSettled();
      for (const reserve of reserves.get(caller) ?? []) giveBack(reserve.takeAll());
    },
    close: () => Promise.resolve(),
  };
}

class RemoteGrant implements Grant {
  readonly granted = true;
  readonly call: number;
  readonly standing: Standing;
  /** That its caller's next calls are taken of. */
  readonly reserve: CallReserve;
  readonly #settle: (grant: RemoteGrant, use: Use) => void;
  #isSettled = false;

  constructor(call: number, standing: Standing, reserve: CallReserve, settle: (grant: RemoteGrant, use: Use) => void) {
    this.call = call;
    this.standing = standing;
    this.reserve = reserve;
    this.#settle = settle;
  }

  settle(use: Use): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settle(this, use);
  }
}
