import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Alarm, createAlarm } from "../../src/lib/alarm.ts";

describe("createAlarm()", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** For how long it slept. */
  async function sleptMs(alarm: Alarm, ms: number): Promise<number> {
    const begin = performance.now();
    let end: number | undefined;
    const sleeping = alarm.sleep(ms).then(() => {
      end = performance.now();
    });
    for (let step = 0; end === undefined; step = 1) await vi.advanceTimersByTimeAsync(step);
    await sleeping;
    return end - begin;
  }

  it("sleeps as long as it is told", async () => {
    expect(await sleptMs(createAlarm(), 50)).toBe(50);
  });

  it("does not sleep when it has rung before, once", async () => {
    const alarm = createAlarm();
    alarm.ring();
    alarm.ring();
    expect([await sleptMs(alarm, 50), await sleptMs(alarm, 50)]).toEqual([0, 50]);
  });

  it("wakes who sleeps, and leaves no timer", async () => {
    const alarm = createAlarm();
    const sleeping = alarm.sleep(1_000);
    alarm.ring();
    await sleeping;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets nobody sleep longer than until it rings by itself, the soonest time first", async () => {
    const alarm = createAlarm();
    alarm.ringIn(30);
    alarm.ringIn(20);
    expect([await sleptMs(alarm, 50), await sleptMs(alarm, 50)]).toEqual([20, 50]);
  });

  it("keeps that time when it rings before", async () => {
    const alarm = createAlarm();
    alarm.ringIn(20);
    alarm.ring();
    expect([await sleptMs(alarm, 50), await sleptMs(alarm, 50)]).toEqual([0, 20]);
  });

  it("looks at the clock anew when it is told while somebody sleeps", async () => {
    const alarm = createAlarm();
    const sleeping = alarm.sleep(50);
    alarm.ringIn(10);
    await sleeping;
    expect(await sleptMs(alarm, 50)).toBe(10);
  });
});
