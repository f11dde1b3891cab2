import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringifyWellFormed } from "../../src/providers/well-formed-json.ts";

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
