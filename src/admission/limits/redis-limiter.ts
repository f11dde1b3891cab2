import * as redis from "redis";
import { randomText } from "../../lib/ids.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Ask, Grant, Limiter, Refusal, Standing } from "./limiter.ts";
import { FREE, type MemoryLimiter } from "./memory-limiter.ts";
import { isUnlimited, type Quota, shareOf } from "./quota.ts";
import { createRedisLink } from "./redis-link.ts";
import { decodeRefusal, decodeStanding, encodeLook, encodeReserve, keysOf, periodOf } from "./redis-reserve.ts";
import { type CallerKeys, SPEND_UNKNOWN } from "./redis-scripts.ts";
import { createRedisSettlements } from "./redis-settlements.ts";
import { createRedisTickets } from "./redis-tickets.ts";
import type { SpendLedger } from "./spend-ledger.ts";

/** What a limiter that is shared is made of. */
export interface RedisLimiterOptions {
  /** Address of the server; it may hold a password. */
  readonly url: string;
  readonly spend: SpendLedger;
  /** What answers while Redis is away, with this process's share. */
  readonly memory: MemoryLimiter;
  readonly logger: Logger;
  readonly times?: Partial<RedisTimes>;
}

/** Its times, in milliseconds. */
export interface RedisTimes {
  /** Longest time that a command may take; then Redis is taken to be away. */
  readonly timeoutMs: number;
  /** Longest time that connecting may take. */
  readonly connectMs: number;
  /** Between two signs of life of a process; three may be missed. */
  readonly beatMs: number;
  /** How long a process that has died holds the places of its calls. */
  readonly leaseMs: number;
}

const TIMES: RedisTimes = { timeoutMs: 500, connectMs: 2_000, beatMs: 5_000, leaseMs: 30_000 };

/**
 * Makes a limiter that shares the limits of its callers with all processes that use the same Redis. It resolves when the first try to
 * connect has ended, and does not fail: while Redis is away, each process grants its share.
 */
