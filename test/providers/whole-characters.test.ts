import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WholeCharacters } from "../../src/providers/whole-characters.ts";

const read = (pieces: readonly string[]): string[] => {
  const text = new WholeCharacters();
  return [...pieces.map((piece) => text.push(piece)), text.finish()];
};

describe("WholeCharacters", () => {
  it.each<[string[], string[]]>([
    [
      ["a", "b"],
      ["a", "b", ""],
    ],
    [
      ["a\ud83e", "\udebfb"],
      ["a", "\u{1fabf}b", ""],
    ],
    [
      ["\ud83e", "b"],
      ["", "\ufffdb", ""],
    ],
    [
      ["\ud83e", "\ud83e", "\udebf"],
      ["", "\ufffd", "\u{1fabf}", ""],
    ],
    [["\udebf"], ["\ufffd", ""]],
    [["a\ud83e"], ["a", "\ufffd"]],
    [
      ["\ud83e", "", "\udebf"],
      ["", "", "\u{1fabf}", ""],
    ],
  ])("makes of %j %j", (pieces, expected) => {
    expect(read(pieces)).toEqual(expected);
  });

  it("makes the same text of all cuts", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "🪿", "\ud83e", "\udebf") }), fc.nat(9), (text, at) => {
        const pieces = read([text.slice(0, at), text.slice(at)]);
        expect(pieces.join("")).toBe(text.toWellFormed());
        expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
      }),
    );
  });
});
