import { Account } from "./account.ts";
import { type Clock, MACHINE_CLOCK } from "./clock.ts";
import type { Ask, Grant, Limiter, Refusal, Standing, Use } from "./limiter.ts";
import { type Period, periodsAt } from "./period.ts";
import { isUnlimited, type Quota } from "./quota.ts";
import type { SpendLedger } from "./spend-ledger.ts";
import { createSweep } from "./sweep.ts";

/** A grant that need not be used. */
export interface Voucher extends Grant {
  /** In the place of `settle`: there is no such call, and all that was taken for it is given back. */
  undo(): void;
}

/** A limiter of this process alone. */
export interface MemoryLimiter extends Limiter {
  reserve(caller: string, quota: Quota, ask: Ask): Voucher | Refusal | Promise<Voucher | Refusal>;
  /** How many callers it remembers: those that have something to wait for. */
  readonly callers: number;
}

/** What it is made of. */
export interface MemoryLimiterOptions {
  readonly spend: SpendLedger;
  readonly clock?: Clock;
}

/** Wait for a place: nobody knows when one is given back. */
export const PLACE_WAIT_MS = 1_000;

/** How it stands with a caller without limits. */
export const NO_STANDING: Standing = { requests: undefined, tokens: undefined };

/** A grant of which nothing is to be settled. */
export const FREE: Voucher = {
  granted: true,
  standing: NO_STANDING,
  settle: () => undefined,
  undo: () => undefined,
};

/** Makes a limiter that knows the calls of this process. It answers at once, unless what was spent has to be read first. */
export function createMemoryLimiter({ spend, clock = MACHINE_CLOCK }: MemoryLimiterOptions): MemoryLimiter {
  const accounts = new Map<string, Account>();
  const sweep = createSweep(accounts, (account: Account, nowMs) => account.isIdle(nowMs));
  const now = (): number => Math.floor(clock.monotonicMs());

  function accountOf(caller: string, quota: Quota): Account {
    const nowMs = now();
    let account = accounts.get(caller);
    if (account === undefined) {
      sweep(nowMs);
      account = new Account();
      accounts.set(caller, account);
    }
    account.update(quota, nowMs);
    return account;
  }

  function decide(caller: string, quota: Quota, ask: Ask, budgetMs: number): Voucher | Refusal {
    const account = accountOf(caller, quota);
    const refusal = refusalOf(account, quota, ask, budgetMs);
    return refusal ?? grant(caller, account, quota, ask);
  }

  function grant(caller: string, account: Account, quota: Quota, ask: Ask): Voucher {
    account.requests?.take(1);
    account.tokens?.take(ask.tokens);
    account.calls += 1;
    if (ask.stream) account.streams += 1;
    return new MemoryGrant({ caller, account, ask, spend: quota.budget === undefined ? undefined : spend, now });
  }

  return {
    isLocal: false,
    get callers() {
      return accounts.size;
    },
    reserve(caller, quota, ask) {
      if (isUnlimited(quota)) return FREE;
      const { budget } = quota;
      if (budget === undefined) return decide(caller, quota, ask, 0);
      const wallMs = clock.wallMs();
      const period = periodsAt(wallMs)[budget.per];
      const waitMs = untilEnd(period, wallMs);
      const spent = spend.spent(caller, period.id);
      if (typeof spent === "number") return decide(caller, quota, ask, spent < budget.nanoDollars ? 0 : waitMs);
      return spent.then((it) => decide(caller, quota, ask, it < budget.nanoDollars ? 0 : waitMs));
    },
    standing(caller, quota) {
      // Nobody is remembered for having looked.
      const account = accounts.get(caller) ?? new Account();
      account.update(quota, now());
      return account.standing;
    },
    close: () => Promise.resolve(),
  };
}

/** What is settled of a call. */
interface GrantParts {
  readonly caller: string;
  readonly account: Account;
  readonly ask: Ask;
  /** Undefined: there is no budget. */
  readonly spend: SpendLedger | undefined;
  /** Whole milliseconds, by the clock of the limits. */
  readonly now: () => number;
}

class MemoryGrant implements Voucher {
  readonly granted = true;
  readonly standing: Standing;
  readonly #parts: GrantParts;
  /** Tokens that were taken; 0 where there is no limit of them. */
  readonly #taken: number;
  #isSettled = false;

  constructor(parts: GrantParts) {
    const { account, ask } = parts;
    this.#parts = parts;
    this.standing = account.standing;
    this.#taken = account.tokens === undefined ? 0 : ask.tokens;
  }

  settle({ tokens, nanoDollars }: Use): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { caller, account, ask, spend, now } = this.#parts;
    account.calls -= 1;
    if (ask.stream) account.streams -= 1;
    // First what was refilled meanwhile: what is given back must not be lost in a bucket that only seems full.
    account.tokens?.refill(now());
    account.tokens?.give(this.#taken - tokens);
    spend?.add(caller, nanoDollars);
  }

  undo(): void {
    if (this.#isSettled) return;
    const { account, now } = this.#parts;
    account.requests?.refill(now());
    account.requests?.give(1);
    this.settle({ tokens: 0, nanoDollars: 0 });
  }
}

/** Milliseconds until a period ends. */
export const untilEnd = ({ endMs }: Period, wallMs: number): number => Math.max(1, Math.ceil(endMs - wallMs));

/** Why a call may not be made; where there is more than one reason, the one that lasts longest. */
function refusalOf(account: Account, quota: Quota, ask: Ask, budgetMs: number): Refusal | undefined {
  const callsMs = isTaken(account.calls, quota.concurrent) ? PLACE_WAIT_MS : 0;
  const streamsMs = ask.stream && isTaken(account.streams, quota.concurrentStreams) ? PLACE_WAIT_MS : 0;
  const requestsMs = account.requests?.waitFor(1) ?? 0;
  const tokensMs = account.tokens?.waitFor(ask.tokens) ?? 0;
  const retryAfterMs = Math.max(callsMs, streamsMs, requestsMs, tokensMs, budgetMs);
  if (retryAfterMs === 0) return undefined;
  // In the order in which the script of Redis looks at them.
  const waits = { concurrent: callsMs, concurrent_streams: streamsMs, requests: requestsMs, tokens: tokensMs };
  const limit = LIMITS.find((name) => waits[name] === retryAfterMs) ?? "budget";
  return { granted: false, standing: account.standing, limit, retryAfterMs };
}

const LIMITS = ["concurrent", "concurrent_streams", "requests", "tokens"] as const;

const isTaken = (count: number, places: number | undefined): boolean => places !== undefined && count >= places;