export async function createRedisLimiter(options: RedisLimiterOptions): Promise<Limiter> {
  const { url, spend, memory, logger } = options;
  const times = { ...TIMES, ...options.times };
  const process = randomText(16);
  let calls = 0;
  let processes = 1;
  const tickets = createRedisTickets(times.leaseMs);
  const settlements = createRedisSettlements(() => link);
  const link = createRedisLink({
    redis,
    url,
    timeoutMs: times.timeoutMs,
    connectMs: times.connectMs,
    async prepare() {
      await link.run((client) => client.load());
      await beat();
      // Before anything is reserved: what was spent meanwhile must be counted before the store is asked for what was spent.
      await settlements.retell();
      await tickets.renew(link);
    },
    changed(error) {
      if (error !== undefined) {
        logger.warn({ cause: error.message }, "Redis is away: each process grants its share of the limits");
        return;
      }
      logger.info("limits are shared through Redis");
      // What was settled in the moments in which the connection was prepared. From now on it is told at once.
      settlements.retell().catch(() => undefined);
    },
  });
  const timer = setInterval(() => {
    if (!link.isUp) return;
    // Where they fail, the link tells it.
    beat().catch(() => undefined);
    tickets.renew(link).catch(() => undefined);
  }, times.beatMs);
  timer.unref();

  async function beat(): Promise<void> {
    processes = await link.run((client) => client.beat(process, 3 * times.beatMs));
  }

  async function reserveShared(caller: string, quota: Quota, ask: Ask): Promise<Grant | Refusal> {
    const keys = keysOf(caller, quota);
    const period = periodOf(quota);
    const ticket = needsTicket(quota) ? `${process}.${(calls++).toString(36)}` : "";
    try {
      const args = encodeReserve(quota, ask, ticket, times.leaseMs, undefined);
      let reply = await link.run((client) => client.reserve(keys, args));
      if (reply[0] === SPEND_UNKNOWN && period !== undefined) {
        await spend.reread(caller, period.id);
        // In the moment in which it is sent: what is settled before it counts here, what is settled after it counts in Redis.
        const spent = spend.spent(caller, period.id);
        const again = encodeReserve(quota, ask, ticket, times.leaseMs, typeof spent === "number" ? spent : await spent);
        reply = await link.run((client) => client.reserve(keys, again));
      }
      return decodeRefusal(reply, quota) ?? grant(caller, quota, ask, keys, ticket, decodeStanding(reply, quota));
    } catch {
      // It may have been granted there all the same, which is of no use to anybody now.
      if (ticket !== "")
        settlements.tell({
          ...settlementOf(keys, ticket, quota),
          back: quota.tokensPerMinute === undefined ? 0 : ask.tokens,
          isUndo: true,
        });
      return reserveLocal(caller, quota, ask);
    }
  }

  function grant(caller: string, quota: Quota, ask: Ask, keys: CallerKeys, ticket: string, standing: Standing): Grant {
    if (ticket !== "") tickets.hold(keys, ticket, ask.stream);
    let isSettled = ticket === "";
    return {
      granted: true,
      standing,
      settle({ tokens, nanoDollars }) {
        if (isSettled) return;
        isSettled = true;
        tickets.release(keys, ticket);
        if (quota.budget !== undefined) spend.add(caller, nanoDollars);
        settlements.tell({
          ...settlementOf(quota.budget === undefined ? keys : keysOf(caller, quota), ticket, quota),
          back: quota.tokensPerMinute === undefined ? 0 : ask.tokens - tokens,
          nanoDollars: quota.budget === undefined ? 0 : nanoDollars,
        });
      },
    };
  }

  function reserveLocal(caller: string, quota: Quota, ask: Ask): Grant | Refusal | Promise<Grant | Refusal> {
    const decision = memory.reserve(caller, shareOf(quota, processes), ask);
    if (quota.budget === undefined) return decision;
    return decision instanceof Promise
      ? decision.then((decided) => countingLater(caller, quota, decided))
      : countingLater(caller, quota, decision);
  }

  /** Lets the money of a call that was granted here be counted in Redis, too, when it is back. */
  function countingLater(caller: string, quota: Quota, decision: Grant | Refusal): Grant | Refusal {
    if (!decision.granted) return decision;
    let isSettled = false;
    return {
      ...decision,
      settle(use) {
        if (isSettled) return;
        isSettled = true;
        decision.settle(use);
        const { nanoDollars } = use;
        if (nanoDollars > 0) settlements.tell({ ...settlementOf(keysOf(caller, quota), "", quota), nanoDollars });
      },
    };
  }

  await link.tried;
  return {
    get isLocal() {
      return !link.isUp;
    },
    reserve(caller, quota, ask) {
      if (isUnlimited(quota)) return FREE;
      return link.isUp ? reserveShared(caller, quota, ask) : reserveLocal(caller, quota, ask);
    },
    async standing(caller, quota) {
      if (link.isUp) {
        try {
          const keys = keysOf(caller, quota);
          return decodeStanding(await link.run((client) => client.look(keys, encodeLook(quota))), quota);
        } catch {
          // The link tells it.
        }
      }
      return memory.standing(caller, shareOf(quota, processes));
    },
    async close() {
      clearInterval(timer);
      if (link.isUp) link.run((client) => client.leave(process)).catch(() => undefined);
      await link.close();
    },
  };
}

/** Whether there is anything to be settled. */
const needsTicket = (quota: Quota): boolean => !isUnlimited({ ...quota, requestsPerMinute: undefined });

const settlementOf = (keys: CallerKeys, ticket: string, quota: Quota) => ({
  keys,
  ticket,
  back: 0,
  nanoDollars: 0,
  tokenLimit: quota.tokensPerMinute ?? 0,
  isUndo: false,
});
