import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLossless } from "../../src/openai-json/lossless-json.ts";

const again = (text: string): string => JSON.stringify(parseLossless(text));

/** An integer without its exponent: "1.5e+2" is "150". */
function inDigits(number: string): string {
  const [, sign = "", head = "", tail = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e\+(\d+))?$/.exec(number) ?? [];
  return `${sign}${head}${tail.padEnd(Number(exponent), "0")}`;
}

describe("parseLossless()", () => {
  it.each([
    "12345678901234567890",
    "9007199254740993",
    "-9007199254740993",
    "0.12345678901234567",
    "0.1234567890123456789",
    "100000000000000000000000001",
    "1e400",
    "-1e400",
    "1e-400",
    "-0",
    "-0.0",
    '{"a":[12345678901234567890,{"b":-0}],"c":1}',
    '{"__proto__":{"a":12345678901234567890}}',
  ])("keeps %s to the letter", (text) => {
    expect(again(text)).toBe(text);
  });

  it.each([
    ["1.0", 1],
    ["1e5", 100_000],
    ["1.50e-3", 0.0015],
    ["123456789012345680000", 123_456_789_012_345_680_000],
    ["0.30000000000000004", 0.1 + 0.2],
    ["9007199254740992", 2 ** 53],
    ["5e-324", Number.MIN_VALUE],
    ["1.7976931348623157e308", Number.MAX_VALUE],
    ["0.0000000000000000", 0],
    ["0e5", 0],
  ])("leaves %s a number, because a double is the same", (text, value) => {
    expect(parseLossless(text)).toBe(value);
  });

  it.each(['{"a":"1234567890123456789"}', '["1e5","-0"]', "null", '"x"'])("reads %s as JSON.parse does", (text) => {
    expect(parseLossless(text)).toEqual(JSON.parse(text));
  });

  it("throws what JSON.parse throws", () => {
    expect(() => parseLossless("{1e5")).toThrow(SyntaxError);
    expect(() => parseLossless("{")).toThrow(SyntaxError);
  });

  it("writes any value as JSON does", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!text.includes("-0"));
        expect(again(text)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it("keeps any integer", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (value) => {
        expect(inDigits(again(`${value}`))).toBe(String(value));
      }),
    );
  });
});
