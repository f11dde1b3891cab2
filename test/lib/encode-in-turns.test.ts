import { describe, expect, it } from "vitest";
import { encodeInTurns } from "../../src/lib/encode-in-turns.ts";

const MANY = 1024 * 1024;

describe("encodeInTurns()", () => {
  it.each([
    ["a short text", "abc"],
    ["none", ""],
    ["a text in ASCII", "a".repeat(2 * MANY + 5)],
    ["a text of exactly one part", "a".repeat(MANY)],
    ["a text in Latin-1", "é".repeat(MANY + 3)],
    ["a pair of surrogates where a part ends", `${"a".repeat(MANY - 1)}😀${"b".repeat(10)}`],
    ["a pair of surrogates behind a part's end", `${"a".repeat(MANY)}😀`],
    ["half of a pair where a part ends", `${"a".repeat(MANY - 1)}\ud83d${"b".repeat(10)}`],
    ["half of a pair at the end", `${"a".repeat(MANY - 1)}\ud83d`],
  ])("encodes %s", async (_what, text) => {
    expect(Buffer.compare(await encodeInTurns(text), Buffer.from(text))).toBe(0);
  });

  it("lets others have a turn", async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      setImmediate(count).unref();
    };
    setImmediate(count);
    await encodeInTurns("a".repeat(5 * MANY));
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});
