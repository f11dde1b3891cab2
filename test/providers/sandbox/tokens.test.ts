import fc from "fast-check";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import {
  countTokens,
  limitTokens,
  splitTokens,
  tokenId,
  tokensIn,
} from "../../../src/providers/sandbox/tokens/tokens.ts";

/** Another implementation of the same encoding, which takes quadratic time for long words, and misses the tokens of a BOM. */
function reference(text: string): number[] {
  return encode(text, { disallowedSpecial: new Set() });
}

const MEGABYTE = 1_000_000;
const PROSE =
  "It’s 2026: naïve café-goers pay €3.50 (or 1,234.5 円)!\r\n\tfunction f(x) { return x?.y ?? 'z'; }   // done\n\n";

/** Texts of many scripts and of the pieces that the split pattern treats apart. */
const texts = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(
        " ",
        "\n",
        "\r\n",
        "'s",
        "'LL",
        "don't",
        "...",
        "/",
        "123456",
        "Ünïcödé",
        "日本語です。",
        "👩🏽‍💻",
        "e\u0301",
        "\u0301",
        "العربية",
        "\u00a0",
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join("").replaceAll("\ufeff", ""));

describe("countTokens()", () => {
  it.each([
    ["", 0],
    ["hello world", 2],
    ["<|endoftext|>", 7],
    ["日本語", 2],
    ["👩🏽‍💻", 7],
    ["\ud800", 1],
    ["\ufeff", 1],
    ["\ufeffusing", 1],
  ])("counts %j", (text, count) => {
    expect(countTokens(text)).toBe(count);
  });

  it("counts like another implementation, whatever the text", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(countTokens(text)).toBe(reference(text).length);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["prose", PROSE, 6],
    ["words without spaces", "lowerUPPER_snake-kebab.", 6],
    ["a script without spaces", "天地玄黃，宇宙洪荒。", 10],
    ["words of digits", "a1 22 333.4444,", 8],
  ])("counts %s of several segments exactly", (_name, unit, segments) => {
    const text = unit.repeat(Math.ceil((32_768 * segments) / unit.length));
    expect(countTokens(text)).toBe(reference(text).length);
  });

  it.each([
    "a",
    " ",
    "😀",
    "漢",
    "\u0301",
    "\n",
    "!",
    "\udc00",
    "Ab",
  ])("counts a megabyte of %j within a hundredth", (unit) => {
    const units = Math.floor(MEGABYTE / Buffer.byteLength(unit));
    const perUnit = reference(unit.repeat(1024)).length / 1024;
    expect(countTokens(unit.repeat(units)) / (units * perUnit)).toBeCloseTo(1, 2);
  });
});

const textsOf = (text: string): string[] => splitTokens(text).pieces.map((piece) => piece.text);

describe("splitTokens()", () => {
  it.each([
    ["", []],
    ["hello world", ["hello", " world"]],
    ["<|endoftext|>", ["<", "|", "end", "of", "text", "|", ">"]],
    ["naïve 👩🏽‍💻!", ["na", "ï", "ve", " 👩", "🏽", "\u200d", "💻", "!"]],
    ["\ud83d alone", ["\ud83d", " alone"]],
  ])("splits %j", (text, pieces) => {
    expect(textsOf(text)).toEqual(pieces);
  });

  it("gives back the text, in whole characters, a token or some tokens a piece", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const pieces = textsOf(text);
        expect(pieces.join("")).toBe(text);
        expect(pieces.filter((piece) => piece === "")).toEqual([]);
        expect(pieces.flatMap((piece) => [...piece])).toEqual([...text]);
        expect(tokensIn(splitTokens(text).pieces)).toBe(reference(text).length);
      }),
      { numRuns: 500 },
    );
  });

  it("has the bytes of tokens that end inside a character", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = splitTokens(text).pieces.flatMap((piece) => piece.parts ?? [Buffer.from(piece.text)]);
        expect(Buffer.concat(bytes)).toEqual(Buffer.from(text));
        expect(bytes.map((each) => each.length)).not.toContain(0);
      }),
    );
  });

  it("stops at a limit, and says whether it cut the text, whatever the text", () => {
    fc.assert(
      fc.property(texts, fc.nat(20), (text, most) => {
        const { pieces, isCut } = splitTokens(text, most);
        const count = reference(text).length;
        expect([tokensIn(pieces), isCut]).toEqual([Math.min(most, count), count > most]);
        expect(text.startsWith(pieces.map((piece) => piece.text).join(""))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("splits a megabyte of emoji", () => {
    const pieces = textsOf("🦆".repeat(MEGABYTE / 4));
    expect(new Set(pieces)).toEqual(new Set(["🦆"]));
    expect(pieces.length).toBe(MEGABYTE / 4);
  });
});

describe("limitTokens()", () => {
  it("has what splitTokens() has, whether it divides the text or only counts it", () => {
    fc.assert(
      fc.property(texts, fc.nat(20), (text, most) => {
        const { pieces, isCut } = splitTokens(text, most);
        const limited = limitTokens(text, most);
        expect(limited.tokens).toBe(tokensIn(pieces));
        expect(limited.text).toBe(pieces.map((piece) => piece.text).join(""));
        expect(limited.isCut).toBe(isCut);
        expect(limited.pieces).toEqual(pieces);
      }),
      { numRuns: 500 },
    );
  });
});

describe("tokenId()", () => {
  it("gives the ids of another implementation", () => {
    const ids = textsOf("The quick brown fox jumps over 13 lazy dogs, naïvely. 日本語").map(tokenId);
    expect(ids).toEqual(reference("The quick brown fox jumps over 13 lazy dogs, naïvely. 日本語"));
  });

  it.each([
    "",
    "hello world",
    "🦆🦆",
    "<|endoftext|>",
    "x".repeat(100_000),
  ])("gives none for what is not one token", (text) => {
    expect(tokenId(text)).toBeUndefined();
  });
});
