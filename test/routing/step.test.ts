import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextStep, type Step, type StepLimits, type Stop } from "../../src/routing/step.ts";

const NOW = 1_000_000;
const READY: Stop = {
  tries: 0,
  isOut: false,
  isNext: false,
  notBefore: 0,
  breakerReadyAt: 0,
  keysReadyAt: 0,
  hasPlace: true,
  hasRoom: true,
  hasRetry: true,
};
const LIMITS: StepLimits = { maxRetries: 2, waitLeftMs: 10_000, leftMs: 60_000 };

const step = (stops: readonly Partial<Stop>[], limits: Partial<StepLimits> = {}): Step =>
  nextStep(stops.length, (at) => ({ ...READY, ...stops[at] }), NOW, { ...LIMITS, ...limits });

const ask = (at: number): Step => ({ kind: "ask", at });
const wait = (ms: number): Step => ({ kind: "wait", ms });
const giveUp = (retryAfterMs?: number, isFull = false): Step => ({ kind: "give_up", retryAfterMs, isFull });

const OUT = { isOut: true };
const OPEN = { breakerReadyAt: NOW + 500 };
const TRIED_BY_ANOTHER = { breakerReadyAt: Number.POSITIVE_INFINITY };
const RESTING = { keysReadyAt: NOW + 700 };
const CROWDED = { hasPlace: false };
const FULL = { hasPlace: false, hasRoom: false };
const TRIED = { tries: 1 };
const LATER = { tries: 1, notBefore: NOW + 200 };

