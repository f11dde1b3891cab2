import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDeeperThan, parseLossless, stringifyWellFormed } from "../../src/providers/lossless-json.ts";

describe("parseLossless()", () => {
  it.each(['{"a":12345678901234567890,"b":[1e400,-0,0.1],"c":"1e400"}', "12345678901234567890"])("keeps %s", (text) => {
    expect(JSON.stringify(parseLossless(text))).toBe(text);
  });
});

describe("stringifyWellFormed()", () => {
  it.each<[unknown, string]>([
    ["a", '"a"'],
    ["\ud83e", '"\ufffd"'],
    ["\udebf\ud83e", '"\ufffd\ufffd"'],
    ["🪿", '"🪿"'],
    ["\\ud83e", '"\\\\ud83e"'],
    ["\\\ud83e", '"\\\\\ufffd"'],
    [{ "\ud83e": 1 }, '{"\ufffd":1}'],
  ])("writes %j as %s", (value, text) => {
    expect(stringifyWellFormed(value)).toBe(text);
  });

  it("writes what toWellFormed() makes of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "\\", '"', "u", "d83e", "\ud83e", "\udebf") }), (text) => {
        expect(JSON.parse(stringifyWellFormed(text))).toBe(text.toWellFormed());
      }),
    );
  });
});

describe("isDeeperThan()", () => {
  it.each<[string, number, boolean]>([
    ["1", 0, false],
    ["[]", 0, true],
    ["[{}]", 2, false],
    ["[{},[]]", 1, true],
    ['["[[[["]', 1, false],
    ['["\\"[[["]', 1, false],
    [`${"[".repeat(100_000)}`, 99_999, true],
  ])("says of %.20s and %i levels: %s", (text, levels, expected) => {
    expect(isDeeperThan(text, levels)).toBe(expected);
  });
});
