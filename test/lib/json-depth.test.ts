import { describe, expect, it } from "vitest";
import { isDeeperThan } from "../../src/lib/json-depth.ts";

describe("isDeeperThan()", () => {
  it.each<[string, number, boolean]>([
    ["1", 0, false],
    ["[]", 0, true],
    ["[{}]", 2, false],
    ["[{},[]]", 1, true],
    ['["[[[["]', 1, false],
    ['["\\"[[["]', 1, false],
  ])("says of %.20s and %i levels: %s", (text, levels, expected) => {
    expect(isDeeperThan(text, levels)).toBe(expected);
  });
});
