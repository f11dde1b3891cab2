import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createBreaker, type Pass, type TargetBreaker } from "../../src/routing/breaker.ts";

const START = 1_800_000_000_000;
const SETTINGS = { failureRatio: 0.5, window: 10, minCalls: 4, openMs: 1_000, maxOpenMs: 3_000 };

type End = keyof Pass;

/** Makes calls that end so, one after the other. */
function call(breaker: TargetBreaker, ...ends: readonly End[]): void {
  for (const end of ends) (breaker.admit() as Pass)[end]();
}
const fail = (times: number): End[] => new Array(times).fill("failed");
/** A breaker that has just opened. */
function opened(): TargetBreaker {
  const breaker = createBreaker(SETTINGS);
  call(breaker, ...fail(4));
  return breaker;
}
const seen = ({ state, readyAt }: TargetBreaker) => ({ state, readyInMs: readyAt === 0 ? 0 : readyAt - Date.now() });
const CLOSED = { state: "closed", readyInMs: 0 };
const openFor = (readyInMs: number) => ({ state: "open", readyInMs });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("createBreaker()", () => {
  it.each<readonly [string, readonly End[], object]>([
    ["closed at first", [], CLOSED],
    ["closed while fewer calls are known than it takes", fail(3), CLOSED],
    ["open when more than the share of them failed", fail(4), openFor(1_000)],
    ["closed when no more than the share failed", ["failed", "succeeded", "failed", "succeeded"], CLOSED],
    ["open when more fail then", ["succeeded", "failed", "succeeded", "failed", "failed"], openFor(1_000)],
    ["closed when calls are given up", [...fail(3), ...new Array<End>(20).fill("abandoned")], CLOSED],
    ["open by the last calls alone", [...new Array<End>(50).fill("succeeded"), ...fail(6)], openFor(1_000)],
  ])("is %s", (_what, ends, expected) => {
    const breaker = createBreaker(SETTINGS);
    call(breaker, ...ends);
    expect(seen(breaker)).toEqual(expected);
  });

  it("lets no call go while it is open, and one when its time is over", () => {
    const breaker = opened();
    vi.setSystemTime(START + 999);
    expect(breaker.admit()).toBeUndefined();
    vi.setSystemTime(START + 1_000);
    expect(breaker.admit()).toBeDefined();
    expect([breaker.state, breaker.readyAt]).toEqual(["half_open", Number.POSITIVE_INFINITY]);
    expect(breaker.admit()).toBeUndefined();
  });

  it("closes when the trial succeeds, and has forgotten what was before", () => {
    const breaker = opened();
    vi.setSystemTime(START + 1_000);
    call(breaker, "succeeded");
    expect(seen(breaker)).toEqual(CLOSED);
    call(breaker, ...fail(1));
    expect(seen(breaker)).toEqual(CLOSED);
  });

  it("stays open for twice as long after each trial that fails, up to the most", () => {
    const breaker = opened();
    const times: number[] = [];
    for (let trial = 0; trial < 4; trial++) {
      vi.setSystemTime(breaker.readyAt);
      call(breaker, "failed");
      times.push(breaker.readyAt - Date.now());
    }
    expect(times).toEqual([2_000, 3_000, 3_000, 3_000]);
  });

  it("begins with the first time again after it was closed", () => {
    const breaker = opened();
    vi.setSystemTime(breaker.readyAt);
    call(breaker, "failed");
    vi.setSystemTime(breaker.readyAt);
    // The trial counts, too: three of four failed.
    call(breaker, "succeeded", ...fail(3));
    expect(seen(breaker)).toEqual(openFor(1_000));
  });

  it("leaves a trial that is given up to the next call", () => {
    const breaker = opened();
    vi.setSystemTime(breaker.readyAt);
    call(breaker, "abandoned", "abandoned");
    expect([breaker.state, breaker.readyAt]).toEqual(["half_open", 0]);
    const trial = breaker.admit();
    expect([breaker.readyAt, breaker.admit()]).toEqual([Number.POSITIVE_INFINITY, undefined]);
    trial?.failed();
    expect(seen(breaker)).toEqual(openFor(2_000));
  });

  it.each<readonly [End]>([
    ["succeeded"],
    ["failed"],
    ["abandoned"],
  ])("learns nothing from a call that began before it opened, and %s while another one tries", (end) => {
    const breaker = createBreaker(SETTINGS);
    const old = Array.from({ length: 5 }, () => breaker.admit() as Pass);
    call(breaker, ...fail(4));
    vi.setSystemTime(breaker.readyAt);
    const trial = breaker.admit() as Pass;
    for (const pass of old) pass[end]();
    expect([breaker.state, breaker.admit()]).toEqual(["half_open", undefined]);
    trial.succeeded();
    expect(seen(breaker)).toEqual(CLOSED);
  });

  it("learns nothing from calls that began before it opened and fail after it is closed", () => {
    const breaker = createBreaker(SETTINGS);
    const old = Array.from({ length: 5 }, () => breaker.admit() as Pass);
    call(breaker, ...fail(4));
    vi.setSystemTime(breaker.readyAt);
    call(breaker, "succeeded");
    for (const pass of old) pass.failed();
    expect(seen(breaker)).toEqual(CLOSED);
  });

  it("lets no call go that the library would refuse, when its clock has gone on meanwhile", () => {
    const breaker = createBreaker(SETTINGS);
    call(breaker, ...fail(3));
    // Each look at the clock takes a millisecond.
    let now = START;
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now++);
    call(breaker, "failed");
    clock.mockRestore();
    vi.setSystemTime(breaker.readyAt);
    expect(breaker.admit()).toBeDefined();
    expect(breaker.state).toBe("half_open");
  });

  it("never has two trials at once, and is never shut for longer than the most", () => {
    const step = fc.record({
      waitMs: fc.nat(2_000),
      what: fc.constantFrom<End | "admit">("admit", "admit", "succeeded", "failed", "failed", "abandoned"),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const breaker = createBreaker(SETTINGS);
        let passes: { readonly pass: Pass; readonly isTrial: boolean }[] = [];
        for (const { waitMs, what, which } of steps) {
          vi.setSystemTime(Date.now() + waitMs);
          if (what === "admit") {
            const pass = breaker.admit();
            if (pass !== undefined) passes.push({ pass, isTrial: breaker.state === "half_open" });
          } else {
            const one = passes[which % Math.max(1, passes.length)];
            passes = passes.filter((it) => it !== one);
            one?.pass[what]();
          }
          expect(passes.filter(({ isTrial }) => isTrial).length).toBeLessThanOrEqual(1);
          if (breaker.state === "open") expect(breaker.readyAt - Date.now()).toBeLessThanOrEqual(SETTINGS.maxOpenMs);
          if (breaker.state === "half_open") {
            const isTried = passes.some(({ isTrial }) => isTrial);
            expect(breaker.readyAt).toBe(isTried ? Number.POSITIVE_INFINITY : 0);
          }
        }
      }),
    );
  });
});
