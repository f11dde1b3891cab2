import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Due, DueList } from "../../src/lib/due-list.ts";
import type { Listed } from "../../src/lib/roster.ts";

/** Is due after so many milliseconds, and says when it was told. */
class Timed implements Due, Listed {
  place = -1;
  readonly told: number[] = [];
  dueAt: number;

  constructor(ms: number) {
    this.dueAt = performance.now() + ms;
  }

  due(): void {
    this.told.push(performance.now());
    this.dueAt = Number.POSITIVE_INFINITY;
  }
}

const now = (): number => performance.now();

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("DueList", () => {
  it("tells each when it is due, by one timer", () => {
    const start = now();
    const list = new DueList<Timed>();
    const all = [30, 10, 20, 10].map((ms) => new Timed(ms));
    for (const one of all) list.add(one);
    expect([vi.getTimerCount(), list.size]).toEqual([1, 4]);
    vi.runAllTimers();
    expect(all.map(({ told }) => told.map((at) => at - start))).toEqual([[30], [10], [20], [10]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("hears of what is due sooner, and needs not hear of what is put off", () => {
    const start = now();
    const list = new DueList<Timed>();
    const [sooner, later] = [new Timed(100), new Timed(50)];
    list.add(sooner);
    list.add(later);
    later.dueAt += 100;
    sooner.dueAt = now() + 10;
    list.sooner(sooner.dueAt);
    vi.advanceTimersByTime(149);
    expect([sooner.told, later.told]).toEqual([[start + 10], []]);
    vi.advanceTimersByTime(1);
    expect(later.told).toEqual([start + 150]);
  });

  it("says nothing to who was let go, or is never due", () => {
    const list = new DueList<Timed>();
    const [gone, never] = [new Timed(10), new Timed(Number.POSITIVE_INFINITY)];
    list.add(gone);
    list.add(never);
    expect([list.delete(gone), list.delete(gone)]).toEqual([true, false]);
    vi.runAllTimers();
    expect([gone.told, never.told, [...list], vi.getTimerCount()]).toEqual([[], [], [never], 0]);
  });

  it("has no timer any more a second after the last was let go, however late that was due", () => {
    const start = now();
    const list = new DueList<Timed>();
    const [gone, late] = [new Timed(3_600_000), new Timed(10_000)];
    list.add(gone);
    list.add(late);
    vi.advanceTimersByTime(9_999);
    list.delete(gone);
    expect([late.told, vi.getTimerCount()]).toEqual([[], 1]);
    vi.advanceTimersByTime(1);
    expect([late.told, list.delete(late)]).toEqual([[start + 10_000], true]);
    list.add(gone);
    list.delete(gone);
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes in who is added by who is told", () => {
    const list = new DueList<Due & Listed>();
    const next = new Timed(15);
    const first: Due & Listed = {
      place: -1,
      dueAt: now() + 10,
      due() {
        list.delete(first);
        list.add(next);
      },
    };
    list.add(first);
    vi.advanceTimersByTime(15);
    expect(next.told).toHaveLength(1);
  });

  it("tells each at its own time, whatever is added, put off and let go", () => {
    const step = fc.record({
      what: fc.constantFrom("add", "add", "put off", "bring forward", "let go", "wait"),
      which: fc.nat(),
      ms: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const list = new DueList<Timed>();
        const all: Timed[] = [];
        const expected = new Map<Timed, number>();
        for (const { what, which, ms } of steps) {
          const open = all.filter((one) => one.told.length === 0 && expected.has(one));
          const one = open[which % Math.max(1, open.length)];
          if (what === "wait") vi.advanceTimersByTime(ms);
          else if (what === "add") {
            const made = new Timed(ms);
            all.push(made);
            expected.set(made, made.dueAt);
            list.add(made);
          } else if (one === undefined) continue;
          else if (what === "let go") {
            list.delete(one);
            expected.delete(one);
          } else {
            one.dueAt = what === "put off" ? one.dueAt + ms : Math.max(now(), one.dueAt - ms);
            expected.set(one, one.dueAt);
            if (what === "bring forward") list.sooner(one.dueAt);
          }
        }
        vi.runAllTimers();
        // What is due at once is told by a timer, which takes a millisecond.
        for (const one of all) {
          const due = expected.get(one);
          expect(one.told).toHaveLength(due === undefined ? 0 : 1);
          if (due !== undefined) expect((one.told[0] as number) - due).toBeLessThanOrEqual(1);
          if (due !== undefined) expect(one.told[0]).toBeGreaterThanOrEqual(due);
        }
      }),
    );
  });
});
