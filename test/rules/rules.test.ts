import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { FieldDescriptorProto_Type as Type } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import { Ignore } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { describe, expect, it } from "vitest";
import { isPlainlyValid } from "../../src/rules/plain-message.ts";
import { type RuledField, ruledMessage } from "./support/ruled-message.ts";

const validator = createValidator();

/** A message with that value, and without one. */
const messagesOf = (schema: DescMessage, value: unknown): Message[] => [
  create(schema, value === undefined ? {} : { it: value }),
  create(schema, { ...(value === undefined ? {} : { it: value }), other: "a" }),
];

const TEXTS = [
  "",
  "a",
  "ab",
  "abc",
  "abcd",
  "éé",
  "😀",
  "😀😀",
  "\ud800",
  "a b",
  "a\n",
  "-",
  "10",
  "http://a.b/c",
  "http://é/",
];
const NUMBERS = [-2, -1, -0, 0, 0.5, 1, 1.5, 2, 3, Number.NaN, Number.POSITIVE_INFINITY];
const INTEGERS = NUMBERS.filter(Number.isInteger);
const duration = (seconds: number, nanos = 0) => ({ seconds: BigInt(seconds), nanos });

const string = (value: object, more: Partial<RuledField> = {}): RuledField => ({
  type: Type.STRING,
  rules: { type: { case: "string", value } },
  ...more,
});
const int32 = (value: object, more: Partial<RuledField> = {}): RuledField => ({
  type: Type.INT32,
  rules: { type: { case: "int32", value } },
  ...more,
});
const double = (value: object): RuledField => ({ type: Type.DOUBLE, rules: { type: { case: "double", value } } });
const int64 = (value: object): RuledField => ({ type: Type.INT64, rules: { type: { case: "int64", value } } });
const three = (value: object): RuledField => ({
  type: Type.ENUM,
  typeName: ".test.Three",
  rules: { type: { case: "enum", value } },
});
const span = (value: object): RuledField => ({
  type: Type.MESSAGE,
  typeName: ".google.protobuf.Duration",
  rules: { type: { case: "duration", value } },
});
const repeated = (value: object, type = Type.STRING): RuledField => ({
  type,
  kind: "repeated",
  rules: { type: { case: "repeated", value } },
});
const items = (value: object) => ({ items: { type: { case: "string", value } } });
const cel = (...expressions: string[]): RuledField => ({
  type: Type.BOOL,
  messageRules: { cel: expressions.map((expression) => ({ id: "a.b", message: "no", expression })) },
});
const between = (low: unknown, high: unknown, cases = ["gte", "lte"]) => ({
  greaterThan: { case: cases[0], value: low },
  lessThan: { case: cases[1], value: high },
});

const DURATIONS = [duration(0), duration(1), duration(1, 1), duration(2), duration(-1, -5), duration(2, 2_000_000_000)];
const LISTS = [[], ["a"], ["a", "b"], ["a", "a"], ["a", "b", ""], ["a", "b", "c", "d"]];

/** Rules that are known, and values. */
const KNOWN: readonly (readonly [string, RuledField, readonly unknown[]])[] = [
  ["a text of a least length", string({ minLen: 1n }), TEXTS],
  ["a text of a longer least length", string({ minLen: 2n }), TEXTS],
  ["a text of a greatest length", string({ maxLen: 2n }), TEXTS],
  ["a text of both", string({ minLen: 1n, maxLen: 3n }), TEXTS],
  ["a text of a pattern", string({ pattern: "^[a-z]{1,2}$" }), TEXTS],
  ["a text of a pattern with a part that repeats", string({ pattern: "^a[a-z0-9_-]*$" }), TEXTS],
  ["one of some texts", string({ in: ["a", "b"] }), TEXTS],
  ["none of some texts", string({ notIn: ["a", "b"] }), TEXTS],
  ["an address", string({ wellKnown: { case: "uri", value: true } }), TEXTS],
  ["a text that is there or not, unknown which", string({ minLen: 2n }, { kind: "implicit" }), TEXTS],
  [
    "a text that is looked at unless it is empty",
    string(
      {},
      { kind: "implicit", rules: { ignore: Ignore.IF_ZERO_VALUE, type: { case: "string", value: { minLen: 2n } } } },
    ),
    TEXTS,
  ],
  [
    "a text that is never looked at",
    string({}, { rules: { ignore: Ignore.ALWAYS, required: true, type: { case: "string", value: { minLen: 2n } } } }),
    TEXTS,
  ],
  ["a text that is required", { type: Type.STRING, rules: { required: true } }, TEXTS],
  ["a text that is required, and not empty", { type: Type.STRING, kind: "implicit", rules: { required: true } }, TEXTS],
  [
    "bytes that are required",
    { type: Type.BYTES, kind: "implicit", rules: { required: true } },
    [new Uint8Array(), new Uint8Array(2)],
  ],
  ["a number that is required", { type: Type.INT64, kind: "implicit", rules: { required: true } }, [0n, 1n]],
  [
    "an enum that is required",
    { type: Type.ENUM, typeName: ".test.Three", kind: "implicit", rules: { required: true } },
    [0, 1, 9],
  ],
  ["a list that is required", { type: Type.STRING, kind: "repeated", rules: { required: true } }, LISTS],
  [
    "a message that is required",
    { type: Type.MESSAGE, typeName: ".google.protobuf.Duration", rules: { required: true } },
    DURATIONS,
  ],
  ["a number from", int32(between(1, undefined, ["gte"])), INTEGERS],
  ["a number above", int32(between(1, undefined, ["gt"])), INTEGERS],
  ["a number below", int32(between(undefined, 1, ["", "lt"])), INTEGERS],
  ["a number up to", int32(between(undefined, 1, ["", "lte"])), INTEGERS],
  ["a number between", int32(between(0, 1)), INTEGERS],
  ["a number between, without the bounds", int32(between(0, 2, ["gt", "lt"])), INTEGERS],
  ["a number with a fraction", double(between(-1, 1.5)), NUMBERS],
  ["a number with a fraction, above", double(between(0, undefined, ["gt"])), NUMBERS],
  ["a large number", int64(between(0n, 2n)), INTEGERS.map(BigInt)],
  ["an enum that has a name", three({ definedOnly: true }), [-1, 0, 1, 2, 3]],
  ["an enum that is none of some", three({ definedOnly: true, notIn: [0] }), [-1, 0, 1, 2, 3]],
  ["an enum that is one of some", three({ in: [1, 7] }), [-1, 0, 1, 2, 7]],
  ["an enum that is not some", three({ notIn: [0] }), [-1, 0, 1, 2, 3]],
  ["a duration above", span(between(duration(1), undefined, ["gt"])), DURATIONS],
  ["a duration between", span(between(duration(0), duration(1, 1))), DURATIONS],
  ["a short list", repeated({ maxItems: 2n }), LISTS],
  ["a long list", repeated({ minItems: 2n }), LISTS],
  ["a list of texts that are not empty", repeated(items({ minLen: 1n })), LISTS],
  ["a list that has each text once", repeated({ unique: true }), LISTS],
  ["an alternative", cel("!has(this.other) || this.it"), [undefined, true, false]],
  ["what is there", cel("has(this.other) || has(this.it)"), [undefined, true, false]],
  [
    "two alternatives",
    cel("!has(this.other) || this.it", "!has(this.it) || has(this.other)"),
    [undefined, true, false],
  ],
  [
    "one of two fields at most",
    { type: Type.STRING, messageRules: { oneof: [{ fields: ["it", "other"] }] } },
    [undefined, "", "a"],
  ],
  [
    "one of two fields",
    { type: Type.STRING, messageRules: { oneof: [{ fields: ["it", "other"], required: true }] } },
    [undefined, "", "a"],
  ],
];

