import { describe, expect, it } from "vitest";
import { createTimestamp } from "../../src/telemetry/timestamp.ts";

describe("createTimestamp()", () => {
  it("tells the time of each line to the millisecond, also when the clock goes back", () => {
    let now = Date.UTC(2026, 10, 24, 17, 57, 39, 5);
    const timestamp = createTimestamp(() => now);
    const texts = [0, 0, 1, 999, -5_000].map((step) => {
      now += step;
      return timestamp();
    });
    expect(texts).toEqual([
      ',"time":"2026-11-24T17:57:39.005Z"',
      ',"time":"2026-11-24T17:57:39.005Z"',
      ',"time":"2026-11-24T17:57:39.006Z"',
      ',"time":"2026-11-24T17:57:40.005Z"',
      ',"time":"2026-11-24T17:57:35.005Z"',
    ]);
  });
});
