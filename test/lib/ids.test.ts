import { afterEach, describe, expect, it, vi } from "vitest";
import { completionId, logId, randomText, requestId, runUid } from "../../src/lib/ids.ts";

describe("randomText()", () => {
  it("has as many letters and digits as it is asked for", () => {
    for (let length = 0; length <= 1000; length++)
      expect(randomText(length)).toMatch(new RegExp(`^[0-9A-Za-z]{${length}}$`));
  });

  it("has each of them about as often as the others", () => {
    const counts = new Map<string, number>();
    for (let at = 0; at < 62 * 50; at++)
      for (const character of randomText(20)) counts.set(character, (counts.get(character) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // A thousand of each, and six times the deviation that chance gives them.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
  });
});

describe.each([
  ["log_", logId],
  ["req_", requestId],
])("an id with %s", (prefix, next) => {
  afterEach(() => vi.useRealTimers());

  it("has 28 letters and digits, and is no other's", () => {
    const ids = Array.from({ length: 10_000 }, next);
    for (const id of ids) expect(id).toMatch(new RegExp(`^${prefix}[0-9A-Za-z]{28}$`));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("sorts after those of earlier milliseconds", () => {
    vi.useFakeTimers();
    const times = [0, 1, 61, 62, 3843, 3844, Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1) + 1, Date.UTC(2999, 0, 1)];
    const ids = times.map((time) => {
      vi.setSystemTime(time);
      return next();
    });
    expect(ids.toSorted()).toEqual(ids);
  });
});

it.each([
  ["chatcmpl-", completionId],
  ["run_", runUid],
])("an id with %s has 28 letters and digits", (prefix, next) => {
  expect(next()).toMatch(new RegExp(`^${prefix}[0-9A-Za-z]{28}$`));
});
