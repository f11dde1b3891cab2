import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costOf, inOrder, type Ordering, readyAt, type Situation } from "../../src/routing/order.ts";
import type { Target } from "../../src/routing/target.ts";
import { seeded } from "./support/seeded.ts";
import { breakDown, candidatesOf, idleTarget, idsOf, NO_DEMAND } from "./support/targets.ts";

const NO_WEIGHTS = new Map<string, number>();
const situation = (more: Partial<Situation> = {}): Situation => ({
  demand: NO_DEMAND,
  streaming: false,
  now: Date.now(),
  random: seeded(1),
  ...more,
});
const ordered = (targets: readonly Target[], ordering: Partial<Ordering>, more: Partial<Situation> = {}): string[] =>
  idsOf(inOrder(candidatesOf(...targets), { policy: "quality", weights: NO_WEIGHTS, ...ordering }, situation(more)));
/** How often each id comes first in so many draws. */
function firstsOf(draws: number, draw: () => readonly string[]): Record<string, number> {
  const firsts: Record<string, number> = {};
  for (let at = 0; at < draws; at++) {
    const [first = ""] = draw();
    firsts[first] = (firsts[first] ?? 0) + 1;
  }
  return firsts;
}

describe("inOrder() by quality", () => {
  it("keeps the order", () => {
    expect(
      ordered(
        ["b", "a", "c"].map((id) => idleTarget(id)),
        {},
      ),
    ).toEqual(["b", "a", "c"]);
  });
});

describe("inOrder() by cost", () => {
  const priced = (id: string, input: number, output: number): Target => idleTarget(id, { price: { input, output } });
  const dearToRead = priced("dear-to-read", 10, 1);
  const dearToWrite = priced("dear-to-write", 1, 10);
  const free = priced("free", 0, 0);

  it.each([
    ["a long question", { promptTokens: 10_000, maxTokens: 10 }, ["free", "dear-to-write", "dear-to-read", "unknown"]],
    ["a long answer", { promptTokens: 10, maxTokens: 400 }, ["free", "dear-to-read", "dear-to-write", "unknown"]],
    ["no limit of the answer", { promptTokens: 10 }, ["free", "dear-to-read", "dear-to-write", "unknown"]],
    [
      "several answers",
      { promptTokens: 450, maxTokens: 100, choices: 5 },
      ["free", "dear-to-read", "dear-to-write", "unknown"],
    ],
  ])("begins with the cheapest for %s, and ends with those of unknown price", (_what, demand, ids) => {
    const all = [idleTarget("unknown"), dearToRead, dearToWrite, free];
    expect(ordered(all, { policy: "cost" }, { demand: { ...NO_DEMAND, ...demand } })).toEqual(ids);
  });

  it("keeps the order of those that cost the same, or whose price is not known", () => {
    const all = [idleTarget("x"), priced("b", 1, 1), idleTarget("y"), priced("a", 1, 1)];
    expect(ordered(all, { policy: "cost" })).toEqual(["b", "a", "x", "y"]);
  });
});

describe("costOf()", () => {
  it.each([
    ["500 tokens of an answer where there is no limit", {}, 10 * 2 + 500 * 3],
    ["no more than those where the limit is higher", { maxTokens: 100_000 }, 10 * 2 + 500 * 3],
    ["the limit where it is lower", { maxTokens: 20 }, 10 * 2 + 20 * 3],
    ["each answer", { maxTokens: 20, choices: 2 }, 10 * 2 + 40 * 3],
  ])("counts %s", (_what, demand, cost) => {
    expect(costOf(idleTarget("a", { price: { input: 2, output: 3 } }), { ...NO_DEMAND, ...demand })).toBe(cost);
  });

  it("says nothing without a price", () => {
    expect(costOf(idleTarget("a"), NO_DEMAND)).toBeUndefined();
  });
});

