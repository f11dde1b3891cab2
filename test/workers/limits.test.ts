import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Grant, Limiter, Refusal } from "../../src/admission/limits/limiter.ts";
import { createMemoryLimiter } from "../../src/admission/limits/memory-limiter.ts";
import type { Quota } from "../../src/admission/limits/quota.ts";
import { createSpendLedger } from "../../src/admission/limits/spend-ledger.ts";
import { openChannel } from "../../src/workers/channel.ts";
import { createLimitDesk, type LimitDesk } from "../../src/workers/limit-desk.ts";
import { CLONED, type PrimaryService } from "../../src/workers/protocol.ts";
import { createRemoteLimiter } from "../../src/workers/remote-limiter.ts";
import { createPipes } from "../support/crew.ts";

const NONE: Quota = {
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  concurrent: undefined,
  concurrentStreams: undefined,
  budget: undefined,
};
const ASK = { tokens: 10, stream: false };

/** A limiter whose clock stands still, unless it is told to go on. */
function createStill(): { readonly limiter: Limiter; readonly clock: { nowMs: number } } {
  const clock = { nowMs: 0 };
  const times = { monotonicMs: () => clock.nowMs, wallMs: () => clock.nowMs };
  const spend = createSpendLedger({ read: async () => 0, clock: times });
  return { limiter: createMemoryLimiter({ spend, clock: times }), clock };
}

/** A worker's limiter, and its desk at the primary. */
function join(limiter: Limiter): { readonly remote: Limiter; readonly desk: LimitDesk } {
  const [ofPrimary, ofWorker] = createPipes().ends;
  const desk = createLimitDesk(limiter);
  openChannel<object>(ofPrimary, desk, CLONED);
  return { remote: createRemoteLimiter(openChannel<PrimaryService>(ofWorker, {}, CLONED)), desk };
}

const settledTurn = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Some calls of one worker after the other: which one reserves, or settles the oldest of its calls that are open. */
const STEPS = fc.array(
  fc.record({
    worker: fc.integer({ min: 0, max: 2 }),
    step: fc.oneof(
      fc.record({ tokens: fc.integer({ min: 0, max: 40 }), stream: fc.boolean() }),
      fc.record({ used: fc.integer({ min: 0, max: 60 }), nanoDollars: fc.integer({ min: 0, max: 40 }) }),
    ),
    afterMs: fc.integer({ min: 0, max: 5_000 }),
  }),
  { maxLength: 40 },
);

