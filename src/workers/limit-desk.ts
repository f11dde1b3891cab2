import type { Ask, Refusal, Standing } from "../admission/limits/limiter.ts";
import type { MemoryLimiter, Voucher } from "../admission/limits/memory-limiter.ts";
import type { Quota } from "../admission/limits/quota.ts";
import type { Ahead, PrimaryService, Settled, Verdict } from "./protocol.ts";

/** Where one worker asks whether calls may be made. */
export interface LimitDesk extends Pick<PrimaryService, "reserve" | "settle" | "undo" | "standing"> {
  /**
   * The worker is gone: gives back the places of its calls. What they took is not known: the tokens stay those that were reserved, and no
   * money is counted.
   */
  close(): void;
}

/** What the desks of all workers have in common. */
export interface Lending {
  readonly limiter: MemoryLimiter;
  /** Decides about a call; where it would be refused, when everybody has given back what is lent and not used. */
  decide(caller: string, quota: Quota, ask: Ask): Voucher | Refusal | Promise<Voucher | Refusal>;
  /** How many calls there are plenty of, of those that are wanted. `standing`: how it stands now. */
  plentyOf(caller: string, quota: Quota, ask: Ask, standing: Standing, wanted: number): number;
  /** A call was opened, or closed. */
  count(caller: string, ask: Ask, by: 1 | -1): void;
  /** A desk has lent some of a caller's calls. */
  lent(caller: string, desk: LimitDesk, recall: () => Promise<void>): void;
  /** The worker of a desk holds nothing any more. */
  forget(desk: LimitDesk): void;
}

/** A call that was granted and is not settled. */
interface Open {
  readonly caller: string;
  readonly ask: Ask;
  readonly voucher: Voucher;
}

/** Opens a desk. `recall` has its worker give back what it holds ahead of a caller's calls. */
export function createLimitDesk(lending: Lending, recall: (caller: string) => Promise<void>): LimitDesk {
  const open = new Map<number, Open>();
  let isClosed = false;

  const keep = (call: number, caller: string, ask: Ask, voucher: Voucher): void => {
    open.set(call, { caller, ask, voucher });
    lending.count(caller, ask, 1);
  };
  const take = (call: number): Voucher | undefined => {
    const found = open.get(call);
    if (found === undefined) return undefined;
    open.delete(call);
    lending.count(found.caller, found.ask, -1);
    return found.voucher;
  };
  /** Lends up to so many calls, under numbers from the first one on, and returns how many. */
  const lend = (first: number, caller: string, quota: Quota, ask: Ask, most: number): number => {
    for (let lent = 0; lent < most; lent++) {
      const decision = lending.limiter.reserve(caller, quota, ask);
      if (decision instanceof Promise || !decision.granted) return lent;
      keep(first + lent, caller, ask, decision);
    }
    return most;
  };

  const desk: LimitDesk = {
    reserve(call, caller, quota, ask, { count, tokens }: Ahead) {
      const answer = (decision: Voucher | Refusal): Verdict => {
        if (!decision.granted) return decision;
        const { standing } = decision;
        if (isClosed) {
          decision.undo();
          return { granted: true, standing, ahead: 0 };
        }
        keep(call, caller, ask, decision);
        const more = { tokens, stream: ask.stream };
        const ahead = lend(call + 1, caller, quota, more, lending.plentyOf(caller, quota, more, standing, count));
        if (ahead > 0) lending.lent(caller, desk, () => recall(caller));
        return { granted: true, standing, ahead };
      };
      const decision = lending.decide(caller, quota, ask);
      return decision instanceof Promise ? decision.then(answer) : answer(decision);
    },
    settle(calls: readonly Settled[]) {
      for (const [call, tokens, nanoDollars] of calls) take(call)?.settle({ tokens, nanoDollars });
    },
    undo(calls) {
      for (const call of calls) take(call)?.undo();
    },
    standing: (caller, quota) => lending.limiter.standing(caller, quota),
    close() {
      isClosed = true;
      lending.forget(desk);
      for (const [call, { ask }] of [...open]) take(call)?.settle({ tokens: ask.tokens, nanoDollars: 0 });
    },
  };
  return desk;
}
