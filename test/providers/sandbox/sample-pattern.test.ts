import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/providers/sandbox/random.ts";
import { createPattern } from "../../../src/providers/sandbox/schema/sample-pattern.ts";

const ANY_LENGTH = { min: 0, max: Number.POSITIVE_INFINITY };
const spend = (): void => undefined;

const PATTERNS = [
  "",
  "abc",
  "^abc$",
  "^a|b$",
  "^[A-Z]{3}-\\d{4}$",
  "^#(?:[0-9a-fA-F]{3}){1,2}$",
  "^(?<year>\\d{4})-(?:0[1-9]|1[0-2])$",
  "^[^\\s@]+@[^\\s@]+\\.[a-z]{2,}$",
  "^\\+?[1-9]\\d{1,14}$",
  "^\\p{Lu}\\p{L}*?$",
  "^[\\p{Script=Greek}-]+$",
  "\\bword\\b",
  "^\\w\\B\\w\\b\\W?$",
  "^v?\\d+\\.\\d+(?:\\.\\d+)?(?:-[\\w.]+)?$",
  "^(a*)*$",
  "^(?:(?:a|ab)(?:c|bcd))*$",
  "^[^a-zA-Z0-9 -~]$",
  "^\\u{1F600}\\u0041\\x42\\cJ$",
  "^[\\]\\-\\\\^]+$",
  "^.{3,5}$",
  "^\\/path\\/.*$",
  "^$",
  "^[\\u4e00-\\u9fa5]{2}$",
  "^[\\b\\t]$",
  "^\\ud83d\\ude00$",
];

describe("createPattern()", () => {
  it.each(PATTERNS)("makes texts that match %j, as the engine's own expressions judge", (source) => {
    const pattern = createPattern(source, spend);
    const samples = ["1", "2", "3", "4", "5"].map((seed) => pattern.sample(createRandom(seed), ANY_LENGTH));
    expect(samples.filter((text) => text === undefined || !new RegExp(source, "u").test(text))).toEqual([]);
  });

  it("judges texts as the engine's own expressions do", () => {
    const pieces = fc.constantFrom(
      "a",
      "b",
      "c",
      "d",
      "A",
      "Z",
      "0",
      "9",
      " ",
      "-",
      ".",
      "@",
      "_",
      "#",
      "\n",
      "é",
      "Ω",
      "😀",
      "word",
      "abc",
    );
    const texts = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.constantFrom(...PATTERNS), texts, (source, text) => {
        expect(createPattern(source, spend).matches(text)).toBe(new RegExp(source, "u").test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["^[a-z]+$", { min: 50, max: 50 }],
    ["^(?:ab)+c?$", { min: 21, max: 21 }],
    ["^[a-z]+(?:-[a-z]+)*$", { min: 0, max: 1 }],
    ["^.{10,}$", { min: 100, max: 120 }],
    ["a", { min: 1, max: 1 }],
  ])("keeps lengths of %j within %j", (source, bounds) => {
    const text = createPattern(source, spend).sample(createRandom("1"), bounds);
    expect(text).toMatch(new RegExp(source));
    expect(text?.length).toBeGreaterThanOrEqual(bounds.min);
    expect(text?.length).toBeLessThanOrEqual(bounds.max);
  });

  it.each([
    ["^[a-z]{3}$", { min: 4, max: 9 }],
    ["^abc$", { min: 0, max: 2 }],
    ["a^b", ANY_LENGTH],
  ])("makes nothing for %j where nothing fits", (source, bounds) => {
    expect(createPattern(source, spend).sample(createRandom("1"), bounds)).toBeUndefined();
  });

  it.each([
    ["a(?=b)", "look-around is not supported (pattern, offset 3)"],
    ["(?<!a)b", "look-around is not supported (pattern, offset 2)"],
    ["(a)\\1", "back references are not supported (pattern, offset 4)"],
    ["(?<n>a)\\k<n>", "back references are not supported (pattern, offset 8)"],
    ["(a", 'missing ")" (pattern, offset 2)'],
    ["a)", 'unexpected ")" (pattern, offset 1)'],
    ["[a", "the pattern ends too soon (pattern, offset 3)"],
    ["[z-a]", "malformed range in a character class (pattern, offset 4)"],
    ["*", 'nothing to repeat before "*" (pattern, offset 1)'],
    ["a{2,1}", "repetition {2,1} must not end below its start (pattern, offset 6)"],
    ["a{x}", "malformed repetition (pattern, offset 4)"],
    ["\\p{Nope}", "unknown property {Nope} (pattern, offset 8)"],
    ["\\xZZ", "malformed hexadecimal escape (pattern, offset 4)"],
    ["(a{1000}){1000}", "the pattern needs more than 10000 states"],
    ["(".repeat(60), "more than 50 nested groups (pattern, offset 51)"],
    ["a".repeat(2001), "pattern of 2001 characters must have at most 2000"],
  ])("rejects %.30s", (source, message) => {
    expect(() => createPattern(source, spend)).toThrow(message);
  });

  it("takes steps in proportion to the text where backtracking would explode", () => {
    let steps = 0;
    const pattern = createPattern("^(a+)+$", (count) => {
      steps += count;
    });
    expect(pattern.matches(`${"a".repeat(5000)}b`)).toBe(false);
    expect(steps).toBeLessThan(100_000);
  });

  it("passes over repetitions of nothing", () => {
    expect(createPattern("^(){1000000}$", spend).matches("")).toBe(true);
  });
});
