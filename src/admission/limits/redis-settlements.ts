import type { RedisLink } from "./redis-link.ts";
import { type CallerKeys, GRACE_MS, type SettleMode } from "./redis-scripts.ts";

/** What is to be told to Redis about a call. */
export interface Settlement {
  readonly keys: CallerKeys;
  /** "": the call has none. */
  readonly ticket: string;
  /** Tokens to give back; negative: to take. */
  readonly back: number;
  readonly nanoDollars: number;
  readonly tokenLimit: number;
  /** Whether it is worth telling only where Redis has the ticket: nobody knows whether the call was ever granted there. */
  readonly isUndo: boolean;
}

/** Tells Redis what became of calls, now or when it is back. */
export interface RedisSettlements {
  tell(settlement: Settlement): void;
  /** Tells what could not be told. It rejects when Redis is away again; then the rest waits on. */
  retell(): Promise<void>;
}

/** Settlements that wait for Redis at most; the oldest are dropped. What they would have given back is refilled within a minute. */
const WAITING = 10_000;
/** Settlements that are told at once when Redis is back, so that none waits too long for its answer. */
const TOLD_AT_ONCE = 200;

interface Waiting {
  readonly settlement: Settlement;
  readonly sinceMs: number;
  /** Whether it was sent before, and nobody knows whether it was heard. */
  readonly wasSent: boolean;
}

/** Makes the way by which settlements go. */
export function createRedisSettlements(link: () => RedisLink): RedisSettlements {
  const waiting = new Set<Waiting>();

  function wait(item: Waiting): void {
    waiting.add(item);
    if (waiting.size <= WAITING) return;
    for (const oldest of waiting) {
      waiting.delete(oldest);
      break;
    }
  }

  /** Whether it was heard. */
  async function send(item: Waiting): Promise<boolean> {
    const { keys, ticket, back, nanoDollars, tokenLimit } = item.settlement;
    const args = [ticket, String(back), nanoDollars.toFixed(0), String(tokenLimit), modeOf(item)];
    try {
      await link().run((client) => client.settle(keys, args));
      return true;
    } catch {
      // The link tells that Redis is away.
      wait({ ...item, wasSent: true });
      return false;
    }
  }

  return {
    tell(settlement) {
      const item = { settlement, sinceMs: performance.now(), wasSent: false };
      if (link().isUp) void send(item);
      else wait(item);
    },
    async retell() {
      while (waiting.size > 0) {
        const some = [...waiting].slice(0, TOLD_AT_ONCE);
        for (const item of some) waiting.delete(item);
        const heard = await Promise.all(some.map(send));
        if (heard.includes(false)) throw new Error("settlements could not be told");
      }
    },
  };
}

/** A ticket that Redis has forgotten by itself meanwhile says nothing any more; nor does there being none. */
function modeOf({ settlement: { ticket, isUndo }, sinceMs, wasSent }: Waiting): SettleMode {
  if (isUndo) return "again";
  return wasSent && ticket !== "" && performance.now() - sinceMs < GRACE_MS ? "again" : "first";
}
