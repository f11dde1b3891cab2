import type { Grant, Limiter } from "../admission/limits/limiter.ts";
import type { PrimaryService, Verdict } from "./protocol.ts";

/** Holds the callers of one worker to the limits of all. */
export interface LimitDesk extends Pick<PrimaryService, "reserve" | "settle" | "standing"> {
  /**
   * The worker is gone: gives back the places of its calls. What they took is not known: the tokens stay those that were reserved, and no
   * money is counted.
   */
  close(): void;
}

/** A call that was granted and is not settled. */
interface Open {
  readonly grant: Grant;
  /** That were reserved. */
  readonly tokens: number;
}

/** Makes the desk of a worker. */
export function createLimitDesk(limiter: Limiter): LimitDesk {
  const open = new Map<number, Open>();
  let isClosed = false;

  function keep(call: number, tokens: number, decision: Awaited<ReturnType<Limiter["reserve"]>>): Verdict {
    if (!decision.granted) return decision;
    if (isClosed) decision.settle({ tokens, nanoDollars: 0 });
    else open.set(call, { grant: decision, tokens });
    return { granted: true, standing: decision.standing };
  }

  return {
    reserve(call, caller, quota, ask) {
      const decision = limiter.reserve(caller, quota, ask);
      if (!(decision instanceof Promise)) return keep(call, ask.tokens, decision);
      return decision.then((decided) => keep(call, ask.tokens, decided));
    },
    settle(call, use) {
      const found = open.get(call);
      open.delete(call);
      found?.grant.settle(use);
    },
    standing: (caller, quota) => limiter.standing(caller, quota),
    close() {
      isClosed = true;
      for (const { grant, tokens } of open.values()) grant.settle({ tokens, nanoDollars: 0 });
      open.clear();
    },
  };
}