describe("inOrder() by latency", () => {
  const now = Date.now();
  const measured = (id: string, ms: number): Target => {
    const target = idleTarget(id);
    target.state.latency.whole.observe(ms, now);
    return target;
  };
  const byLatency = (targets: readonly Target[], more: Partial<Situation> = {}) =>
    ordered(targets, { policy: "latency" }, { now, ...more });

  it("begins with the quicker one of two", () => {
    const random = seeded(7);
    const targets = [measured("slow", 900), measured("quick", 100)];
    expect(firstsOf(50, () => byLatency(targets, { random }))).toEqual({ quick: 50 });
  });

  it("never begins with the slowest one, and shares the calls out among the others", () => {
    const random = seeded(7);
    const targets = [measured("slow", 900), measured("quick", 100), measured("brisk", 110)];
    const firsts = firstsOf(300, () => byLatency(targets, { random }));
    expect(Object.keys(firsts).sort()).toEqual(["brisk", "quick"]);
    expect(firsts["brisk"]).toBeGreaterThan(60);
  });

  it("puts the others by how quick they are", () => {
    const targets = [measured("slow", 900), measured("quick", 100), measured("brisk", 110)];
    expect(byLatency(targets, { random: () => 0 })).toEqual(["quick", "brisk", "slow"]);
  });

  it("minds how many calls are there", () => {
    const quick = measured("quick", 100);
    const slow = measured("slow", 250);
    quick.state.lane.take();
    quick.state.lane.take();
    expect(byLatency([quick, slow])).toEqual(["slow", "quick"]);
  });

  it("tries those that nobody knows", () => {
    expect(byLatency([measured("known", 1), idleTarget("new")])[0]).toBe("new");
  });

  it("measures streams apart", () => {
    const late = measured("late", 10);
    late.state.latency.stream.observe(500, now);
    const early = measured("early", 500);
    early.state.latency.stream.observe(10, now);
    expect([byLatency([late, early], { streaming: true })[0], byLatency([late, early])[0]]).toEqual(["early", "late"]);
  });

  it("begins with none that takes no calls, where another does", () => {
    const broken = measured("broken", 1);
    breakDown(broken);
    const resting = measured("resting", 2);
    resting.state.keys.rest(0, now + 60_000);
    const random = seeded(3);
    const targets = [broken, resting, measured("well", 800)];
    expect(firstsOf(50, () => byLatency(targets, { random }))).toEqual({ well: 50 });
    expect(byLatency([broken, resting])).toEqual(["broken", "resting"]);
  });
});

describe("inOrder() by weights", () => {
  const targets = ["a", "b", "c", "rest"].map((id) => idleTarget(id));
  const weights = new Map([
    ["a/m", 6],
    ["b/m", 3],
    ["c/m", 1],
  ]);

  it("begins with each as often as its weight says, and ends with those that have none", () => {
    const random = seeded(11);
    const draws = 5_000;
    const firsts = firstsOf(draws, () => {
      const ids = ordered(targets, { weights, policy: "cost" }, { random });
      expect(ids[3]).toBe("rest");
      return ids;
    });
    for (const [id, share] of [
      ["a", 0.6],
      ["b", 0.3],
      ["c", 0.1],
    ] as const)
      expect(Math.abs((firsts[id] ?? 0) / draws - share)).toBeLessThan(0.03);
  });

  it("draws the others by their weights, too", () => {
    const random = seeded(11);
    const seconds = firstsOf(3_000, () => {
      const [first, ...others] = ordered(targets, { weights }, { random });
      return first === "a" ? others : ["else"];
    });
    // Of b and c, with 3 and 1.
    expect((seconds["b"] ?? 0) / ((seconds["b"] ?? 0) + (seconds["c"] ?? 0))).toBeCloseTo(0.75, 1);
  });

  it("takes a draw of 0", () => {
    expect(ordered(targets, { weights }, { random: () => 0 })).toEqual(["a", "b", "c", "rest"]);
  });
});

describe("inOrder()", () => {
  it("leaves nobody out, asks nobody twice, and leaves what it was given as it was", () => {
    const settings = fc.record({
      ids: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 8 }),
      policy: fc.constantFrom("quality" as const, "cost" as const, "latency" as const),
      isWeighted: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(settings, ({ ids, policy, isWeighted, seed }) => {
        const targets = ids.map((id, at) =>
          idleTarget(id, at % 2 === 0 ? {} : { price: { input: 9 - at, output: 1 } }),
        );
        const candidates = candidatesOf(...targets);
        const weights = new Map(isWeighted ? ids.map((id, at) => [`${id}/m`, at + 1]) : []);
        const order = inOrder(candidates, { policy, weights }, situation({ random: seeded(seed) }));
        expect(idsOf(order).sort()).toEqual([...ids].sort());
        expect(idsOf(candidates)).toEqual(ids);
      }),
    );
  });
});

describe("readyAt()", () => {
  it("is 0 for who takes calls now, and else the later one of breaker and keys", () => {
    const target = idleTarget("a");
    const now = Date.now();
    expect(readyAt(target, now)).toBe(0);
    target.state.keys.rest(0, now + 10);
    expect(readyAt(target, now)).toBe(now + 10);
    breakDown(target);
    expect(readyAt(target, now)).toBe(target.state.breaker.readyAt);
    expect(readyAt(target, now + 60_000)).toBe(0);
  });
});