describe("the limits of workers", () => {
  let still: ReturnType<typeof createStill>;
  beforeEach(() => {
    still = createStill();
  });

  it("are decided as one process would decide them", async () => {
    const quota: Quota = {
      requestsPerMinute: 12,
      tokensPerMinute: 100,
      concurrent: 4,
      concurrentStreams: 2,
      budget: { nanoDollars: 120, per: "day" },
    };
    await fc.assert(
      fc.asyncProperty(STEPS, async (steps) => {
        const [one, shared] = [createStill(), createStill()];
        const workers = [join(shared.limiter), join(shared.limiter), join(shared.limiter)];
        const open: { readonly alone: Grant; readonly remote: Grant }[][] = [[], [], []];
        for (const { worker, step, afterMs } of steps) {
          one.clock.nowMs += afterMs;
          shared.clock.nowMs += afterMs;
          const own = open[worker]!;
          if ("tokens" in step) {
            const alone = await one.limiter.reserve("key", quota, step);
            const remote = await workers[worker]!.remote.reserve("key", quota, step);
            const { settle: _one, ...expected } = alone as Grant;
            const { settle: _other, ...found } = remote as Grant;
            // What is undefined is not sent.
            expect(found).toEqual(JSON.parse(JSON.stringify(expected)));
            if (alone.granted && remote.granted) own.push({ alone, remote });
          } else {
            const calls = own.shift();
            const use = { tokens: step.used, nanoDollars: step.nanoDollars };
            calls?.alone.settle(use);
            calls?.remote.settle(use);
            await settledTurn();
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("never grant more places than there are, whoever asks at once", async () => {
    const workers = Array.from({ length: 4 }, () => join(still.limiter));
    const quota = { ...NONE, concurrent: 7 };
    const reserveAll = (): Promise<(Grant | Refusal)[]> =>
      Promise.all(
        workers.flatMap(({ remote }) => Array.from({ length: 25 }, async () => remote.reserve("key", quota, ASK))),
      );
    const grants = (await reserveAll()).filter((it) => it.granted);
    expect(grants).toHaveLength(7);
    for (const grant of grants) grant.settle({ tokens: 0, nanoDollars: 0 });
    await settledTurn();
    expect((await reserveAll()).filter(({ granted }) => granted)).toHaveLength(7);
  });

  it("are told of a settled call before whatever another worker asks next", async () => {
    const [one, other] = [join(still.limiter), join(still.limiter)];
    const quota = { ...NONE, concurrent: 1 };
    for (let turn = 0; turn < 50; turn++) {
      const worker = turn % 2 === 0 ? one : other;
      const decision = await worker.remote.reserve("key", quota, ASK);
      expect(decision.granted).toBe(true);
      if (decision.granted) decision.settle({ tokens: 1, nanoDollars: 0 });
    }
  });

  it("count a call that is settled twice once", async () => {
    const { remote } = join(still.limiter);
    const quota = { ...NONE, concurrent: 2 };
    const [first, second] = [await remote.reserve("key", quota, ASK), await remote.reserve("key", quota, ASK)];
    for (const decision of [first, first]) if (decision.granted) decision.settle({ tokens: 0, nanoDollars: 0 });
    await settledTurn();
    expect((await remote.reserve("key", quota, ASK)).granted).toBe(true);
    expect((await remote.reserve("key", quota, ASK)).granted).toBe(false);
    expect(second.granted).toBe(true);
  });

  it("have the places of a worker that is gone again, and keep the tokens that it had reserved", async () => {
    const [dead, alive] = [join(still.limiter), join(still.limiter)];
    const quota = { ...NONE, concurrent: 2, tokensPerMinute: 100 };
    await dead.remote.reserve("key", quota, { tokens: 30, stream: true });
    await dead.remote.reserve("key", quota, { tokens: 30, stream: false });
    expect(await alive.remote.reserve("key", quota, ASK)).toMatchObject({ granted: false, limit: "concurrent" });
    dead.desk.close();
    expect(await alive.remote.reserve("key", quota, ASK)).toMatchObject({
      granted: true,
      standing: { tokens: { remaining: 30 } },
    });
  });

  it("have the place again that a worker was granted when it was gone already", async () => {
    const read = Promise.withResolvers<number>();
    const limiter = createMemoryLimiter({ spend: createSpendLedger({ read: () => read.promise }) });
    const desk = createLimitDesk(limiter);
    const quota: Quota = { ...NONE, concurrent: 1, budget: { nanoDollars: 1, per: "day" } };
    const reserving = desk.reserve(1, "key", quota, ASK);
    desk.close();
    read.resolve(0);
    await reserving;
    expect((await limiter.reserve("key", quota, ASK)).granted).toBe(true);
  });

  it("tell how it stands, and ask nobody about callers without limits", async () => {
    const { remote } = join(still.limiter);
    const quota = { ...NONE, requestsPerMinute: 5 };
    await remote.reserve("key", quota, ASK);
    expect(await remote.standing("key", quota)).toEqual({ requests: { limit: 5, remaining: 4, resetMs: 12_000 } });
    const silent = createRemoteLimiter({ ask: () => Promise.reject(new Error("asked")), tell: () => undefined });
    expect((await silent.reserve("key", NONE, ASK)).granted).toBe(true);
    expect(await silent.standing("key", NONE)).toEqual({ requests: undefined, tokens: undefined });
  });
});
