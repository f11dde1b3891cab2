import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLatency } from "../../src/routing/latency.ts";

const FORGET_MS = 30_000;

describe("createLatency()", () => {
  it("knows nothing at first", () => {
    const latency = createLatency();
    expect([latency.usual, latency.now(5)]).toEqual([undefined, 0]);
  });

  it("takes the first measurement as it is", () => {
    const latency = createLatency();
    latency.observe(120, 1_000);
    expect([latency.usual, latency.now(1_000)]).toEqual([120, 120]);
  });

  it("follows a peak at once, and comes down with time", () => {
    const latency = createLatency();
    latency.observe(100, 0);
    latency.observe(900, 1);
    expect(latency.usual).toBe(900);
    latency.observe(100, 1 + FORGET_MS);
    expect(latency.usual).toBeCloseTo(100 + 800 / Math.E);
  });

  it("takes what was waited for in vain where that is longer than usual, and leaves it else", () => {
    const latency = createLatency();
    latency.outlasted(300, 0);
    expect(latency.usual).toBe(300);
    latency.outlasted(200, FORGET_MS);
    expect([latency.usual, latency.now(FORGET_MS)]).toEqual([300, 300 / Math.E]);
    latency.outlasted(500, FORGET_MS);
    expect(latency.usual).toBe(500);
  });

  it("sinks while nothing is measured, and keeps what was usual", () => {
    const latency = createLatency();
    latency.observe(1_000, 0);
    expect(latency.now(FORGET_MS)).toBeCloseTo(1_000 / Math.E);
    expect(latency.now(100 * FORGET_MS)).toBeLessThan(1);
    expect(latency.usual).toBe(1_000);
  });

  it("does not rise when the clock goes back", () => {
    const latency = createLatency();
    latency.observe(1_000, 60_000);
    expect(latency.now(0)).toBe(1_000);
  });

  it("stays between the least and the most that was measured", () => {
    const measured = fc.array(fc.record({ ms: fc.integer({ min: 0, max: 100_000 }), afterMs: fc.nat(100_000) }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(measured, (all) => {
        const latency = createLatency();
        let at = 0;
        for (const { ms, afterMs } of all) {
          at += afterMs;
          latency.observe(ms, at);
        }
        const times = all.map(({ ms }) => ms);
        expect(latency.usual).toBeGreaterThanOrEqual(Math.min(...times) - 1e-6);
        expect(latency.usual).toBeLessThanOrEqual(Math.max(...times));
      }),
    );
  });
});
