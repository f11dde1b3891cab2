import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Limiter } from "../../../src/admission/limits/limiter.ts";
import { createMemoryLimiter } from "../../../src/admission/limits/memory-limiter.ts";
import type { Quota } from "../../../src/admission/limits/quota.ts";
import { createSpendLedger } from "../../../src/admission/limits/spend-ledger.ts";
import { serverUrl } from "../../support/use-servers.ts";
import { askFor, emptyLedger, granted, NOTHING_USED, quotaWith, refused, startShared } from "./stage.ts";

const redisUrl = await serverUrl("redis");

/** Another caller for each test: Redis keeps what was before. */
const someone = (): string => `someone ${randomUUID()}`;

/** What a limit brings in a time that was measured around it, at most. */
const refill = (perMinute: number, sinceMs: number): number =>
  Math.ceil(((performance.now() - sinceMs) * perMinute) / 60_000) + 1;

describe.each([
  { name: "in memory", url: undefined, isSkipped: false },
  { name: "on Redis", url: redisUrl, isSkipped: redisUrl === undefined },
])("a limiter $name", ({ url, isSkipped }) => {
  const create = async (spend = emptyLedger()): Promise<Limiter> =>
    url === undefined ? createMemoryLimiter({ spend }) : startShared(url, { spend });
  let limiter: Limiter;
  beforeAll(async () => {
    if (!isSkipped) limiter = await create();
  });
  afterAll(async () => {
    if (!isSkipped) await limiter.close();
  });

  describe.skipIf(isSkipped)("standing()", () => {
    const quota = quotaWith({ requestsPerMinute: 2, tokensPerMinute: 1_000, concurrent: 1 });

    it("is full for somebody who has not called, however often it is looked at", async () => {
      const caller = someone();
      for (let time = 0; time < 3; time++) {
        expect(await limiter.standing(caller, quota)).toEqual({
          requests: { limit: 2, remaining: 2, resetMs: 0 },
          tokens: { limit: 1_000, remaining: 1_000, resetMs: 0 },
        });
      }
    });

    it("says what is left, and takes nothing of it", async () => {
      const caller = someone();
      const grant = await granted(limiter.reserve(caller, quota, askFor(300)));
      for (let time = 0; time < 3; time++) {
        const { requests, tokens } = await limiter.standing(caller, quota);
        expect([requests?.limit, requests?.remaining]).toEqual([2, 1]);
        expect(tokens?.remaining).toBeGreaterThanOrEqual(700);
        expect(tokens?.remaining).toBeLessThan(1_000);
      }
      grant.settle(NOTHING_USED);
      await granted(limiter.reserve(caller, quota, askFor(1)));
    });

    it("has nothing where there are no such limits", async () => {
      expect(await limiter.standing(someone(), quotaWith({ concurrent: 1 }))).toEqual({
        requests: undefined,
        tokens: undefined,
      });
    });
  });

  describe.skipIf(isSkipped)("reserve()", () => {
    it("grants as many requests as a minute has, and what is refilled meanwhile", async () => {
      const caller = someone();
      const sinceMs = performance.now();
      const decisions = await Promise.all(
        Array.from({ length: 300 }, () => limiter.reserve(caller, quotaWith({ requestsPerMinute: 100 }), askFor(1))),
      );
      const count = decisions.filter((it) => it.granted).length;
      expect(count).toBeGreaterThanOrEqual(100);
      expect(count).toBeLessThanOrEqual(100 + refill(100, sinceMs));
    });

    it("tells how it stands, and when a request may be made again", async () => {
      const caller = someone();
      const quota = quotaWith({ requestsPerMinute: 2, tokensPerMinute: 1_000 });
      const first = await granted(limiter.reserve(caller, quota, askFor(300)));
      expect(first.standing.requests).toMatchObject({ limit: 2, remaining: 1 });
      expect(first.standing.tokens).toMatchObject({ limit: 1_000, remaining: 700 });
      expect(first.standing.tokens?.resetMs).toBe(18_000);
      await granted(limiter.reserve(caller, quota, askFor(0)));
      const refusal = await refused(limiter.reserve(caller, quota, askFor(0)));
      expect(refusal.limit).toBe("requests");
      expect(refusal.standing.requests?.remaining).toBe(0);
      expect(refusal.retryAfterMs).toBeGreaterThan(0);
      expect(refusal.retryAfterMs).toBeLessThanOrEqual(30_000);
    });

    it("grants the same call after the time that it told", async () => {
      const caller = someone();
      const quota = quotaWith({ tokensPerMinute: 60_000 });
      await granted(limiter.reserve(caller, quota, askFor(60_000)));
      const { retryAfterMs, limit } = await refused(limiter.reserve(caller, quota, askFor(200)));
      expect(limit).toBe("tokens");
      expect(retryAfterMs).toBeLessThanOrEqual(200);
      // Timers may be early by a millisecond.
      await sleep(retryAfterMs + 2);
      await granted(limiter.reserve(caller, quota, askFor(200)));
    });

    it("gives back what a call did not take", async () => {
      const caller = someone();
      const quota = quotaWith({ tokensPerMinute: 1_000 });
      const grant = await granted(limiter.reserve(caller, quota, askFor(900)));
      expect((await refused(limiter.reserve(caller, quota, askFor(900)))).limit).toBe("tokens");
      grant.settle({ tokens: 50, nanoDollars: 0 });
      const { standing } = await granted(limiter.reserve(caller, quota, askFor(900)));
      expect(standing.tokens?.remaining).toBeGreaterThanOrEqual(50);
    });

    it("keeps what a call took too much as debt", async () => {
      const caller = someone();
      const quota = quotaWith({ tokensPerMinute: 1_000 });
      const sinceMs = performance.now();
      const grant = await granted(limiter.reserve(caller, quota, askFor(100)));
      grant.settle({ tokens: 5_000, nanoDollars: 0 });
      const refusal = await refused(limiter.reserve(caller, quota, askFor(0)));
      expect(refusal).toMatchObject({ limit: "tokens", standing: { tokens: { remaining: 0 } } });
      // 4,000 tokens are owed: four minutes.
      expect(refusal.retryAfterMs).toBeLessThanOrEqual(240_000);
      expect(refusal.retryAfterMs).toBeGreaterThanOrEqual(240_000 - (performance.now() - sinceMs) - 2);
    });

    it("takes a call for more than a minute's tokens when all of them are there", async () => {
      const caller = someone();
      const quota = quotaWith({ tokensPerMinute: 1_000 });
      const grant = await granted(limiter.reserve(caller, quota, askFor(3_000)));
      expect(grant.standing.tokens).toMatchObject({ remaining: 0, resetMs: 180_000 });
      expect((await refused(limiter.reserve(caller, quota, askFor(3_000)))).retryAfterMs).toBeGreaterThan(100_000);
      grant.settle(NOTHING_USED);
      await granted(limiter.reserve(caller, quota, askFor(3_000)));
    });

    it("gives places to so many calls at once", async () => {
      const caller = someone();
      const quota = quotaWith({ concurrent: 2 });
      const grant = await granted(limiter.reserve(caller, quota, askFor(0)));
      await granted(limiter.reserve(caller, quota, askFor(0)));
      expect(await refused(limiter.reserve(caller, quota, askFor(0)))).toMatchObject({
        limit: "concurrent",
        retryAfterMs: 1_000,
      });
      // Settled twice, it still had one place only.
      grant.settle(NOTHING_USED);
      grant.settle(NOTHING_USED);
      await granted(limiter.reserve(caller, quota, askFor(0)));
      expect((await refused(limiter.reserve(caller, quota, askFor(0)))).limit).toBe("concurrent");
    });

    it("gives places of streams to streams", async () => {
      const caller = someone();
      const quota = quotaWith({ concurrentStreams: 1 });
      const grant = await granted(limiter.reserve(caller, quota, askFor(0, true)));
      expect((await refused(limiter.reserve(caller, quota, askFor(0, true)))).limit).toBe("concurrent_streams");
      await granted(limiter.reserve(caller, quota, askFor(0)));
      grant.settle(NOTHING_USED);
      await granted(limiter.reserve(caller, quota, askFor(0, true)));
    });

    it.each<{ readonly limit: string; readonly narrow: Partial<Quota> }>([
      { limit: "concurrent", narrow: { concurrent: 1 } },
      { limit: "concurrent_streams", narrow: { concurrentStreams: 1 } },
      { limit: "requests", narrow: { requestsPerMinute: 2 } },
      { limit: "tokens", narrow: { tokensPerMinute: 20 } },
      { limit: "budget", narrow: { budget: { nanoDollars: 5, per: "day" } } },
    ])("takes nothing when it refuses because of $limit", async ({ limit, narrow }) => {
      const caller = someone();
      const budget = { nanoDollars: 1_000, per: "day" } as const;
      const wide = { requestsPerMinute: 50, tokensPerMinute: 1_000, concurrent: 10, concurrentStreams: 10, budget };
      const before = quotaWith({ ...wide, ...narrow, budget });
      const over = await granted(limiter.reserve(caller, before, askFor(10, true)));
      over.settle({ tokens: 10, nanoDollars: 5 });
      const { standing } = await granted(limiter.reserve(caller, before, askFor(10, true)));
      const refusals = await Promise.all(
        Array.from({ length: 100 }, () => limiter.reserve(caller, quotaWith({ ...wide, ...narrow }), askFor(10, true))),
      );
      expect(new Set(refusals.map((it) => (it.granted ? "granted" : it.limit)))).toEqual(new Set([limit]));
      const after = refusals.at(-1)?.standing;
      expect(after?.requests?.remaining).toBeGreaterThanOrEqual(standing.requests?.remaining as number);
      expect(after?.tokens?.remaining).toBeGreaterThanOrEqual(standing.tokens?.remaining as number);
    });

    it("begins no call once the budget is used up", async () => {
      const reads: string[] = [];
      const own = await create(
        createSpendLedger({
          read: async (caller, period) => {
            reads.push(`${caller} ${period.length}`);
            return 600;
          },
        }),
      );
      const caller = someone();
      const quota = quotaWith({ budget: { nanoDollars: 1_000, per: "month" } });
      const grant = await granted(own.reserve(caller, quota, askFor(1)));
      const other = await granted(own.reserve(caller, quota, askFor(1)));
      grant.settle({ tokens: 1, nanoDollars: 399 });
      const last = await granted(own.reserve(caller, quota, askFor(1)));
      other.settle({ tokens: 1, nanoDollars: 1 });
      const refusal = await refused(own.reserve(caller, quota, askFor(1)));
      expect(refusal.limit).toBe("budget");
      expect(refusal.retryAfterMs).toBeGreaterThan(0);
      expect(refusal.retryAfterMs).toBeLessThanOrEqual(31 * 86_400_000);
      last.settle({ tokens: 1, nanoDollars: 1 });
      expect(reads).toEqual([`${caller} 7`]);
      await own.close();
    });

    it("goes by the limits as they are now", async () => {
      const caller = someone();
      await granted(limiter.reserve(caller, quotaWith({ tokensPerMinute: 1_000 }), askFor(500)));
      const lower = await granted(limiter.reserve(caller, quotaWith({ tokensPerMinute: 100 }), askFor(0)));
      expect(lower.standing.tokens).toMatchObject({ limit: 100, remaining: 50 });
      const higher = await granted(limiter.reserve(caller, quotaWith({ tokensPerMinute: 10_000 }), askFor(0)));
      expect(higher.standing.tokens?.limit).toBe(10_000);
      expect(higher.standing.tokens?.remaining).toBeGreaterThanOrEqual(5_000);
      expect(higher.standing.tokens?.remaining).toBeLessThan(10_000);
    });

    it("keeps debt when limits change", async () => {
      const caller = someone();
      const sinceMs = performance.now();
      const grant = await granted(limiter.reserve(caller, quotaWith({ tokensPerMinute: 1_000 }), askFor(0)));
      grant.settle({ tokens: 3_000, nanoDollars: 0 });
      const { retryAfterMs } = await refused(limiter.reserve(caller, quotaWith({ tokensPerMinute: 2_000 }), askFor(0)));
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
      expect(retryAfterMs).toBeGreaterThanOrEqual(60_000 - (performance.now() - sinceMs) - 2);
    });

    it("names the limit that lasts longest", async () => {
      const caller = someone();
      const quota = quotaWith({ requestsPerMinute: 60_000, tokensPerMinute: 100, concurrent: 1 });
      await granted(limiter.reserve(caller, quota, askFor(100)));
      const refusal = await refused(limiter.reserve(caller, quota, askFor(100)));
      expect(refusal.limit).toBe("tokens");
      expect(refusal.retryAfterMs).toBeGreaterThan(1_000);
    });

    it("tells callers apart, whatever their ids are", async () => {
      const ids = ["", "a", "{a}", "{}a", "a}b{", "jwt:é\r\n\0", "jwt:💥", "a:buckets", "x".repeat(5_000)];
      const callers = ids.map((id) => `${id}${randomUUID()}`);
      const quota = quotaWith({ requestsPerMinute: 1 });
      for (const caller of callers) await granted(limiter.reserve(caller, quota, askFor(0)));
      for (const caller of callers)
        expect((await refused(limiter.reserve(caller, quota, askFor(0)))).limit).toBe("requests");
    });

    it("has nothing to say where there are no limits", async () => {
      const grant = await granted(limiter.reserve(someone(), quotaWith({}), askFor(1_000_000, true)));
      expect(grant.standing).toEqual({ requests: undefined, tokens: undefined });
      grant.settle({ tokens: 5, nanoDollars: 5 });
    });

    it("counts large limits exactly", async () => {
      const caller = someone();
      const quota = quotaWith({ requestsPerMinute: 1_000_000_000, tokensPerMinute: 100_000_000_000 });
      const grant = await granted(limiter.reserve(caller, quota, askFor(99_999_999_999)));
      expect(grant.standing.tokens).toEqual({ limit: 100_000_000_000, remaining: 1, resetMs: 60_000 });
    });
  });
});
