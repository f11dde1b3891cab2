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
