import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Grant, Refusal } from "../../../src/admission/limits/limiter.ts";
import { createMemoryLimiter } from "../../../src/admission/limits/memory-limiter.ts";
import { createSpendLedger } from "../../../src/admission/limits/spend-ledger.ts";
import { askFor, createFakeClock, emptyLedger, granted, NOTHING_USED, quotaWith, refused } from "./stage.ts";

/** A bucket as one would describe it, in fractions that are not rounded. */
interface ModelBucket {
  limit: bigint;
  /** In 60,000ths. */
  level: bigint;
}

const full = (limit: number): ModelBucket => ({ limit: BigInt(limit), level: BigInt(limit) * 60_000n });
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function pass(bucket: ModelBucket, ms: number): void {
  bucket.level = least(bucket.limit * 60_000n, bucket.level + BigInt(ms) * bucket.limit);
}

const holds = ({ limit, level }: ModelBucket, amount: number): boolean =>
  level >= least(BigInt(amount), limit) * 60_000n;

type Step =
  | { readonly kind: "reserve"; readonly tokens: number; readonly stream: boolean }
  | { readonly kind: "settle"; readonly which: number; readonly tokens: number }
  | { readonly kind: "pass"; readonly ms: number };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ kind: fc.constant("reserve"), tokens: fc.nat(3_000), stream: fc.boolean() }),
    fc.record({ kind: fc.constant("settle"), which: fc.nat(20), tokens: fc.nat(5_000) }),
    fc.record({ kind: fc.constant("pass"), ms: fc.nat(90_000) }),
  ),
  { maxLength: 60 },
);

const limits = fc.record({
  requestsPerMinute: fc.integer({ min: 1, max: 100 }),
  tokensPerMinute: fc.integer({ min: 1, max: 10_000 }),
  concurrent: fc.integer({ min: 1, max: 5 }),
  concurrentStreams: fc.integer({ min: 1, max: 5 }),
});

