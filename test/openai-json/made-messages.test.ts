import { create, type DescMessage, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Absent } from "../../src/gen/parley/options/v1/options_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { encodeJson } from "../../src/openai-json/encode.ts";
import { caught } from "./support/caught.ts";
import { type MadeMessage, makeMessages } from "./support/made-messages.ts";

/** All kinds of fields that the project's own messages do not have. */
const made = makeMessages({
  Scalars: {
    fields: {
      small: { type: "float", label: "optional" },
      unsigned: { type: "uint32", label: "optional" },
      long: { type: "int64", label: "optional" },
      longest: { type: "uint64", label: "optional" },
      text_long: { type: "sfixed64", label: "optional", asString: true },
      text_longs: { type: "fixed64", label: "repeated", asString: true },
      floats: { type: "float", label: "repeated" },
      data: { type: "bytes", label: "repeated" },
      shade: { type: "Shade", label: "optional" },
      shades: { type: "Shade", label: "repeated", json: { shorthand: true } },
    },
  },
  Maps: {
    fields: {
      by_int: { type: "string", mapKey: "int32" },
      by_long: { type: "bool", mapKey: "uint64" },
      by_bool: { type: "Shade", mapKey: "bool" },
      messages: { type: "Tree", mapKey: "string" },
      structs: { type: "google.protobuf.Struct", mapKey: "string" },
      values: { type: "google.protobuf.Value", mapKey: "string" },
      absent: { type: "string", mapKey: "string", json: { absent: Absent.NULL } },
    },
  },
  WellKnown: {
    fields: {
      value: { type: "google.protobuf.Value" },
      values: { type: "google.protobuf.Value", label: "repeated" },
      structs: { type: "google.protobuf.Struct", label: "repeated" },
      list: { type: "google.protobuf.ListValue" },
      durations: { type: "google.protobuf.Duration", label: "repeated" },
      text: { type: "string", label: "optional", json: { jsonText: true, name: "any" } },
    },
  },
  Tree: {
    fields: {
      name: { type: "string", json: { name: "$name" } },
      children: { type: "Tree", label: "repeated", json: { name: "class" } },
    },
  },
  Circle: { fields: { radius: { type: "double" }, extra_key: { type: "string", label: "optional" } } },
  Square: {
    fields: {
      side: { type: "double" },
      fill: { type: "Shade", oneof: "inside" },
      hole: { type: "Circle", oneof: "inside" },
    },
    oneofs: { inside: { discriminator: "inside" } },
  },
  Empty: { fields: {} },
  Shape: {
    fields: {
      circle: { type: "Circle", oneof: "kind" },
      square: { type: "Square", oneof: "kind" },
      nothing: { type: "Empty", oneof: "kind" },
      at: { type: "int32", label: "repeated" },
    },
    oneofs: { kind: { discriminator: "shape", inline: true } },
  },
  Plain: {
    fields: {
      first: { type: "string", oneof: "one" },
      second: { type: "Circle", oneof: "one", json: { name: "2nd" } },
      third: { type: "Shade", oneof: "other" },
      fourth: { type: "int64", oneof: "other" },
    },
    oneofs: { one: {}, other: {} },
    constants: { a: "1", b: "2" },
  },
  Word: {
    fields: { shade: { type: "Shade", oneof: "kind" }, tree: { type: "Tree", oneof: "kind" } },
    oneofs: { kind: { bare: "shade" } },
  },
  Speeds: {
    fields: {
      first: { type: "TopSpeed" },
      last: { type: "TopSpeed", label: "optional" },
      all: { type: "TopSpeed", label: "repeated" },
    },
  },
  Note: {
    fields: { text: { type: "string", oneof: "kind" }, page: { type: "int32", label: "optional" } },
    oneofs: { kind: { bare: "text" } },
  },
  Notes: { fields: { notes: { type: "Note", label: "repeated", json: { shorthand: true } } } },
  Open: {
    fields: {
      first: { type: "string", oneof: "one" },
      second: { type: "string", oneof: "one" },
      rest: { type: "google.protobuf.Struct", json: { catchAll: true } },
    },
    oneofs: { one: {} },
  },
  Words: {
    fields: {
      list: { type: "Word", label: "repeated" },
      short: { type: "Word", label: "repeated", json: { shorthand: true } },
    },
  },
});