/** Rules that nothing is known of. */
const STRANGE: readonly (readonly [string, RuledField, readonly unknown[]])[] = [
  ["a text of a constant", string({ const: "a" }), TEXTS],
  ["a text of a length", string({ len: 2n }), TEXTS],
  ["a text of so many bytes", string({ maxBytes: 3n }), TEXTS],
  ["a text of a beginning", string({ prefix: "a" }), TEXTS],
  ["a text without some", string({ notContains: "a" }), TEXTS],
  ["an e-mail address", string({ wellKnown: { case: "email", value: true } }), TEXTS],
  ["a pattern with a group", string({ pattern: "^(a|b)+$" }), TEXTS],
  ["a pattern without an end", string({ pattern: "^a" }), TEXTS],
  ["a pattern of two parts that repeat", string({ pattern: "^[a-z]+[a-z]+$" }), TEXTS],
  ["a pattern with an escape", string({ pattern: "^\\d$" }), TEXTS],
  ["a number that is outside", int32(between(2, 0)), INTEGERS],
  ["one of some numbers", int32({ in: [1] }), INTEGERS],
  ["a number that is not some", int32({ notIn: [1] }), INTEGERS],
  ["a number that is finite", double({ finite: true }), NUMBERS],
  ["a float", { type: Type.FLOAT, rules: { type: { case: "float", value: between(0, 1) as object } } }, NUMBERS],
  ["a bool", { type: Type.BOOL, rules: { type: { case: "bool", value: { const: true } } } }, [true, false]],
  ["bytes", { type: Type.BYTES, rules: { type: { case: "bytes", value: { minLen: 1n } } } }, [new Uint8Array(2)]],
  ["a duration that is outside", span(between(duration(2), duration(0))), DURATIONS],
  [
    "an expression of a field",
    { type: Type.INT32, rules: { cel: [{ id: "a", message: "b", expression: "this > 1" }] } },
    INTEGERS,
  ],
  ["an expression of a message", cel("this.it == true"), [true, false]],
  ["both", cel("has(this.it) && has(this.other)"), [true, false]],
  ["an expression without a name", { type: Type.BOOL, messageRules: { celExpression: ["this.it"] } }, [true, false]],
  ["a list that has each number once", repeated({ unique: true }, Type.DOUBLE), [[1], [1, 2]]],
  [
    "texts of a list that are passed over",
    repeated({ items: { ignore: Ignore.IF_ZERO_VALUE, type: { case: "string", value: { minLen: 2n } } } }),
    [["a"], [""]],
  ],
];

/** What is plain, and what protovalidate says. */
const outcomes = (field: RuledField, values: readonly unknown[]): { plain: boolean; valid: boolean }[] => {
  const schema = ruledMessage(field);
  return values
    .flatMap((value) => messagesOf(schema, value))
    .map((message) => {
      const { kind } = validator.validate(schema, message);
      if (kind === "error") throw new Error("the rules themselves are wrong");
      return { plain: isPlainlyValid(schema, message), valid: kind === "valid" };
    });
};

describe("the rules that are known", () => {
  it.each(KNOWN)("are those of %s", (_what, field, values) => {
    const found = outcomes(field, [undefined, ...values]);
    expect(found.filter(({ plain, valid }) => plain && !valid)).toEqual([]);
    expect(found.some(({ plain }) => plain)).toBe(true);
  });

  it.each(STRANGE)("are not those of %s", (_what, field, values) => {
    expect(outcomes(field, values).filter(({ plain }) => plain)).toEqual([]);
  });
});
