import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { parseJson } from "../../src/openai-json/parse.ts";
import { caught } from "./support/caught.ts";

const NOT_PARSED = "We could not parse the JSON body of your request";
const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));

/** More keys than are looked through one by one. */
const MANY = Array.from({ length: 40 }, (_, index) => `"k${index}":0`).join(",");
const MANY_OBJECT = JSON.parse(`{${MANY}}`);

describe("parseJson()", () => {
  it.each<[string, unknown]>([
    ["null", null],
    [" true\n", true],
    ["-0.5e2", -50],
    ['""', ""],
    ['"\\u00e9\\ud83d\\ude00\\n"', "é😀\n"],
    ["[]", []],
    ['{"a":[1,{"b":null}],"c":{}}', { a: [1, { b: null }], c: {} }],
    ['{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":2}]}', { a: { x: 1 }, b: { x: 1 }, c: [{ x: 1 }, { x: 2 }] }],
    ['{"a\\"b":1,"a":2,"\\\\":3,"{":"}"}', { 'a"b': 1, a: 2, "\\": 3, "{": "}" }],
    ['{"constructor":1,"prototype":2,"toString":3}', { constructor: 1, prototype: 2, toString: 3 }],
    ['{"__proto":"__proto__"}', { __proto: "__proto__" }],
    [`[{${MANY}},{"k0":1}]`, [MANY_OBJECT, { k0: 1 }]],
    ["1.7976931348623157e308", Number.MAX_VALUE],
    ["1e-400", 0],
    ['["1e400"]', ["1e400"]],
    ["12345678901234567890", 12345678901234567000],
  ])("reads %s", (text, value) => {
    expect(parseJson(text)).toEqual(value);
    expect(parseJson(bytes(text))).toEqual(value);
    expect(parseJson(`\ufeff${text}`)).toEqual(value);
    expect(parseJson(bytes(0xef, 0xbb, 0xbf, text))).toEqual(value);
  });

  it.each([
    ["", "it is empty"],
    [" \n", "it is empty"],
    ["{", "a key in double quotes is missing at line 1, column 2"],
    ['{"a"}', '":" is missing at line 1, column 5'],
    ['{"a":}', "a value is missing at line 1, column 6"],
    ['{"a":1,}', "a key in double quotes is missing at line 1, column 8"],
    ["{a:1}", "a key in double quotes is missing at line 1, column 2"],
    ["[1,]", "a value is missing at line 1, column 4"],
    ["[1 2]", '"," or "]" is missing at line 1, column 4'],
    ["[1}", '"," or "]" is missing at line 1, column 3'],
    ['{"a":1]', '"," or "}" is missing at line 1, column 7'],
    ["[[]", '"," or "]" is missing at line 1, column 4'],
    ["]", "a value is missing at line 1, column 1"],
    ['{"a":1}\r\n\r\n {}', "more text follows at line 3, column 2"],
    ["1 1", "more text follows at line 1, column 3"],
    ['{\n  "a": NaN\n}', "a value is missing at line 2, column 8"],
    ["[Infinity]", "a value is missing at line 1, column 2"],
    ["{'a':1}", "a key in double quotes is missing at line 1, column 2"],
    ['{"a":1} // secret', "more text follows at line 1, column 9"],
    ['/* secret */{"a":1}', "a value is missing at line 1, column 1"],
    ["nullable", "this is no number and no literal at line 1, column 5"],
    ["01", "this is no number and no literal at line 1, column 2"],
    ["[1.]", "this is no number and no literal at line 1, column 3"],
    ["[+1]", "a value is missing at line 1, column 2"],
    ["[-]", "a value is missing at line 1, column 2"],
    ['"secret', "a string is not closed at line 1, column 8"],
    ['"secret\\"', "a string is not closed at line 1, column 10"],
    ['["secret\n"]', "a control character in a string is not escaped at line 1, column 9"],
    ['"\\x41"', "this escape does not exist at line 1, column 2"],
    ['"\\u12g4"', "this escape does not exist at line 1, column 2"],
    ["\u00a0{}", "a value is missing at line 1, column 1"],
    ["undefined", "a value is missing at line 1, column 1"],
  ])("rejects %j: %s", (text, problem) => {
    const error = caught(() => parseJson(text));
    expect(error).toMatchObject({ reason: Reason.INVALID_JSON, message: `${NOT_PARSED}: ${problem}` });
    expect(error.details).toEqual({});
  });

  it.each([
    ["a byte that begins nothing", bytes('{"a":"', 0xff, '"}')],
    ["a sequence that is cut", bytes('{"a":"', 0xe2, 0x82, '"}')],
    ["an overlong form", bytes('{"a":"', 0xc0, 0xaf, '"}')],
    ["half of a surrogate pair", bytes('{"a":"', 0xed, 0xa0, 0xbd, '"}')],
    ["UTF-16", Buffer.from('{"a":1}', "utf16le").subarray(0, 5)],
  ])("rejects bytes that are no UTF-8: %s", (_, text) => {
    expect(caught(() => parseJson(text))).toMatchObject({ reason: Reason.INVALID_JSON });
  });

  const twice = (path: string) => [Reason.INVALID_JSON, path, `${NOT_PARSED}: ${path} is there twice`] as const;
  const proto = (path: string) =>
    [Reason.INVALID_JSON, path, `${NOT_PARSED}: ${path} is a key that is not allowed`] as const;
  const tooLarge = (path: string) =>
    [Reason.INVALID_VALUE, path, `${path} must be a number up to 1.7976931348623157e+308`] as const;
  const halfPair = (path: string) =>
    [Reason.INVALID_VALUE, path, `${path} must be Unicode text, and has half of a surrogate pair`] as const;
  it.each([
    ['{"a":1,"a":1}', ...twice("a")],
    ['{"a":1,"\\u0061":2}', ...twice("a")],
    ['{"":1,"":2}', ...twice('[""]')],
    ['{"a":{"b":[0,{"c":1,"d":2,"c":3}]}}', ...twice("a.b[1].c")],
    ['[{"a":1},{"a":{"a":1},"a":2}]', ...twice("[1].a")],
    [`{${MANY},"k7":1}`, ...twice("k7")],
    [`{${MANY},"k39":1}`, ...twice("k39")],
    [`{${Array.from({ length: 16 }, (_, index) => `"k${index}":0,`).join("")}"k15":1}`, ...twice("k15")],
    ['{"__proto__":null}', ...proto("__proto__")],
    ['{"a":[{"__proto__":{}}]}', ...proto("a[0].__proto__")],
    ['{"\\u005f_proto__":1}', ...proto("__proto__")],
    ["[1e400]", ...tooLarge("[0]")],
    ['{"a":[0,-1E+400]}', ...tooLarge("a[1]")],
    ['{"a":[0,0,0],"b":[1e400]}', ...tooLarge("b[0]")],
    [`{"n":${"9".repeat(400)}}`, ...tooLarge("n")],
    ['{"a":"\\ud83d"}', ...halfPair("a")],
    ['{"a":["x\\uDE00y"]}', ...halfPair("a[0]")],
    ['{"a":"\\ude00\\ud83d"}', ...halfPair("a")],
    ['{"a":"\ud83d"}', ...halfPair("a")],
    ['{"b":{"\\ud83d":1}}', ...halfPair('b["\\ud83d"]')],
  ])("rejects %s by its path", (text, reason, param, message) => {
    const error = caught(() => parseJson(text));
    expect(error).toMatchObject({ reason, message });
    expect(error.details.param).toBe(param);
  });

  it("names the body where the value at fault is the whole", () => {
    const error = caught(() => parseJson("1e400"));
    expect(error.message).toBe("the body must be a number up to 1.7976931348623157e+308");
    expect(error.details.param).toBeUndefined();
  });

  it("takes as many levels as it is told, and 64 by default", () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}[]${"}".repeat(levels - 1)}`;
    expect(() => parseJson(nested(64))).not.toThrow();
    expect(() => parseJson(nested(3), { maxDepth: 3 })).not.toThrow();
    const error = caught(() => parseJson(nested(4), { maxDepth: 3 }));
    expect(error).toMatchObject({
      reason: Reason.INVALID_JSON,
      message: `${NOT_PARSED}: a.a.a is nested deeper than 3 levels`,
    });
    expect(error.details.param).toBe("a.a.a");
  });

  it.each([
    ["arrays", "[".repeat(100_000), "[0]".repeat(64)],
    ["closed arrays", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, "[0]".repeat(64)],
    ["objects", '{"a":'.repeat(100_000), Array(64).fill("a").join(".")],
    ["an array after others", `{"a":[[],[${"[".repeat(100_000)}`, `a[1]${"[0]".repeat(62)}`],
  ])("rejects 100,000 levels of %s", (_, text, param) => {
    const error = caught(() => parseJson(text));
    expect(error).toMatchObject({ reason: Reason.INVALID_JSON, details: { param } });
  });

  it("does not take apart what stands in strings", () => {
    const text = '{"a":"[[[{\\"b\\":1e400,\\"b\\":2,\\"__proto__\\":3}","b":"\\\\","c":"\\\\\\""}';
    expect(parseJson(text, { maxDepth: 1 })).toEqual({
      a: '[[[{"b":1e400,"b":2,"__proto__":3}',
      b: "\\",
      c: '\\"',
    });
  });

  it("takes strings of megabytes, with escapes or without", () => {
    const image = "A".repeat(5_000_000);
    const escapes = '\\\\\\"\\n'.repeat(200_000);
    expect(parseJson(`{"a":"${image}","b":"${escapes}"}`)).toEqual({ a: image, b: '\\"\n'.repeat(200_000) });
  });

  it("takes many strings: it does not look to the end of the text for each", () => {
    const list = Array.from({ length: 1_000_000 }, (_, index) => `text ${index}`);
    expect(parseJson(JSON.stringify(list))).toHaveLength(list.length);
  });

  it("agrees with JSON.parse, but for what it refuses by its path, and says where the fault is without the text", () => {
    const pieces = fc.constantFrom(
      " secret",
      "\\",
      '"',
      "{",
      "]",
      ",",
      "\n",
      "\u0000",
      "0",
      "e",
      "\\u",
      '"secret"',
      "[[",
      ":",
    );
    fc.assert(
      fc.property(fc.json(), fc.nat(), pieces, (json, random, piece) => {
        const at = random % (json.length + 1);
        const text = json.slice(0, at) + piece + json.slice(at);
        const native = outcome(() => JSON.parse(text));
        const ours = outcome(() => parseJson(text));
        const agrees = native.error === undefined ? isDeepStrictEqual(ours, native) : LOCATED.test(ours.error ?? "");
        expect(agrees || NAMED.test(ours.error ?? "")).toBe(true);
        expect(ours.error ?? "").not.toContain("secret");
      }),
      { numRuns: 2_000 },
    );
  });
});

const LOCATED = /^We could not parse the JSON body of your request: .+( at line \d+, column \d+| it is empty)$/;
const NAMED =
  / (is there twice|is nested deeper than 64 levels|is a key that is not allowed|must be a number up to \S+|must be Unicode text, .+)$/;

function outcome(action: () => unknown): { value?: unknown; error?: string } {
  try {
    return { value: action() };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
