/**
 * Thousands of calls through the gateway, by a clock of the test's own and by chance that a seed repeats, to targets that do well and
 * badly by a schedule.
 *
 * What is claimed: no call fails while a healthy target is there and time is left. Precisely, a call is answered when its client stays, and
 * among its targets there is one
 * - that answers everything, from the longest silence that is borne of a target (`SILENCE_MS`: until then, what began when it did badly may
 *   still fail) before the arrival of the call up to its end;
 * - whose breaker was closed when the call arrived; one that was open lets calls go one after the other;
 * - that has a place for it all the time;
 * - and for which the time of the call is enough: it still has what its answer takes when half of what is left is lost at each other target
 *   and key before. (A target that is silent takes no more than half, as long as there is another one to ask.)
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import { Attempt_Outcome } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { ROUTING } from "../support/routing.ts";
import { ANSWER_MS, type MoodyBackend, type MoodyParts, type Schedule, type Visit } from "./support/moody-backend.ts";
import { type Caller, NOTHING, type Outcome, type Play, type Played, play, type Turn } from "./support/play.ts";
import { seedRandom } from "./support/seeded.ts";

const SILENCE_MS = 400;
const OPEN_MS = 1_000;
const MAX_OPEN_MS = 4_000;

const OPTIONS: GatewayOptions = {
  totalMs: 20_000,
  firstChunkMs: SILENCE_MS,
  idleMs: SILENCE_MS,
  attemptMs: SILENCE_MS,
  maxRetries: 2,
  maxWaitMs: 10_000,
};
const BREAKER = { ...ROUTING.breaker, openMs: OPEN_MS, maxOpenMs: MAX_OPEN_MS };
const PLAY: Omit<Play, "targets"> = {
  names: [{}],
  options: OPTIONS,
  routing: { ...ROUTING, breaker: BREAKER },
  lastsMs: 30_000,
  rate: 40,
  caller: () => caller(),
};
const SEEDS = [1, 2];
const WELL: Schedule = [[0, "well"]];

const caller = (more: Partial<Caller> = {}): Caller => ({
  model: "name-0",
  streaming: Math.random() < 0.5,
  timeoutMs: OPTIONS.totalMs,
  ...more,
});
const one = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)] as T;
const by = <T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> =>
  Map.groupBy(items, keyOf);
const shareOf = ({ visits }: MoodyBackend, calls: readonly Played[]): number =>
  new Set(visits.map(({ call }) => call)).size / calls.length;
const firsts = (calls: readonly Played[], name: string): number =>
  calls.filter(({ log }) => log.attempts[0]?.target === name).length;

/** The calls that have to be answered, by what is claimed above. */
function mustBeAnswered({ calls, targets }: Outcome): Played[] {
  const others = targets.reduce((sum, { parts }) => sum + (parts.credentials ?? 1), 0) - 1;
  return calls.filter(
    (call) =>
      call.end !== "gone" &&
      targets.some(
        (target) =>
          target.parts.concurrency === undefined &&
          target.isWell(call.from - SILENCE_MS, call.to) &&
          call.breakers.get(target.name) === "closed" &&
          call.timeoutMs / 2 ** others > (target.parts.answerMs ?? ANSWER_MS),
      ),
  );
}

const failedOf = (calls: readonly Played[]) =>
  calls
    .filter(({ end }) => end !== "answered")
    .map(({ id, from, to, error, log }) => ({ id, from, to, error: error?.message, attempts: log.attempts }));

/** Retries that a target got, seen from there: what a call asked of it more than once, but for the first try of each other key. */
function retriesAt({ visits, parts: { credentials = 1 } }: MoodyBackend) {
  const calls = by(visits, ({ call }) => call);
  const retries = [...calls.values()].reduce((sum, { length }) => sum + Math.max(0, length - credentials), 0);
  return { calls: calls.size, retries };
}

/** The times between a breaker's first opening and its closing. */
function downTimes(turns: readonly Turn[]): { readonly from: number; readonly to: number }[] {
  const times: { from: number; to: number }[] = [];
  for (const { at, state } of turns) {
    const last = times.at(-1);
    if (state === "open" && (last === undefined || last.to < Number.POSITIVE_INFINITY))
      times.push({ from: at, to: Number.POSITIVE_INFINITY });
    else if (state === "closed" && last !== undefined) last.to = at;
  }
  return times;
}

