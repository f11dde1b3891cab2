import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Grant, Limiter, Refusal } from "../../src/admission/limits/limiter.ts";
import { createMemoryLimiter } from "../../src/admission/limits/memory-limiter.ts";
import type { Quota } from "../../src/admission/limits/quota.ts";
import { createSpendLedger } from "../../src/admission/limits/spend-ledger.ts";
import { type Channel, openChannel } from "../../src/workers/channel.ts";
import type { LimitDesk } from "../../src/workers/limit-desk.ts";
import { createLimitLender, type LimitLender } from "../../src/workers/limit-lender.ts";
import { CLONED, type PrimaryService, type WorkerService } from "../../src/workers/protocol.ts";
import { createRemoteLimiter, type RemoteLimiter } from "../../src/workers/remote-limiter.ts";
import { createPipes, type PipePair } from "../support/crew.ts";

const NONE: Quota = {
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  concurrent: undefined,
  concurrentStreams: undefined,
  budget: undefined,
};
const QUOTA: Quota = {
  requestsPerMinute: 60,
  tokensPerMinute: 600,
  concurrent: 12,
  concurrentStreams: 9,
  budget: { nanoDollars: 500, per: "day" },
};
const ASK = { tokens: 10, stream: false };
const NOTHING = { tokens: 0, nanoDollars: 0 };

/** Limits whose clock stands still, unless it is told to go on. */
interface Still {
  readonly limiter: Limiter;
  readonly lender: LimitLender;
  readonly clock: { nowMs: number };
}

function createStill(): Still {
  const clock = { nowMs: 0 };
  const times = { monotonicMs: () => clock.nowMs, wallMs: () => clock.nowMs };
  const spend = createSpendLedger({ read: async () => 0, clock: times });
  const limiter = createMemoryLimiter({ spend, clock: times });
  return { limiter, lender: createLimitLender({ limiter, spend, workers: 2, clock: times }), clock };
}

/** A worker's limiter, and its desk at the primary. */
interface Joined {
  readonly remote: RemoteLimiter;
  readonly desk: LimitDesk;
  readonly pipes: PipePair;
}

function join({ lender }: Still, now?: () => number): Joined {
  const pipes = createPipes();
  const [ofPrimary, ofWorker] = pipes.ends;
  const worker = {} as Channel<WorkerService>;
  const desk = lender.open((caller) => worker.ask("recall", caller));
  Object.assign(worker, openChannel<WorkerService>(ofPrimary, desk, CLONED));
  const service = {};
  const remote = createRemoteLimiter(openChannel<PrimaryService>(ofWorker, service, CLONED), now);
  Object.assign(service, { recall: remote.recall });
  return { remote, desk, pipes };
}

