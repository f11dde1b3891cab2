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

  it.each<[string, unknown]>([
    ["long texts", { a: "x".repeat(100_000), b: ["y", `${"z".repeat(70_000)}+/=`], c: { d: "x".repeat(100_000) } }],
    ["a long text with what has to be escaped", [`${"x".repeat(100_000)}"`, "x".repeat(100_000)]],
    ["a long text of letters beyond ASCII", [`${"x".repeat(100_000)}é`, "x".repeat(100_000)]],
    ["a text that is like a hole", ["x".repeat(100_000), "a long text"]],
    ["nothing but a long text", "x".repeat(100_000)],
    ["a long key", { ["k".repeat(100_000)]: "x".repeat(100_000) }],
  ])("writes %s as JSON.stringify does", (_name, value) => {
    expect(stringifyWellFormed(value)).toBe(JSON.stringify(value));
  });

  it("writes base64, and what is almost that, as JSON.stringify does", () => {
    const parts = fc.constantFrom(
      "",
      "\n",
      '"',
      "\\",
      "\0",
      " ",
      "=",
      "==",
      "-",
      "é",
      "\u0141",
      "\ud841",
      "\ud800",
      "🪿",
      "A",
      "AAA",
    );
    const begins = fc.constantFrom("", "data:image/png;base64,", 'data:"x";base64,', "data:text/plain,");
    fc.assert(
      fc.property(
        begins,
        parts,
        parts,
        fc.nat(140_000),
        fc.constantFrom(131_072, 1_400_000),
        (begin, one, other, at, length) => {
          const text = "Aa0/".repeat(length / 4);
          const value = [`${begin}${text.slice(0, at)}${one}${text.slice(at)}${other}`];
          const expected = JSON.stringify(value).replace(/\\ud[89a-f][0-9a-f]{2}/g, "\ufffd");
          // Not by toBe(), which would show them.
          expect(stringifyWellFormed(value) === expected).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("writes halves of surrogate pairs beside a long text as U+FFFD", () => {
    const long = "x".repeat(100_000);
    expect(stringifyWellFormed(["\ud83e", long, "\\ud83e"])).toBe(`["\ufffd","${long}","\\\\ud83e"]`);
  });

  it("writes what toWellFormed() makes of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "\\", '"', "u", "d83e", "\ud83e", "\udebf") }), (text) => {
        expect(JSON.parse(stringifyWellFormed(text))).toBe(text.toWellFormed());
      }),
    );
  });
});