/** The visits at a target, in order, and what the gateway wrote down of each. */
function attemptsAt({ name, visits }: MoodyBackend, calls: readonly Played[]) {
  const records = new Map(
    calls.map(({ id, log }) => [
      id,
      log.attempts.filter((it) => it.target === name && it.outcome !== Attempt_Outcome.SKIPPED).values(),
    ]),
  );
  return visits.map((visit) => ({ visit, outcome: records.get(visit.call)?.next().value?.outcome }));
}

/** Visits that began while a breaker kept calls away, and which of them were wrong: two at once, or too soon after one that failed. */
function probesOf(target: MoodyBackend, { calls, turns }: Outcome) {
  const attempts = attemptsAt(target, calls);
  const probes: typeof attempts = [];
  const atOnce: Visit[] = [];
  const tooSoon: Visit[] = [];
  for (const { from, to } of downTimes(turns.get(target.name) ?? [])) {
    let openMs = OPEN_MS;
    let readyAt = from + openMs;
    let lastTo = 0;
    for (const attempt of attempts.filter(({ visit: it }) => it.from > from && it.from < to)) {
      const { visit, outcome } = attempt;
      probes.push(attempt);
      if (lastTo > visit.from) atOnce.push(visit);
      if (visit.from < readyAt) tooSoon.push(visit);
      lastTo = visit.to as number;
      // A trial that was given up teaches nothing, and nor does a silence that a short deadline cut: then the next call tries at once.
      const isShort = visit.end === "cut" && lastTo - visit.from < SILENCE_MS;
      if (outcome !== Attempt_Outcome.FAILED || isShort) continue;
      openMs = Math.min(2 * openMs, MAX_OPEN_MS);
      readyAt = lastTo + openMs;
    }
  }
  return { probes, atOnce, tooSoon };
}

/** What holds of every play. */
function checkAlways(outcome: Outcome, { routing }: Pick<Play, "routing">): void {
  const { calls, targets, left } = outcome;
  expect(left).toEqual(NOTHING);
  expect(failedOf(mustBeAnswered(outcome))).toEqual([]);
  const { burst, ratio } = routing.retryBudget;
  const overspent = targets
    .map((target) => ({ name: target.name, ...retriesAt(target) }))
    .filter(({ calls: asked, retries }) => retries > burst + ratio * asked);
  expect(overspent).toEqual([]);
  for (const target of targets) {
    const { atOnce, tooSoon } = probesOf(target, outcome);
    expect({ name: target.name, atOnce, tooSoon }).toEqual({ name: target.name, atOnce: [], tooSoon: [] });
  }
  // No attempt is left open, and each that failed did so by its target: not by a client that went away, nor by the end of the call's time.
  const records = calls.flatMap(({ log }) => log.attempts);
  expect(records.filter(({ outcome: it }) => it === Attempt_Outcome.UNSPECIFIED)).toEqual([]);
  const failures = records
    .filter(({ outcome: it }) => it === Attempt_Outcome.FAILED)
    .map(({ error }) => error?.message);
  expect([...new Set(failures)].filter((message) => !OWN_FAILURES.test(message ?? ""))).toEqual([]);
}

