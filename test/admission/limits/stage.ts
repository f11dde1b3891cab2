import type { Clock } from "../../../src/admission/limits/clock.ts";
import type { Ask, Grant, Limiter, Refusal } from "../../../src/admission/limits/limiter.ts";
import { createMemoryLimiter } from "../../../src/admission/limits/memory-limiter.ts";
import type { Quota } from "../../../src/admission/limits/quota.ts";
import { createRedisLimiter, type RedisTimes } from "../../../src/admission/limits/redis-limiter.ts";
import { createSpendLedger, type SpendLedger } from "../../../src/admission/limits/spend-ledger.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

/** A quota with these limits, and no others. */
export const quotaWith = (limits: Partial<Quota>): Quota => ({
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  concurrent: undefined,
  concurrentStreams: undefined,
  budget: undefined,
  ...limits,
});

/** A call without a stream. */
export const askFor = (tokens: number, stream = false): Ask => ({ tokens, stream });

export const NOTHING_USED = { tokens: 0, nanoDollars: 0 };

/** A clock that stands still until it is told. */
export interface FakeClock extends Clock {
  passMs(ms: number): void;
  /** Sets the clock on the wall only. */
  setWall(iso: string): void;
}

export function createFakeClock(iso = "2026-01-31T12:00:00Z"): FakeClock {
  let monotonicMs = 1_000;
  let wallMs = Date.parse(iso);
  return {
    monotonicMs: () => monotonicMs,
    wallMs: () => wallMs,
    passMs(ms) {
      monotonicMs += ms;
      wallMs += ms;
    },
    setWall(to) {
      wallMs = Date.parse(to);
    },
  };
}

/** A ledger of a store in which nobody has spent anything. */
export const emptyLedger = (): SpendLedger => createSpendLedger({ read: async () => 0 });

/** What a limiter decided, which has to be a grant. */
export async function granted(decision: Grant | Refusal | Promise<Grant | Refusal>): Promise<Grant> {
  const decided = await decision;
  if (!decided.granted) throw new Error(`refused by ${decided.limit}`);
  return decided;
}

/** What a limiter decided, which has to be a refusal. */
export async function refused(decision: Grant | Refusal | Promise<Grant | Refusal>): Promise<Refusal> {
  const decided = await decision;
  if (decided.granted) throw new Error("granted");
  return decided;
}

/** A limiter on a Redis, with what it logged. */
export interface SharedLimiter extends Limiter {
  /** The messages of its log, in their order. */
  readonly lines: readonly string[];
}

/** Times of tests: Redis is soon taken to be away, and never by a machine that is merely slow. */
export const TEST_TIMES: RedisTimes = { timeoutMs: 10_000, connectMs: 10_000, beatMs: 100, leaseMs: 30_000 };

/** Makes a limiter on a Redis. */
export async function startShared(
  url: string,
  { spend = emptyLedger(), ...times }: Partial<RedisTimes> & { readonly spend?: SpendLedger } = {},
): Promise<SharedLimiter> {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push((JSON.parse(line) as { readonly msg: string }).msg);
  const limiter = await createRedisLimiter({
    url,
    spend,
    memory: createMemoryLimiter({ spend }),
    logger: createLogger({ level: "info", destination: { write } }),
    times: { ...TEST_TIMES, ...times },
  });
  return {
    lines,
    reserve: limiter.reserve,
    standing: limiter.standing,
    get isLocal() {
      return limiter.isLocal;
    },
    close: limiter.close,
  };
}