const settledTurn = async (): Promise<void> => {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A clock by which a second passes between any two looks. */
const slowly = (): (() => number) => {
  let nowMs = 0;
  return () => (nowMs += 1_000);
};

/** Some calls of three workers one after the other: each reserves, or settles the oldest of its worker's that are open. */
const stepsOf = (mostMs: number, calls: number) =>
  fc.array(
    fc.record({
      worker: fc.integer({ min: 0, max: 2 }),
      step: fc.oneof(
        fc.record({ tokens: fc.integer({ min: 0, max: 30 }), stream: fc.boolean() }),
        fc.record({ used: fc.integer({ min: 0, max: 40 }), nanoDollars: fc.integer({ min: 0, max: 30 }) }),
      ),
      afterMs: fc.integer({ min: 0, max: mostMs }),
    }),
    { maxLength: calls },
  );

type Steps = ReturnType<typeof stepsOf> extends fc.Arbitrary<infer T> ? T : never;

/** Takes the same steps with one process and with workers, and calls `compare` with both decisions about each call. */
async function takeSteps(
  steps: Steps,
  now: () => (() => number) | undefined,
  compare: (alone: Grant | Refusal, remote: Grant | Refusal) => void,
): Promise<number> {
  const [one, shared] = [createStill(), createStill()];
  const workers = [join(shared, now()), join(shared, now()), join(shared, now())];
  const open: { readonly alone: Grant; readonly remote: Grant }[][] = [[], [], []];
  for (const { worker, step, afterMs } of steps) {
    one.clock.nowMs += afterMs;
    shared.clock.nowMs += afterMs;
    const own = open[worker]!;
    if ("tokens" in step) {
      const alone = await one.limiter.reserve("key", QUOTA, step);
      const remote = await workers[worker]!.remote.reserve("key", QUOTA, step);
      compare(alone, remote);
      if (alone.granted && remote.granted) own.push({ alone, remote });
    } else {
      const calls = own.shift();
      const use = { tokens: step.used, nanoDollars: step.nanoDollars };
      calls?.alone.settle(use);
      calls?.remote.settle(use);
      await settledTurn();
    }
  }
  return workers.reduce((sum, { pipes }) => sum + pipes.sent[0] + pipes.sent[1], 0);
}

describe("the limits of workers", () => {
  let still: Still;
  beforeEach(() => {
    still = createStill();
  });

  it("are decided as one process decides, and told as it tells, where calls are few", async () => {
    await fc.assert(
      fc.asyncProperty(stepsOf(5_000, 40), async (steps) => {
        await takeSteps(steps, slowly, (alone, remote) => {
          const { settle: _one, ...expected } = JSON.parse(JSON.stringify(alone));
          const { standing, granted, limit, retryAfterMs } = remote as Refusal;
          // What is undefined is not sent.
          expect(JSON.parse(JSON.stringify({ standing, granted, limit, retryAfterMs }))).toEqual(expected);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("are decided as one process decides, where calls are so many that workers have them ahead", async () => {
    await fc.assert(
      fc.asyncProperty(stepsOf(0, 150), async (steps) => {
        await takeSteps(
          steps,
          () => undefined,
          (alone, remote) => {
            expect(remote.granted).toBe(alone.granted);
            expect((remote as Refusal).limit).toBe((alone as Refusal).limit);
          },
        );
      }),
      { numRuns: 60 },
    );
  });

  it("are asked about seldom where calls are many, and about each where they are few", async () => {
    const quota = { ...NONE, requestsPerMinute: 1_000_000, concurrent: 10_000 };
    const [quick, slow] = [join(still), join(still, slowly())];
    for (const { remote } of [quick, slow]) {
      for (let call = 0; call < 1_000; call++) {
        const decision = await remote.reserve("key", quota, ASK);
        if (decision.granted) decision.settle(NOTHING);
      }
    }
    expect(quick.pipes.sent[0]).toBeLessThan(250);
    expect(slow.pipes.sent[0]).toBeGreaterThanOrEqual(1_000);
  });

  it("never grant more than there is, whoever asks at once, and all of it", async () => {
    const workers = Array.from({ length: 4 }, () => join(still));
    const quota = { ...NONE, concurrent: 70, requestsPerMinute: 200 };
    const reserveAll = async (): Promise<Grant[]> => {
      const decisions = await Promise.all(
        workers.flatMap(({ remote }) => Array.from({ length: 100 }, async () => remote.reserve("key", quota, ASK))),
      );
      return decisions.filter((it): it is Grant => it.granted);
    };
    for (const most of [70, 70, 60, 0]) {
      const grants = await reserveAll();
      expect(grants).toHaveLength(most);
      for (const grant of grants) grant.settle(NOTHING);
      await settledTurn();
    }
  });

  it("refuse nobody for what another worker holds and does not use", async () => {
    const [busy, other] = [join(still), join(still)];
    const quota = { ...NONE, requestsPerMinute: 100, concurrent: 100 };
    for (let call = 0; call < 20; call++) await busy.remote.reserve("key", quota, ASK);
    const decisions = await Promise.all(
      Array.from({ length: 100 }, async () => other.remote.reserve("key", quota, ASK)),
    );
    expect(decisions.filter(({ granted }) => granted)).toHaveLength(80);
  });

  it("give back what is not used soon", async () => {
    const [busy, other] = [join(still), join(still)];
    const quota = { ...NONE, requestsPerMinute: 100 };
    for (let call = 0; call < 10; call++) await busy.remote.reserve("key", quota, ASK);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await other.remote.standing("key", quota)).toMatchObject({ requests: { remaining: 90 } });
  });

  it("are told of a settled call before whatever another worker asks next", async () => {
    const [one, other] = [join(still), join(still)];
    const quota = { ...NONE, concurrent: 1 };
    for (let turn = 0; turn < 50; turn++) {
      const worker = turn % 2 === 0 ? one : other;
      const decision = await worker.remote.reserve("key", quota, ASK);
      expect(decision.granted).toBe(true);
      if (decision.granted) decision.settle({ tokens: 1, nanoDollars: 0 });
    }
  });

  it("count a call that is settled twice once", async () => {
    const { remote } = join(still);
    const quota = { ...NONE, concurrent: 2 };
    const [first, second] = [await remote.reserve("key", quota, ASK), await remote.reserve("key", quota, ASK)];
    for (const decision of [first, first]) if (decision.granted) decision.settle(NOTHING);
    await settledTurn();
    expect((await remote.reserve("key", quota, ASK)).granted).toBe(true);
    expect((await remote.reserve("key", quota, ASK)).granted).toBe(false);
    expect(second.granted).toBe(true);
  });

  it("have the places of a worker that is gone again, and keep the tokens that it had reserved", async () => {
    const [dead, alive] = [join(still), join(still)];
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
    const spend = createSpendLedger({ read: () => read.promise });
    const limiter = createMemoryLimiter({ spend });
    const desk = createLimitLender({ limiter, spend, workers: 2 }).open(async () => undefined);
    const quota: Quota = { ...NONE, concurrent: 1, budget: { nanoDollars: 1, per: "day" } };
    const reserving = desk.reserve(1, "key", quota, ASK, { count: 0, tokens: 0 });
    desk.close();
    read.resolve(0);
    await reserving;
    expect((await limiter.reserve("key", quota, ASK)).granted).toBe(true);
  });

  it("follow limits that change, with what is reserved ahead by the old ones", async () => {
    const { remote } = join(still);
    for (let call = 0; call < 20; call++) await remote.reserve("key", { ...NONE, requestsPerMinute: 1_000 }, ASK);
    const narrow = { ...NONE, requestsPerMinute: 1_000, concurrent: 22 };
    const decisions = await Promise.all(Array.from({ length: 9 }, async () => remote.reserve("key", narrow, ASK)));
    expect(decisions.filter(({ granted }) => granted)).toHaveLength(2);
  });

  it("tell how it stands, and ask nobody about callers without limits", async () => {
    const { remote } = join(still);
    const quota = { ...NONE, requestsPerMinute: 5 };
    await remote.reserve("key", quota, ASK);
    expect(await remote.standing("key", quota)).toEqual({ requests: { limit: 5, remaining: 4, resetMs: 12_000 } });
    const silent = createRemoteLimiter({ ask: () => Promise.reject(new Error("asked")), tell: () => undefined });
    expect((await silent.reserve("key", NONE, ASK)).granted).toBe(true);
    expect(await silent.standing("key", NONE)).toEqual({ requests: undefined, tokens: undefined });
  });

  it("tell each call less than the one before it, also of those that were reserved ahead", async () => {
    const { remote } = join(still);
    const quota = { ...NONE, requestsPerMinute: 1_000, tokensPerMinute: 100_000 };
    const remaining: (number | undefined)[] = [];
    for (let call = 0; call < 30; call++) {
      const { standing } = await remote.reserve("key", quota, ASK);
      remaining.push(standing.requests?.remaining);
    }
    expect(remaining[0]).toBe(999);
    expect(remaining.toSorted((a, b) => (b ?? 0) - (a ?? 0))).toEqual(remaining);
    expect(remaining.at(-1)).toBeGreaterThan(900);
  });
});