/** What a moody target's failures say. */
const OWN_FAILURES = /^(?:it failed|too much|the model sent nothing|the model's (?:answer|stream) )/;

/** A schedule that goes from one mood to the other. */
const flapping = (mood: Schedule[number][1], everyMs: number, offsetMs: number, lastsMs = 60_000): Schedule => {
  const schedule: [number, Schedule[number][1]][] = [[0, "well"]];
  for (let at = offsetMs; at < lastsMs; at += 2 * everyMs) schedule.push([at, mood], [at + everyMs, "well"]);
  return schedule;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(1_800_000_000_000);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a mixed lot of targets", () => {
  const targets: MoodyParts[] = [
    { id: "flapping", schedule: flapping("failing", 4_000, 3_000), price: 1n },
    { id: "stalling", schedule: flapping("silent", 3_000, 1_000), price: 2n },
    { id: "limiting", schedule: [[0, "limiting"]], credentials: 2, price: 3n },
    { id: "breaking", schedule: flapping("breaking", 2_500, 2_000), price: 4n },
    { id: "steady", schedule: WELL, price: 5n },
    { id: "slow", schedule: WELL, answerMs: 300, price: 6n },
  ];
  const names: Play["names"] = [
    { policy: "quality" },
    { policy: "cost" },
    { policy: "latency" },
    { weights: new Map(targets.map(({ id }, at) => [`${id}/m`, at + 1])) },
  ];

  it.each([1, 2, 3, 4, 5])("answers every call that can be answered (seed %i)", async (seed) => {
    seedRandom(seed);
    const mixed = (): Caller => {
      const streaming = Math.random() < 0.5;
      return caller({
        model: one(["name-0", "name-1", "name-2", "name-3", "auto"]),
        streaming,
        timeoutMs: one([20_000, 60_000, 700]),
        cancelAfterMs: Math.random() < 0.15 ? Math.random() * 600 : undefined,
        leavesEarly: streaming && Math.random() < 0.1,
        hedgeAfterMs: Math.random() < 0.1 ? 50 : undefined,
      });
    };
    const playing = { ...PLAY, targets, names, caller: mixed };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    // All of it has happened.
    const { calls, turns } = outcome;
    const demanded = mustBeAnswered(outcome);
    const moved = demanded.filter(({ log }) => log.attempts.some((it) => it.outcome === Attempt_Outcome.FAILED));
    expect(calls.length).toBeGreaterThan(1_000);
    expect(demanded.length).toBeGreaterThan(500);
    expect(moved.length).toBeGreaterThan(50);
    expect(calls.filter(({ end }) => end === "gone").length).toBeGreaterThan(80);
    const outcomes = new Set(calls.flatMap(({ log }) => log.attempts.map((it) => it.outcome)));
    expect(outcomes.size).toBe(Object.keys(Attempt_Outcome).length / 2 - 1);
    for (const id of ["flapping", "stalling", "breaking"]) expect(turns.get(`${id}/m`)?.length).toBeGreaterThan(2);
  });
});

describe("a target that is down", () => {
  it.each(
    SEEDS.flatMap((seed) => (["failing", "silent", "breaking"] as const).map((mood) => [mood, seed] as const)),
  )("gets one call at a time, and one in a while (%s, seed %i)", async (mood, seed) => {
    seedRandom(seed);
    const targets: MoodyParts[] = [
      {
        id: "down",
        schedule: [
          [0, "well"],
          [2_000, mood],
          [25_000, "well"],
        ],
      },
      { id: "other", schedule: WELL },
    ];
    const cancelled = (): Caller =>
      caller({ cancelAfterMs: Math.random() < 0.2 ? Math.random() * SILENCE_MS : undefined });
    const playing = { ...PLAY, targets, rate: 100, caller: cancelled };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    const [down] = outcome.targets as [MoodyBackend];
    // From 2 s to 25 s: after 1, 2, 4, 4, 4, 4 s; besides those that clients cut short.
    const failed = probesOf(down, outcome).probes.filter(({ outcome: it }) => it === Attempt_Outcome.FAILED);
    expect(failed.length).toBeGreaterThanOrEqual(5);
    expect(failed.length).toBeLessThanOrEqual(7);
    // Two thousand calls came then.
    const away = down.visits.filter(({ from }) => from > 5_000 && from < 25_000);
    expect(away.length).toBeLessThan(20);
    expect(outcome.turns.get(down.name)?.at(-1)?.state).toBe("closed");
  });
});

describe("a target that is back", () => {
  const policies: Play["names"] = [
    { policy: "quality" },
    { policy: "cost" },
    { policy: "latency" },
    {
      weights: new Map([
        ["back/m", 9],
        ["other/m", 1],
      ]),
    },
  ];
  it.each(
    SEEDS.flatMap((seed) =>
      policies.map((name, at) => [["quality", "cost", "latency", "weights"][at], seed, name] as const),
    ),
  )("gets calls again within the longest time that it is kept from them (%s, seed %i)", async (_what, seed, name) => {
    seedRandom(seed);
    const backAt = [6_000, 14_000, 22_000];
    const schedule: Schedule = [
      [0, "well"],
      ...backAt.flatMap(
        (at) =>
          [
            [at - 4_000, "failing"],
            [at, "well"],
          ] as const,
      ),
    ];
    const targets: MoodyParts[] = [
      { id: "back", schedule, price: 1n },
      { id: "other", schedule: WELL, price: 2n },
    ];
    const playing = { ...PLAY, names: [name], targets };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    const [back] = outcome.targets as [MoodyBackend];
    // Until somebody comes who asks it first: 250 ms.
    const returns = backAt.map(
      (at) => back.visits.find(({ from, end }) => from >= at && end === "answered")?.from ?? 0,
    );
    for (const [at, from] of returns.entries()) {
      expect(from).toBeGreaterThan(0);
      expect(from - (backAt[at] as number)).toBeLessThan(MAX_OPEN_MS + 250);
    }
    expect(outcome.turns.get(back.name)?.filter(({ state }) => state === "open").length).toBeGreaterThanOrEqual(3);
  });
});