const both = (desc: string, json: JsonObject, properties: object, written: JsonObject = json) =>
  [desc, json, properties, written] as const;
const value = (name: string, held: unknown) => ({
  $typeName: "google.protobuf.Value",
  kind: { case: name, value: held },
});
const tree = (name: string, children: object[] = []) => ({ $typeName: "made.Tree", name, children });

describe("a codec that knows no message", () => {
  it.each([
    both(
      "Scalars",
      { small: 0.5, unsigned: 4294967295, long: -9007199254740991, longest: 0, text_long: -5, text_longs: [1, 2] },
      {
        small: 0.5,
        unsigned: 4294967295,
        long: -9007199254740991n,
        longest: 0n,
        textLong: "-5",
        textLongs: ["1", "2"],
      },
    ),
    both(
      "Scalars",
      { longest: "9007199254740991", text_long: "-7", text_longs: ["07", "0"], small: 3.4028234e38 },
      { longest: 9007199254740991n, textLong: "-7", textLongs: ["7", "0"], small: Math.fround(3.4028234e38) },
      { longest: 9007199254740991, text_long: -7, text_longs: [7, 0], small: Math.fround(3.4028234e38) },
    ),
    both(
      "Scalars",
      { floats: [1, -0], data: [[], [0, 255]] },
      { floats: [1, 0], data: [Uint8Array.of(), Uint8Array.of(0, 255)] },
      { floats: [1, 0], data: [[], [0, 255]] },
    ),
    both("Scalars", { shade: "light", shades: "dark" }, { shade: 1, shades: [2] }),
    both("Scalars", { shades: ["dark", "light"] }, { shades: [2, 1] }),
    both(
      "Maps",
      { by_int: { "-1": "a", "0": "b" }, by_long: { "18446744073709551615": true }, by_bool: { true: "dark" } },
      { byInt: { "-1": "a", "0": "b" }, byLong: { "18446744073709551615": true }, byBool: { true: 2 } },
    ),
    both(
      "Maps",
      { messages: { a: { $name: "x" } }, structs: { constructor: { a: null } }, values: { toString: null } },
      {
        messages: { a: tree("x") },
        structs: { constructor: { a: null } },
        values: { toString: value("nullValue", 0) },
      },
    ),
    both("Maps", { by_int: {}, absent: null }, {}, {}),
    both(
      "WellKnown",
      {
        value: [1, "a", { b: false }],
        values: [null, 1],
        structs: [{}],
        list: [null],
        durations: ["1.5s", "0s"],
        any: { b: 1, a: [] },
      },
      {
        values: [value("nullValue", 0), value("numberValue", 1)],
        structs: [{}],
        text: '{"b":1,"a":[]}',
      },
    ),
    both("WellKnown", { any: "text" }, { text: '"text"' }),
    both(
      "Tree",
      { $name: "a", class: [{ $name: "b", class: [{ $name: "c" }] }] },
      { name: "a", children: [tree("b", [tree("c")])] },
    ),
    both(
      "Shape",
      { shape: "circle", radius: 1 },
      { kind: { case: "circle", value: { $typeName: "made.Circle", radius: 1 } } },
    ),
    both(
      "Shape",
      { at: [1, 2], extra_key: "x", radius: 1, shape: "circle" },
      { kind: { case: "circle", value: { $typeName: "made.Circle", radius: 1, extraKey: "x" } }, at: [1, 2] },
    ),
    both(
      "Shape",
      { shape: "square", side: 2, inside: "fill", fill: "dark" },
      { kind: { case: "square", value: { $typeName: "made.Square", side: 2, inside: { case: "fill", value: 2 } } } },
    ),
    both("Shape", { shape: "nothing" }, { kind: { case: "nothing", value: { $typeName: "made.Empty" } } }),
    both("Shape", {}, {}),
    both(
      "Plain",
      { a: "1", b: "2", first: "", fourth: 7 },
      { one: { case: "first", value: "" }, other: { case: "fourth", value: 7n } },
    ),
    both(
      "Plain",
      { third: "light", "2nd": { radius: 0 } },
      { one: { case: "second", value: { $typeName: "made.Circle", radius: 0 } }, other: { case: "third", value: 1 } },
      { a: "1", b: "2", third: "light", "2nd": { radius: 0 } },
    ),
    both(
      "Words",
      { list: ["dark", { tree: { $name: "t" } }, {}], short: "light" },
      {
        list: [
          { $typeName: "made.Word", kind: { case: "shade", value: 2 } },
          { $typeName: "made.Word", kind: { case: "tree", value: tree("t") } },
          { $typeName: "made.Word", kind: { case: undefined } },
        ],
        short: [{ $typeName: "made.Word", kind: { case: "shade", value: 1 } }],
      },
    ),
    both("Speeds", { first: "still", all: ["100", "still"] }, { first: 0, all: [2, 0] }),
    both("Speeds", { first: "walking", last: "still" }, { first: 1, last: 0 }, { first: "slow", last: "still" }),
    both("Notes", { notes: "a" }, { notes: [{ kind: { case: "text", value: "a" } }] }),
    both("Notes", { notes: [{ text: "a", page: 0 }] }, { notes: [{ kind: { case: "text", value: "a" }, page: 0 }] }),
    both("Notes", { notes: [{ page: 1 }] }, { notes: [{ kind: { case: undefined }, page: 1 }] }),
  ])("reads and writes %s: %j", (name, json, properties, written) => {
    const unknown: string[] = [];
    const message = decodeJson(made(name), json, { onUnknownKey: (path) => unknown.push(path) });
    expect(message).toMatchObject(properties);
    expect(unknown).toEqual([]);
    expect(encodeJson(made(name), message, { nulls: false })).toStrictEqual(written);
  });

  it.each<[string, JsonObject, string, string]>([
    ["Scalars", { small: 1e39 }, "small", "small must be a finite number, not 1e+39"],
    ["Scalars", { unsigned: -1 }, "unsigned", "unsigned must be an integer from 0 to 4294967295, not -1"],
    ["Scalars", { longest: -1 }, "longest", "longest must be an integer from 0 to 18446744073709551615, not -1"],
    [
      "Scalars",
      { longest: "18446744073709551616" },
      "longest",
      "longest must be an integer from 0 to 18446744073709551615, not 18446744073709551616",
    ],
    ["Scalars", { data: [[0], [256]] }, "data[1][0]", "data[1][0] must be an integer from 0 to 255, not 256"],
    ["Scalars", { shades: 1 }, "shades", "shades must be a string or an array, not a number"],
    ["Scalars", { shades: "pale" }, "shades", 'shades must be one of "light", "dark", not "pale"'],
    [
      "Maps",
      { by_int: { "1.5": "a" } },
      'by_int["1.5"]',
      'by_int["1.5"] must have a key that is an integer from -2147483648 to 2147483647',
    ],
    [
      "Maps",
      { by_int: { "01": "a" } },
      'by_int["01"]',
      'by_int["01"] must have a key that is an integer from -2147483648 to 2147483647',
    ],
    ["Maps", { by_bool: { yes: "dark" } }, "by_bool.yes", "by_bool.yes must have a key that is a boolean"],
    ["Maps", { structs: { a: null } }, "structs.a", "structs.a must be an object, not null"],
    ["WellKnown", { list: {} }, "list", "list must be an array, not an object"],
    ["WellKnown", { structs: [null] }, "structs[0]", "structs[0] must be an object, not null"],
    ["WellKnown", { durations: ["3m"] }, "durations[0]", 'durations[0] must be a duration in seconds, such as "1.5s"'],
    ["Shape", { shape: "line" }, "shape", 'shape must be one of "circle", "square", "nothing", not "line"'],
    ["Shape", { shape: "square", inside: "fill" }, "fill", 'fill is missing; it belongs to inside "fill"'],
    ["Shape", { shape: "square", inside: "x" }, "inside", 'inside must be one of "fill", "hole", not "x"'],
    ["Plain", { a: "2" }, "a", 'a must be "1", not "2"'],
    ["Plain", { first: "", "2nd": {} }, '["2nd"]', '["2nd"] can\'t be set together with first'],
    ["Words", { list: [null] }, "list[0]", "list[0] must be a string or an object, not null"],
  ])("rejects %s: %j", (name, json, param, message) => {
    const error = caught(() => decodeJson(made(name), json));
    expect(error.message).toBe(message);
    expect(error.details.param).toBe(param);
  });

  it.each<[string, JsonObject, object]>([
    ["Scalars", { shade: "neon", shades: "neon" }, { shade: 0, shades: [] }],
    ["Scalars", { shades: ["neon", "dark"] }, { shades: [2] }],
    ["Maps", { by_bool: { true: "neon", false: "dark" } }, { byBool: { false: 2 } }],
    [
      "Words",
      { list: ["neon"], short: "neon" },
      { list: [{ kind: { case: undefined } }], short: [{ kind: { case: undefined } }] },
    ],
    ["Plain", { third: "neon", first: "a", b: "3" }, { one: { case: "first" }, other: { case: undefined } }],
  ])("takes the words of %s that are not known for unset, when it is lenient: %j", (name, json, properties) => {
    expect(decodeJson(made(name), json, { enums: "lenient" })).toMatchObject(properties);
  });

  it("reports the keys of the inline members that are not there", () => {
    const unknown: string[] = [];
    decodeJson(made("Shape"), { shape: "circle", side: 1, radius: 2 }, { onUnknownKey: (path) => unknown.push(path) });
    decodeJson(made("Shape"), { radius: 2 }, { onUnknownKey: (path) => unknown.push(path) });
    expect(unknown).toEqual(["side", "radius"]);
  });
});

