import { type Clock, MACHINE_CLOCK } from "../admission/limits/clock.ts";
import type { Ask, Refusal, Standing } from "../admission/limits/limiter.ts";
import type { MemoryLimiter, Voucher } from "../admission/limits/memory-limiter.ts";
import { periodsAt } from "../admission/limits/period.ts";
import type { Quota } from "../admission/limits/quota.ts";
import type { SpendLedger } from "../admission/limits/spend-ledger.ts";
import { createLimitDesk, type Lending, type LimitDesk } from "./limit-desk.ts";

/**
 * Holds the callers of all workers to their limits. To ask for each call would cost more than all else about it, so a worker that has many
 * of one caller is lent calls ahead, where plenty are left. What is lent is taken of the limits at once; so they are never exceeded. And
 * nobody is refused for what is lent and not used: it is recalled first.
 */
export interface LimitLender {
  /** Opens a desk for a worker. `recall` has it give back what it holds ahead of a caller's calls. */
  open(recall: (caller: string) => Promise<void>): LimitDesk;
}

/** What lending works with. */
export interface LenderParts {
  readonly limiter: MemoryLimiter;
  readonly spend: Pick<SpendLedger, "spent">;
  /** How many workers there are. */
  readonly workers: number;
  readonly clock?: Pick<Clock, "wallMs">;
}

/** What all workers together are lent at once is a fourth of what is left, at most. */
const PART = 4;
/** Share of a budget above which each call is looked at. */
const NEARLY_SPENT = 0.9;

/** What is open of a caller's calls, lent ones included. */
interface Running {
  calls: number;
  streams: number;
}

type Decision = Voucher | Refusal;

/** Makes a lender. */
export function createLimitLender(parts: LenderParts): LimitLender {
  return new Lender(parts);
}

class Lender implements LimitLender, Lending {
  readonly limiter: MemoryLimiter;
  readonly #spend: LenderParts["spend"];
  readonly #workers: number;
  readonly #clock: Pick<Clock, "wallMs">;
  readonly #running = new Map<string, Running>();
  /** Who may hold some of a caller's calls ahead, and how it is asked for them. */
  readonly #holders = new Map<string, Map<LimitDesk, () => Promise<void>>>();
  readonly #recalling = new Map<string, Promise<unknown>>();

  constructor({ limiter, spend, workers, clock = MACHINE_CLOCK }: LenderParts) {
    this.limiter = limiter;
    this.#spend = spend;
    this.#workers = workers;
    this.#clock = clock;
  }

  open(recall: (caller: string) => Promise<void>): LimitDesk {
    return createLimitDesk(this, recall);
  }

  /** Decides about a call; where it would be refused, when everybody has given back what is lent and not used. */
  decide(caller: string, quota: Quota, ask: Ask): Decision | Promise<Decision> {
    const decision = this.limiter.reserve(caller, quota, ask);
    const recallIfRefused = (it: Decision): Decision | Promise<Decision> => {
      const recalled = it.granted ? undefined : this.#recall(caller);
      return recalled === undefined ? it : recalled.then(() => this.limiter.reserve(caller, quota, ask));
    };
    return decision instanceof Promise ? decision.then(recallIfRefused) : recallIfRefused(decision);
  }

  /** How many calls there are plenty of, of those that are wanted. `standing`: how it stands now. */
  plentyOf(caller: string, quota: Quota, ask: Ask, { requests, tokens }: Standing, wanted: number): number {
    if (wanted === 0 || this.#isNearlySpent(caller, quota)) return 0;
    const { calls, streams } = this.#running.get(caller) ?? { calls: 0, streams: 0 };
    const { concurrent = Infinity, concurrentStreams = Infinity } = quota;
    const left = Math.min(
      requests?.remaining ?? Infinity,
      (tokens?.remaining ?? Infinity) / Math.max(1, ask.tokens),
      concurrent - calls,
      ask.stream ? concurrentStreams - streams : Infinity,
    );
    return Math.max(0, Math.min(wanted, Math.floor(left / (PART * this.#workers))));
  }

  /** A call was opened, or closed. */
  count(caller: string, { stream }: Ask, by: 1 | -1): void {
    const counts = this.#running.get(caller) ?? { calls: 0, streams: 0 };
    counts.calls += by;
    if (stream) counts.streams += by;
    if (counts.calls === 0) this.#running.delete(caller);
    else this.#running.set(caller, counts);
  }

  /** A desk has lent some of a caller's calls. */
  lent(caller: string, desk: LimitDesk, recall: () => Promise<void>): void {
    const known = this.#holders.get(caller) ?? new Map<LimitDesk, () => Promise<void>>();
    this.#holders.set(caller, known.set(desk, recall));
  }

  /** A worker holds nothing any more. */
  forget(desk: LimitDesk): void {
    for (const holders of this.#holders.values()) holders.delete(desk);
  }

  /** Recalls what is held ahead of a caller's calls; undefined: nobody holds any. */
  #recall(caller: string): Promise<unknown> | undefined {
    const holders = this.#holders.get(caller);
    if (holders === undefined) return this.#recalling.get(caller);
    this.#holders.delete(caller);
    // One that has ended has nothing any more.
    const asked = [this.#recalling.get(caller), ...[...holders.values()].map((recall) => recall())];
    const recalling = Promise.allSettled(asked).finally(() => {
      if (this.#recalling.get(caller) === recalling) this.#recalling.delete(caller);
    });
    this.#recalling.set(caller, recalling);
    return recalling;
  }

  #isNearlySpent(caller: string, { budget }: Quota): boolean {
    if (budget === undefined) return false;
    const spent = this.#spend.spent(caller, periodsAt(this.#clock.wallMs())[budget.per].id);
    return typeof spent !== "number" || spent >= NEARLY_SPENT * budget.nanoDollars;
  }
}