describe("retries", () => {
  /** Without breakers: what bounds the retries is their budget. */
  const routing = { ...ROUTING, breaker: { ...BREAKER, failureRatio: 0.99, window: 100_000, minCalls: 100_000 } };
  const { burst, ratio } = routing.retryBudget;

  it.each([
    ["with one key", { id: "a", schedule: [[0, "failing"]] }],
    ["with three keys", { id: "a", schedule: [[0, "failing"]], credentials: 3 }],
    ["with few places", { id: "a", schedule: [[0, "failing"]], concurrency: { maxInFlight: 3, maxQueue: 1_000 } }],
  ] satisfies [string, MoodyParts][])("are a share of the calls, where all fail (%s)", async (_what, target) => {
    seedRandom(1);
    const playing = { ...PLAY, routing, targets: [target], rate: 60 };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    const [failing] = outcome.targets as [MoodyBackend];
    const retries = failing.visits.length - outcome.calls.length;
    expect(retries).toBeLessThanOrEqual(burst + ratio * outcome.calls.length);
    expect(retries).toBeGreaterThan(0.9 * ratio * outcome.calls.length);
    expect(outcome.calls.every(({ end }) => end === "failed")).toBe(true);
  });

  it("try each key once, and then wait for as long as the provider says", async () => {
    seedRandom(1);
    const targets: MoodyParts[] = [{ id: "a", schedule: [[0, "limiting"]], credentials: 3 }];
    const playing = { ...PLAY, routing, targets, rate: 60 };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    const [limiting] = outcome.targets as [MoodyBackend];
    const visits = [...by(limiting.visits, ({ call }) => call).values()];
    // Three keys, and two retries.
    expect(Math.max(...visits.map(({ length }) => length))).toBeLessThanOrEqual(5);
    // It takes 25 calls a second, however many come.
    const answered = outcome.calls.filter(({ end }) => end === "answered").length;
    expect(answered).toBeGreaterThan(0.7 * 25 * (playing.lastsMs / 1_000));
    expect(new Set(limiting.visits.map(({ key }) => key)).size).toBe(3);
  });
});

describe("clients that go away", () => {
  it.each(SEEDS)("leave nothing behind, and count against nobody (seed %i)", async (seed) => {
    seedRandom(seed);
    const targets: MoodyParts[] = [
      { id: "a", schedule: WELL, answerMs: 300, concurrency: { maxInFlight: 5, maxQueue: 3 } },
      { id: "b", schedule: WELL, answerMs: 300 },
    ];
    const leaving = (): Caller => caller({ cancelAfterMs: Math.random() * 290 });
    const playing = { ...PLAY, targets, caller: leaving };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    expect(outcome.calls.length).toBeGreaterThan(1_000);
    expect(outcome.calls.every(({ end }) => end === "gone")).toBe(true);
    const failed = outcome.calls.flatMap(({ log }) =>
      log.attempts.filter((it) => it.outcome === Attempt_Outcome.FAILED),
    );
    expect(failed).toEqual([]);
    expect([...outcome.turns.values()].flat()).toEqual([]);
  });

  it.each(SEEDS)("leave the trial of a target to the next call (seed %i)", async (seed) => {
    seedRandom(seed);
    const targets: MoodyParts[] = [
      {
        id: "a",
        schedule: [
          [0, "failing"],
          [2_000, "well"],
        ],
        answerMs: 300,
      },
      { id: "b", schedule: WELL },
    ];
    const end = Date.now() + 6_000;
    const leaving = (): Caller => caller({ cancelAfterMs: Date.now() < end ? 40 + Math.random() * 250 : undefined });
    const playing = { ...PLAY, lastsMs: 10_000, targets, caller: leaving };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    const [a] = outcome.targets as [MoodyBackend];
    const { probes } = probesOf(a, outcome);
    const cut = probes.filter(({ outcome: it }) => it === Attempt_Outcome.CANCELLED);
    expect(cut.length).toBeGreaterThan(5);
    expect(outcome.turns.get(a.name)?.at(-1)?.state).toBe("closed");
  });
});