describe("createMemoryLimiter()", () => {
  it("grants what a simple model grants", () => {
    fc.assert(
      fc.property(limits, steps, (some, sequence) => {
        const clock = createFakeClock();
        const limiter = createMemoryLimiter({ spend: emptyLedger(), clock });
        const quota = quotaWith(some);
        const requests = full(some.requestsPerMinute);
        const tokens = full(some.tokensPerMinute);
        const live: { readonly grant: Grant; readonly tokens: number; readonly stream: boolean }[] = [];
        for (const step of sequence) {
          if (step.kind === "pass") {
            clock.passMs(step.ms);
            pass(requests, step.ms);
            pass(tokens, step.ms);
          } else if (step.kind === "settle") {
            const [call] = live.splice(step.which % Math.max(1, live.length), 1);
            call?.grant.settle({ tokens: step.tokens, nanoDollars: 0 });
            const back = call === undefined ? 0 : call.tokens - step.tokens;
            tokens.level = least(tokens.limit * 60_000n, tokens.level + BigInt(back) * 60_000n);
          } else {
            const expected =
              live.length < some.concurrent &&
              !(step.stream && live.filter(({ stream }) => stream).length >= some.concurrentStreams) &&
              holds(requests, 1) &&
              holds(tokens, step.tokens);
            const decision = limiter.reserve("a", quota, step) as Grant | Refusal;
            expect(decision.granted).toBe(expected);
            if (decision.granted) {
              live.push({ grant: decision, tokens: step.tokens, stream: step.stream });
              requests.level -= 60_000n;
              tokens.level -= BigInt(step.tokens) * 60_000n;
            }
            const left = tokens.level / 60_000n;
            expect(decision.standing.tokens?.remaining).toBe(Number(left > 0n ? left : 0n));
            expect(decision.standing.requests?.remaining).toBe(Number(requests.level / 60_000n));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("tells exactly when the same call may be made", () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.nat(3_000), { minLength: 1, maxLength: 30 }),
        fc.nat(3_000),
        (some, asks, last) => {
          const clock = createFakeClock();
          const limiter = createMemoryLimiter({ spend: emptyLedger(), clock });
          const quota = quotaWith({ requestsPerMinute: some.requestsPerMinute, tokensPerMinute: some.tokensPerMinute });
          for (const tokens of asks) limiter.reserve("a", quota, askFor(tokens));
          const decision = limiter.reserve("a", quota, askFor(last)) as Grant | Refusal;
          fc.pre(!decision.granted);
          const { retryAfterMs } = decision as Refusal;
          clock.passMs(retryAfterMs - 1);
          expect(limiter.reserve("a", quota, askFor(last))).toMatchObject({ granted: false, retryAfterMs: 1 });
          clock.passMs(1);
          expect(limiter.reserve("a", quota, askFor(last))).toMatchObject({ granted: true });
        },
      ),
    );
  });

  it("tells when all of it is there again", async () => {
    const clock = createFakeClock();
    const limiter = createMemoryLimiter({ spend: emptyLedger(), clock });
    const quota = quotaWith({ requestsPerMinute: 7, tokensPerMinute: 1_000 });
    const { standing } = await granted(limiter.reserve("a", quota, askFor(250)));
    expect(standing).toEqual({
      requests: { limit: 7, remaining: 6, resetMs: 8_572 },
      tokens: { limit: 1_000, remaining: 750, resetMs: 15_000 },
    });
  });

  it("never grants more than a new limit", async () => {
    const clock = createFakeClock();
    const limiter = createMemoryLimiter({ spend: emptyLedger(), clock });
    await granted(limiter.reserve("a", quotaWith({ requestsPerMinute: 1_000 }), askFor(0)));
    const decisions = Array.from({ length: 50 }, () =>
      limiter.reserve("a", quotaWith({ requestsPerMinute: 10 }), askFor(0)),
    );
    expect(decisions.filter((it) => (it as Grant | Refusal).granted)).toHaveLength(9);
  });

  it("holds a caller to a limit that is new, and forgets one that is gone", async () => {
    const clock = createFakeClock();
    const limiter = createMemoryLimiter({ spend: emptyLedger(), clock });
    const call = await granted(limiter.reserve("a", quotaWith({ concurrent: 2 }), askFor(50)));
    const quota = quotaWith({ tokensPerMinute: 100 });
    await granted(limiter.reserve("a", quota, askFor(100)));
    // What began before there was a limit of tokens reserved none.
    call.settle({ tokens: 20, nanoDollars: 0 });
    expect(await refused(limiter.reserve("a", quota, askFor(0)))).toMatchObject({
      limit: "tokens",
      retryAfterMs: 12_000,
    });
    expect(
      (await granted(limiter.reserve("a", quotaWith({ concurrent: 2 }), askFor(0)))).standing.tokens,
    ).toBeUndefined();
  });

  it("forgets callers that have nothing to wait for", () => {
    const clock = createFakeClock();
    const limiter = createMemoryLimiter({ spend: emptyLedger(), clock });
    const quota = quotaWith({ requestsPerMinute: 600, tokensPerMinute: 100_000 });
    let most = 0;
    for (let caller = 0; caller < 1_000_000; caller++) {
      (limiter.reserve(`jwt:${caller}`, quota, askFor(10)) as Grant).settle({ tokens: 20, nanoDollars: 0 });
      if (caller % 10 === 0) clock.passMs(1);
      most = Math.max(most, limiter.callers);
    }
    // A request is refilled in 100 ms, in which a thousand of them call.
    expect(most).toBeLessThan(3_000);
  });

  it("forgets nobody who has a call, a debt or a bucket that is not full", async () => {
    const clock = createFakeClock();
    const limiter = createMemoryLimiter({ spend: emptyLedger(), clock });
    const quota = quotaWith({ tokensPerMinute: 100, concurrent: 1 });
    await granted(limiter.reserve("calls", quota, askFor(0)));
    (await granted(limiter.reserve("owes", quota, askFor(0)))).settle({ tokens: 1_000, nanoDollars: 0 });
    for (let other = 0; other < 100; other++) {
      clock.passMs(1_000);
      (await granted(limiter.reserve(`other ${other}`, quota, askFor(1)))).settle(NOTHING_USED);
    }
    expect((await refused(limiter.reserve("calls", quota, askFor(0)))).limit).toBe("concurrent");
    // It owed 900 at first, for nine minutes, of which 100 seconds are over.
    expect((await refused(limiter.reserve("owes", quota, askFor(0)))).retryAfterMs).toBe(440_000);
  });
});

describe("a budget", () => {
  const stage = (iso: string) => {
    const clock = createFakeClock(iso);
    const spend = createSpendLedger({ read: async () => 0, clock });
    return { clock, limiter: createMemoryLimiter({ spend, clock }) };
  };

  it.each<{ readonly per: "day" | "month"; readonly at: string; readonly waitMs: number; readonly next: string }>([
    { per: "day", at: "2026-01-31T23:59:59.000Z", waitMs: 1_000, next: "2026-02-01T00:00:00Z" },
    { per: "month", at: "2026-01-31T23:59:59.999Z", waitMs: 1, next: "2026-02-01T00:00:00Z" },
    { per: "month", at: "2028-02-28T00:00:00.000Z", waitMs: 2 * 86_400_000, next: "2028-03-01T00:00:00Z" },
    { per: "month", at: "2026-12-31T00:00:00.000Z", waitMs: 86_400_000, next: "2027-01-01T00:00:00Z" },
  ])("of a $per lasts at $at for $waitMs ms", async ({ per, at, waitMs, next }) => {
    const { clock, limiter } = stage(at);
    const quota = quotaWith({ budget: { nanoDollars: 10, per } });
    (await granted(limiter.reserve("a", quota, askFor(0)))).settle({ tokens: 0, nanoDollars: 10 });
    expect(await refused(limiter.reserve("a", quota, askFor(0)))).toMatchObject({
      limit: "budget",
      retryAfterMs: waitMs,
    });
    clock.setWall(next);
    await granted(limiter.reserve("a", quota, askFor(0)));
  });

  it("is granted once for a period, however the clock jumps", async () => {
    const { clock, limiter } = stage("2026-01-10T12:00:00Z");
    const quota = quotaWith({ budget: { nanoDollars: 10, per: "day" } });
    (await granted(limiter.reserve("a", quota, askFor(0)))).settle({ tokens: 0, nanoDollars: 10 });
    clock.setWall("2026-01-11T12:00:00Z");
    (await granted(limiter.reserve("a", quota, askFor(0)))).settle({ tokens: 0, nanoDollars: 10 });
    for (const day of ["2026-01-10", "2026-01-11", "2026-01-10"]) {
      clock.setWall(`${day}T20:00:00Z`);
      expect((await refused(limiter.reserve("a", quota, askFor(0)))).limit).toBe("budget");
    }
  });

  it("is of the caller's key, whether it lasts a day or a month", async () => {
    const { limiter } = stage("2026-01-10T12:00:00Z");
    const daily = quotaWith({ budget: { nanoDollars: 10, per: "day" } });
    (await granted(limiter.reserve("a", daily, askFor(0)))).settle({ tokens: 0, nanoDollars: 10 });
    const monthly = quotaWith({ budget: { nanoDollars: 10, per: "month" } });
    expect((await refused(limiter.reserve("a", monthly, askFor(0)))).limit).toBe("budget");
    await granted(limiter.reserve("b", monthly, askFor(0)));
  });
});