describe("nextStep()", () => {
  it.each<readonly [string, readonly Partial<Stop>[], Partial<StepLimits>, Step]>([
    ["asks the first", [{}, {}], {}, ask(0)],
    ["asks the first that is not out", [OUT, {}], {}, ask(1)],
    ["passes over one that calls are kept from", [OPEN, {}], {}, ask(1)],
    ["passes over one that another call tries", [TRIED_BY_ANOTHER, {}], {}, ask(1)],
    ["passes over one whose keys all rest", [RESTING, {}], {}, ask(1)],
    ["passes over one without a place", [CROWDED, {}], {}, ask(1)],
    ["asks all once before any again", [TRIED, {}], {}, ask(1)],
    ["asks the first again where all were asked", [TRIED, TRIED], {}, ask(0)],
    ["asks at once again whoever is next", [TRIED, { tries: 1, isNext: true }], {}, ask(1)],
    ["asks whoever is next before those that were not asked", [{ tries: 1, isNext: true }, {}], {}, ask(0)],
    ["asks again whoever is ready, before it waits", [LATER, TRIED], {}, ask(1)],
    ["waits for the one that is ready soonest", [LATER, { tries: 1, notBefore: NOW + 50 }], {}, wait(50)],
    ["waits for a breaker", [OPEN], {}, wait(500)],
    ["waits for the later one of breaker and keys", [{ ...OPEN, ...RESTING }], {}, wait(700)],
    ["waits for the later one of breaker and its own time", [{ ...LATER, ...OPEN }], {}, wait(500)],
    ["looks again soon at one that another call tries", [TRIED_BY_ANOTHER], {}, wait(100)],
    ["waits for one that was tried rather than give up", [OUT, LATER], {}, wait(200)],
    ["asks no more often than it may", [{ tries: 3 }], {}, giveUp()],
    ["asks as often as it may", [{ tries: 2 }], {}, ask(0)],
    ["asks nobody again where it may not", [TRIED], { maxRetries: 0 }, giveUp()],
    ["asks nobody again whose retries are used up", [{ ...TRIED, hasRetry: false }], {}, giveUp()],
    ["takes no retry for a first try", [{ hasRetry: false }], {}, ask(0)],
    ["queues where all are crowded, at the first", [CROWDED, CROWDED], {}, ask(0)],
    ["queues where there is room", [FULL, CROWDED], {}, ask(1)],
    ["queues at none that calls are kept from", [{ ...CROWDED, ...OPEN }, CROWDED], {}, ask(1)],
    ["asks again whoever has a place, before it queues", [CROWDED, TRIED], {}, ask(1)],
    ["gives up where all is full, and says when to come again", [FULL, FULL], {}, giveUp(1_000, true)],
    ["gives up where all are out", [OUT, OUT], {}, giveUp()],
    ["gives up with nobody to ask", [], {}, giveUp()],
    ["gives up where the wait is longer than it may be", [OPEN], { waitLeftMs: 499 }, giveUp(500)],
    ["waits for as long as it may", [OPEN], { waitLeftMs: 500 }, wait(500)],
    ["gives up where the call ends before", [OPEN], { leftMs: 500 }, giveUp(500)],
    ["asks one whose keys rest for too long, all the same", [RESTING], { waitLeftMs: 0 }, ask(0)],
    ["asks the first of those whose keys rest for too long", [OUT, RESTING, RESTING], { leftMs: 1 }, ask(1)],
    ["does not ask one that wants to be left alone", [{ ...LATER, ...RESTING }], { leftMs: 1 }, giveUp(700)],
    ["does not ask one whose breaker is open", [{ ...OPEN, ...RESTING }], { leftMs: 1 }, giveUp(700)],
  ])("%s", (_what, stops, limits, expected) => {
    expect(step(stops, limits)).toEqual(expected);
  });

  const time = fc.oneof(fc.constant(0), fc.integer({ min: NOW - 50, max: NOW + 20_000 }));
  const stops = fc.array(
    fc.record<Stop>({
      tries: fc.integer({ min: 0, max: 4 }),
      isOut: fc.boolean(),
      isNext: fc.boolean(),
      notBefore: time,
      breakerReadyAt: fc.oneof(time, fc.constant(Number.POSITIVE_INFINITY)),
      keysReadyAt: time,
      hasPlace: fc.boolean(),
      hasRoom: fc.boolean(),
      hasRetry: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  const limits = fc.record<StepLimits>({
    maxRetries: fc.integer({ min: 0, max: 3 }),
    waitLeftMs: fc.integer({ min: 0, max: 15_000 }),
    leftMs: fc.integer({ min: 0, max: 30_000 }),
  });
  /** Why a step may not be, or nothing. */
  const faultOf = (given: readonly Stop[], { maxRetries, waitLeftMs, leftMs }: StepLimits, next: Step) => {
    if (next.kind === "wait") {
      if (next.ms < 1) return "no time to wait";
      return next.ms > Math.max(1, waitLeftMs) || next.ms > leftMs ? "too long a wait" : undefined;
    }
    if (next.kind === "give_up") return undefined;
    const { tries, isOut, notBefore, breakerReadyAt, hasPlace, hasRoom, hasRetry } = given[next.at] as Stop;
    if (isOut) return "it is out";
    if (tries > maxRetries || (tries > 0 && !hasRetry)) return "no retry is left";
    if (notBefore > NOW || breakerReadyAt > NOW) return "it is not ready";
    return hasPlace || hasRoom ? undefined : "it is full";
  };

  it("asks nobody who may not be asked, and waits no longer than it may", () => {
    fc.assert(
      fc.property(stops, limits, (given, bounds) => {
        const next = nextStep(given.length, (at) => given[at] as Stop, NOW, bounds);
        expect(faultOf(given, bounds, next)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it("asks somebody wherever one could be asked at once", () => {
    fc.assert(
      fc.property(stops, limits, fc.nat(), (given, bounds, at) => {
        const all = given.toSpliced(at % (given.length + 1), 0, READY);
        expect(nextStep(all.length, (each) => all[each] as Stop, NOW, bounds).kind).toBe("ask");
      }),
      { numRuns: 1_000 },
    );
  });

  it("comes to an end, whatever happens", () => {
    const happenings = fc.array(fc.record({ delayMs: fc.integer({ min: 0, max: 3_000 }), isOut: fc.boolean() }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(stops, limits, happenings, (given, bounds, happening) => {
        const state = given.map((stop) => ({ ...stop, tries: 0 }));
        let { waitLeftMs } = bounds;
        let now = NOW;
        let asked = 0;
        // Each target is asked so often, and each wait takes a millisecond at least of a time that ends.
        const most = state.length * (bounds.maxRetries + 1) + waitLeftMs + 1;
        for (let steps = 0; steps <= most; steps++) {
          const leftMs = bounds.leftMs - (now - NOW);
          const next = nextStep(state.length, (at) => state[at] as Stop, now, { ...bounds, waitLeftMs, leftMs });
          if (next.kind === "give_up") {
            expect(asked).toBeLessThanOrEqual(state.length * (bounds.maxRetries + 1));
            return;
          }
          if (next.kind === "wait") {
            waitLeftMs -= next.ms;
            now += next.ms;
            continue;
          }
          const { delayMs, isOut } = happening[asked++ % happening.length] as { delayMs: number; isOut: boolean };
          const stop = state[next.at] as Stop;
          state[next.at] = { ...stop, tries: stop.tries + 1, isNext: false, isOut, notBefore: now + delayMs };
        }
        throw new Error("it does not end");
      }),
      { numRuns: 500 },
    );
  });
});