describe("targets with few places", () => {
  it.each(SEEDS)("never get more calls at once, and let those who wait have their turn (seed %i)", async (seed) => {
    seedRandom(seed);
    const concurrency = { maxInFlight: 2, maxQueue: 4 };
    const targets: MoodyParts[] = [
      { id: "a", schedule: flapping("silent", 2_000, 3_000), concurrency },
      { id: "b", schedule: WELL, concurrency },
    ];
    const mixed = (): Caller =>
      caller({
        cancelAfterMs: Math.random() < 0.1 ? Math.random() * 400 : undefined,
        hedgeAfterMs: Math.random() < 0.2 ? 40 : undefined,
      });
    const playing = { ...PLAY, targets, rate: 60, caller: mixed };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    for (const { visits } of outcome.targets) {
      const crowds = visits.map(
        ({ from }) => visits.filter((it) => it.from <= from && (it.to as number) > from).length,
      );
      expect(Math.max(...crowds)).toBe(concurrency.maxInFlight);
    }
    expect(outcome.calls.some(({ log }) => log.attempts.some(({ queuedMs }) => queuedMs !== undefined))).toBe(true);
    const reasons = new Set(outcome.calls.map(({ error }) => error?.reasonName));
    expect(reasons.has("NO_AVAILABLE_UPSTREAM")).toBe(true);
  });
});

describe("policies", () => {
  it.each(SEEDS)("quality asks the first that is well (seed %i)", async (seed) => {
    seedRandom(seed);
    const targets: MoodyParts[] = [
      { id: "a", schedule: WELL, answerMs: 300 },
      { id: "b", schedule: WELL },
    ];
    const { calls, targets: played } = await play({ ...PLAY, targets });
    expect(played.map((it) => shareOf(it, calls))).toEqual([1, 0]);
  });

  it.each(SEEDS)("cost asks the cheapest that is well (seed %i)", async (seed) => {
    seedRandom(seed);
    const targets: MoodyParts[] = [
      { id: "unknown", schedule: WELL },
      { id: "dear", schedule: WELL, price: 9_000_000n },
      { id: "cheap", schedule: WELL, price: 1_000_000n },
      { id: "down", schedule: [[0, "failing"]], price: 1_000n },
    ];
    const playing: Play = { ...PLAY, names: [{ policy: "cost" }], targets };
    const outcome = await play(playing);
    checkAlways(outcome, playing);
    const [unknown, dear, cheap, down] = outcome.targets as [MoodyBackend, MoodyBackend, MoodyBackend, MoodyBackend];
    expect([unknown, dear].map((it) => shareOf(it, outcome.calls))).toEqual([0, 0]);
    expect(cheap.visits.filter(({ end }) => end === "answered").length).toBe(outcome.calls.length);
    expect(shareOf(down, outcome.calls)).toBeLessThan(0.05);
  });

  it.each(SEEDS)("latency asks a slow target now and then (seed %i)", async (seed) => {
    seedRandom(seed);
    const targets: MoodyParts[] = [
      { id: "slow", schedule: WELL, answerMs: 1_000 },
      { id: "quick", schedule: WELL, answerMs: 50 },
      { id: "brisk", schedule: WELL, answerMs: 80 },
    ];
    const options = { ...OPTIONS, firstChunkMs: 2_000, attemptMs: 2_000 };
    const { calls, targets: played } = await play({ ...PLAY, names: [{ policy: "latency" }], options, targets });
    const [slow, quick, brisk] = played.map((it) => shareOf(it, calls)) as [number, number, number];
    expect(slow).toBeGreaterThan(0);
    expect(slow).toBeLessThan(0.05);
    expect(quick).toBeGreaterThan(brisk);
    expect(brisk).toBeGreaterThan(0.15);
  });

  it.each(SEEDS)("weights share the calls out (seed %i)", async (seed) => {
    seedRandom(seed);
    const targets: MoodyParts[] = ["a", "b", "c", "rest"].map((id) => ({ id, schedule: WELL }));
    const weights = new Map([
      ["a/m", 70],
      ["b/m", 20],
      ["c/m", 10],
    ]);
    const { calls } = await play({ ...PLAY, names: [{ weights }], targets, rate: 100 });
    const shares = ["a/m", "b/m", "c/m", "rest/m"].map((name) => firsts(calls, name) / calls.length);
    for (const [at, share] of [0.7, 0.2, 0.1, 0].entries())
      expect(Math.abs((shares[at] as number) - share)).toBeLessThan(0.03);
  });
});