describe("encodeJson() that knows no message", () => {
  it("leaves out of a catch-all field what would be read as another member", () => {
    const one = { case: "first", value: "a" };
    const message = create(made("Open"), { one, rest: { first: "b", second: "c", third: "d" } });
    expect(encodeJson(made("Open"), message)).toStrictEqual({ first: "a", third: "d" });
  });

  it("refuses zero of an enum with presence, unless it has a word", () => {
    const message = create(made("Scalars"), { shade: 0 });
    expect(caught(() => encodeJson(made("Scalars"), message)).message).toBe("shade is 0, an enum value without a word");
  });
});

describe("planOf()", () => {
  const field = { type: "string" } as const;
  const compiled = (message: MadeMessage): DescMessage => makeMessages({ Bad: message, Other: { fields: {} } })("Bad");

  it.each<[string, MadeMessage]>([
    ['the key "a" means two things', { fields: { a: field, b: { ...field, json: { name: "a" } } } }],
    ['the key "a" means two things', { fields: { a: field }, constants: { a: "x" } }],
    [
      'the key "type" means two things',
      { fields: { type: field, a: { ...field, oneof: "kind" } }, oneofs: { kind: { discriminator: "type" } } },
    ],
    [
      'two members of a oneof have the key "a"',
      {
        fields: { a: { ...field, oneof: "kind" }, b: { ...field, oneof: "kind", json: { name: "a" } } },
        oneofs: { kind: {} },
      },
    ],
    [
      "the bare member must be a string or an enum",
      { fields: { a: { type: "Other", oneof: "kind" } }, oneofs: { kind: { bare: "a" } } },
    ],
    [
      "the bare member must be a string or an enum",
      { fields: { a: { ...field, oneof: "kind" } }, oneofs: { kind: { bare: "b" } } },
    ],
    [
      "inline members must be messages, and need a discriminator",
      { fields: { a: { type: "Other", oneof: "kind" } }, oneofs: { kind: { inline: true } } },
    ],
    [
      "inline members must be messages, and need a discriminator",
      { fields: { a: { ...field, oneof: "kind" } }, oneofs: { kind: { inline: true, discriminator: "type" } } },
    ],
    [
      "only a list of strings, enums or messages can have a shorthand",
      { fields: { a: { type: "int32", label: "repeated", json: { shorthand: true } } } },
    ],
    [
      "only a list of strings, enums or messages can have a shorthand",
      { fields: { a: { ...field, json: { shorthand: true } } } },
    ],
    [
      "google.protobuf.FieldMask has no form in OpenAI's JSON",
      { fields: { a: { type: "google.protobuf.FieldMask" } } },
    ],
  ])("refuses options that contradict each other: %s", (problem, message) => {
    const desc = compiled(message);
    expect(() => decodeJson(desc, {})).toThrow(problem);
    // And not only for the first time.
    expect(() => encodeJson(desc, create(desc))).toThrow(problem);
  });
});
