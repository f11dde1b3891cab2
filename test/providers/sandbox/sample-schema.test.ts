import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/providers/sandbox/random.ts";
import { type SampleResult, sampleSchema } from "../../../src/providers/sandbox/schema/sample-schema.ts";
import { ajv, anySchemas, conditional, FORMATS, plainSchemas } from "./random-schemas.ts";

function sample(schema: JsonValue, seed = "1", hints = ""): SampleResult {
  return sampleSchema(schema, { random: createRandom(seed), hints });
}

/** What ajv says of a sample; a refusal is not valid. */
function verdict(schema: JsonValue, result: SampleResult): string {
  if (!result.ok) {
    return `refused at ${result.path}: ${result.reason}`;
  }
  const validate = ajv.compile(schema as JsonObject | boolean);
  return validate(result.value) ? "valid" : `${JSON.stringify(result.value)}: ${ajv.errorsText(validate.errors)}`;
}

const NODE = {
  type: "object",
  properties: { value: { type: "integer" }, children: { type: "array", items: { $ref: "#/$defs/node" } } },
  required: ["value", "children"],
};
const EXPRESSION = {
  anyOf: [
    {
      type: "object",
      properties: { op: { enum: ["+", "*"] }, left: { $ref: "#/$defs/e" }, right: { $ref: "#/$defs/e" } },
      required: ["op", "left", "right"],
      additionalProperties: false,
    },
    { type: "number" },
  ],
};

const SATISFIABLE: [string, JsonValue][] = [
  ["true", true],
  ["nothing given", {}],
  [
    "each scalar type",
    { type: "object", properties: { a: { type: "string" }, b: { type: "integer" }, c: { type: "null" } } },
  ],
  ["a list of types", { type: ["null", "array"], minItems: 1 }],
  ["only null", { type: "null" }],
  ["enum", { enum: ["a", 1, null, { b: [] }] }],
  ["enum narrowed by type", { type: "integer", enum: ["a", 1.5, 7] }],
  ["const", { const: { a: [1, "x"] } }],
  ["closed object", { type: "object", properties: { a: { type: "string" } }, additionalProperties: false }],
  ["required without properties", { type: "object", required: ["a", "b"], additionalProperties: { type: "integer" } }],
  ["map", { type: "object", additionalProperties: { type: "boolean" }, minProperties: 3 }],
  ["propertyNames", { type: "object", propertyNames: { pattern: "^[A-Z]{2}$" }, minProperties: 2 }],
  [
    "patternProperties",
    { patternProperties: { "^n_": { type: "integer" } }, additionalProperties: false, minProperties: 1 },
  ],
  ["maxProperties", { properties: { a: {}, b: {}, c: {} }, required: ["c"], maxProperties: 2 }],
  [
    "dependentRequired",
    { properties: { a: true, b: true }, required: ["a"], dependentRequired: { a: ["z"], z: ["y"] } },
  ],
  [
    "dependentSchemas",
    { properties: { a: true }, dependentSchemas: { a: { required: ["b"], properties: { b: { const: 1 } } } } },
  ],
  ["integer bounds", { type: "integer", minimum: -3, exclusiveMaximum: -1 }],
  ["narrow exclusive bounds", { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1e-9 }],
  ["negative only", { type: "number", maximum: -1000.5 }],
  ["large integers", { type: "integer", minimum: 1e17 }],
  ["decimal multiples", { type: "number", multipleOf: 0.01, minimum: 0.25, maximum: 0.4 }],
  ["two multiples", { type: "integer", allOf: [{ multipleOf: 6 }, { multipleOf: 4.5 }], minimum: 1 }],
  ["lengths", { type: "string", minLength: 40, maxLength: 41 }],
  ["a short text", { type: "string", maxLength: 2 }],
  ["the empty text", { type: "string", maxLength: 0 }],
  ["pattern", { type: "string", pattern: "^(?:[A-Z]{2,3}|x+)-\\d{4}(?:\\.[a-f0-9]+)?$" }],
  ["pattern and length", { type: "string", pattern: "^[a-z]+(-[a-z]+)*$", minLength: 30, maxLength: 32 }],
  ["two patterns", { type: "string", allOf: [{ pattern: "^a" }, { pattern: "^[a-c]{3}z$" }] }],
  ...Object.keys(FORMATS).map((format): [string, JsonValue] => [`format ${format}`, { type: "string", format }]),
  ["format and lengths", { type: "string", format: "email", minLength: 60 }],
  ["format and pattern", { type: "string", format: "uri", pattern: "^https://" }],
  [
    "long formats",
    { type: "object", properties: { u: { format: "uri", minLength: 300 }, h: { format: "hostname", minLength: 200 } } },
  ],
  ["minItems of any", { type: "array", minItems: 3 }],
  ["prefixItems", { prefixItems: [{ type: "string" }, { type: "integer" }], items: false, minItems: 2 }],
  [
    "unique numbers",
    { type: "array", items: { type: "integer", minimum: 1, maximum: 4 }, minItems: 4, uniqueItems: true },
  ],
  ["unique members of an enum", { type: "array", items: { enum: ["a", "b", "c"] }, minItems: 3, uniqueItems: true }],
  [
    "contains",
    {
      type: "array",
      items: { type: "integer" },
      contains: { minimum: 500 },
      minContains: 2,
      maxContains: 2,
      minItems: 4,
    },
  ],
  ["anyOf", { anyOf: [{ type: "string", pattern: "(?=look)ahead" }, { type: "boolean" }] }],
  [
    "oneOf that overlap",
    {
      oneOf: [
        { type: "integer", multipleOf: 3 },
        { type: "integer", multipleOf: 5 },
      ],
    },
  ],
  [
    "oneOf of objects",
    {
      oneOf: [
        { properties: { k: { const: "a" } }, required: ["k"] },
        { properties: { k: { const: "b" } }, required: ["k"] },
      ],
    },
  ],
  [
    "allOf merged",
    { allOf: [{ properties: { a: { type: "integer" } }, required: ["a"] }, { properties: { a: { minimum: 7 } } }] },
  ],
  [
    "allOf and a closed object",
    { properties: { a: {} }, additionalProperties: false, allOf: [{ properties: { a: { type: "null" }, b: {} } }] },
  ],
  ["not a value", { type: "boolean", not: { const: true } }],
  ["not a type", { not: { type: ["string", "number"] } }],
  ["not required", { properties: { a: true, b: true }, not: { required: ["a", "b"] } }],
  [
    "if, then and else",
    {
      properties: { k: { enum: ["x", "y"] } },
      required: ["k"],
      ...conditional({ properties: { k: { const: "x" } } }, { required: ["p"] }, { required: ["q"] }),
    },
  ],
  ["if that must not hold", { type: "integer", ...conditional({ minimum: 5 }, false, true) }],
  ["$ref with siblings", { $ref: "#/$defs/n", maximum: 3, $defs: { n: { type: "integer", minimum: 3 } } }],
  ["$ref with escapes", { $ref: "#/$defs/a~1b%20c", $defs: { "a/b c": { const: 1 } } }],
  ["a tree", { $ref: "#/$defs/node", $defs: { node: NODE } }],
  ["an expression", { $ref: "#/$defs/e", $defs: { e: EXPRESSION } }],
  [
    "a list linked through null",
    { type: "object", properties: { next: { anyOf: [{ $ref: "#" }, { type: "null" }] } }, required: ["next"] },
  ],
  [
    "unevaluatedProperties",
    { allOf: [{ properties: { a: { type: "null" } } }], properties: { b: {} }, unevaluatedProperties: false },
  ],
  ["unevaluatedItems", { prefixItems: [{ type: "null" }], unevaluatedItems: { type: "integer" }, minItems: 3 }],
  [
    "a member called __proto__",
    JSON.parse('{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}') as JsonValue,
  ],
  ["an invalid default", { type: "integer", default: "none" }],
];

describe("sampleSchema()", () => {
  it.each(SATISFIABLE)("satisfies %s", (_name, schema) => {
    const seeds = ["1", "2", "3", "4"];
    expect(seeds.map((seed) => verdict(schema, sample(schema, seed)))).toEqual(seeds.map(() => "valid"));
  });

  it("makes members that are optional, in the order of the schema", () => {
    const properties = {
      zebra: { type: "integer" },
      apple: { type: "boolean" },
      mango: { type: "array", items: { type: "null" } },
    };
    const result = sample({ type: "object", properties, required: ["mango"] });
    expect(Object.keys(result.ok ? (result.value as JsonObject) : {})).toEqual(["zebra", "apple", "mango"]);
  });

  it("leaves out an optional member that it cannot make", () => {
    const properties = { a: { type: "string", pattern: "(?=x)" }, b: { const: 1 }, c: false };
    expect(sample({ type: "object", properties })).toEqual({ ok: true, value: { b: 1 } });
  });

  it.each([
    ["a default", { type: "string", default: "kept" }, "kept"],
    ["a default of null", { anyOf: [{ type: "string" }, { type: "null" }], default: null }, null],
    ["a default that is in an enum", { enum: ["a", "b", "c", "d", "e"], default: "d" }, "d"],
    ["an example, if the default is invalid", { type: "integer", default: "x", examples: ["y", 12] }, 12],
    [
      "a recursive tree once more",
      { ...NODE, properties: { value: { const: 1 }, children: { maxItems: 1, items: { $ref: "#" } } } },
      { value: 1, children: [{ value: 1, children: [{ value: 1, children: [] }] }] },
    ],
  ] satisfies [string, JsonValue, JsonValue][])("prefers %s", (_name, schema, value) => {
    expect(sample(schema)).toEqual({ ok: true, value });
  });

  const WEATHER = {
    type: "object",
    properties: {
      city: { type: "string" },
      unit: { type: "string", enum: ["celsius", "fahrenheit"], default: "celsius" },
      days: { type: "integer", minimum: 1, maximum: 14, default: 7 },
    },
  };
  it.each([
    ["What's the weather in Tokyo?", WEATHER, { city: "Tokyo", unit: "celsius", days: 7 }],
    ["Weather for New York in Fahrenheit, 3 days please", WEATHER, { city: "New York", unit: "fahrenheit", days: 3 }],
    ["weather in tokyo for 99 days", WEATHER, { city: "tokyo", unit: "celsius", days: 7 }],
    [
      "First in Paris, and then in São Paulo.",
      { properties: { location: { type: "string" } } },
      { location: "São Paulo" },
    ],
    [
      "Fly from Lisbon to Oslo",
      { properties: { origin: { type: "string" }, destination: { type: "string" } } },
      { origin: "Lisbon", destination: "Oslo" },
    ],
    ["Please add 17 and -25.5", { properties: { a: { type: "number" }, b: { type: "number" } } }, { a: 17, b: -25.5 }],
    ["What is (2 + 3) * 4?", { properties: { expression: { type: "string" } } }, { expression: "(2 + 3) * 4" }],
    [
      "My name is Grace Hopper, age 37, grace@navy.example.",
      { properties: { name: {}, age: { type: "integer" }, email: { format: "email" } } },
      { name: "Grace Hopper", age: 37, email: "grace@navy.example" },
    ],
    [
      "Open https://example.org/a?b=c, please",
      { properties: { url: { type: "string", format: "uri" } } },
      { url: "https://example.org/a?b=c" },
    ],
    [
      "Meet on 2026-03-04 at noon",
      { properties: { start_date: { type: "string", format: "date" } } },
      { start_date: "2026-03-04" },
    ],
    ['Search for "byte pair encoding"', { properties: { query: { type: "string" } } }, { query: "byte pair encoding" }],
    ["hello\nWho wrote Faust?", { properties: { question: { type: "string" } } }, { question: "Who wrote Faust?" }],
    [
      "Weather in Oslo",
      { properties: { a: true, b: true, city: { type: "string" } }, required: ["city"], not: { required: ["b"] } },
      { city: "Oslo" },
    ],
    [
      "Draw a circle",
      {
        oneOf: ["square", "circle", "line"].map((kind) => ({
          properties: { kind: { const: kind } },
          required: ["kind"],
        })),
      },
      { kind: "circle" },
    ],
    ["priority is high_priority", { enum: ["low priority", "high-priority"] }, "high-priority"],
  ] satisfies [string, JsonValue, JsonValue][])("takes values from %j", (hints, schema, value) => {
    expect(["1", "2", "3"].map((seed) => sample(schema, seed, hints))).toEqual(Array(3).fill({ ok: true, value }));
  });

  it("gives the same sample for the same seed, and others for others", () => {
    const schema = { type: "array", minItems: 8, items: { type: "integer" } };
    expect(sample(schema, "7")).toEqual(sample(schema, "7"));
    expect(sample(schema, "7")).not.toEqual(sample(schema, "8"));
  });

  it.each([
    ["nothing is allowed", { properties: { a: false }, required: ["a"] }, "#/properties/a", "nothing is allowed here"],
    ["bounds exclude each other", { type: "integer", minimum: 3, maximum: 2 }, "#", "no number was found from 3 to 2"],
    [
      "lengths exclude each other",
      { type: "string", minLength: 3, maxLength: 2 },
      "#/minLength",
      "3 must be <= maxLength 2",
    ],
    [
      "types exclude each other",
      { type: "string", allOf: [{ type: "null" }] },
      "#",
      "no type is allowed by all of the schema",
    ],
    [
      "no value of an enum is usable",
      { type: "string", enum: [1, 2] },
      "#/enum",
      "none of the values satisfies the rest of the schema",
    ],
    [
      "multipleOf is 0",
      { properties: { n: { multipleOf: 0 } }, required: ["n"] },
      "#/properties/n/multipleOf",
      "0 must be > 0",
    ],
    ["minItems is enormous", { type: "array", minItems: 1e9 }, "#/minItems", "1000000000 must be <= 10000"],
    ["minLength is enormous", { type: "string", minLength: 1e9 }, "#/minLength", "1000000000 must be <= 10000"],
    [
      "minProperties is enormous",
      { type: "object", minProperties: 1e9 },
      "#/minProperties",
      "1000000000 must be <= 10000",
    ],
    [
      "items run out",
      { type: "array", items: { type: "boolean" }, minItems: 3, uniqueItems: true },
      "#/uniqueItems",
      "no more than 2 different items were found",
    ],
    [
      "a schema is a number",
      { properties: { "a/b": 5 }, required: ["a/b"] },
      "#/properties/a~1b",
      "a schema must be an object or a boolean, not 5",
    ],
    [
      "type is unknown",
      { type: "text" },
      "#/type",
      'must be one of JSON Schema\'s types, or a list of them, not "text"',
    ],
    ["minimum is a text", { type: "number", minimum: "1" }, "#/minimum", 'must be a number, not "1"'],
    ["required is a boolean", { type: "object", required: true }, "#/required", "must be an array, not true"],
    [
      "a reference leaves the schema",
      { $ref: "https://example.com/a.json" },
      "#/$ref",
      '"https://example.com/a.json" must point into this schema (start with "#/")',
    ],
    ["a reference points to nothing", { $ref: "#/$defs/a" }, "#/$ref", '"#/$defs/a" points to nothing'],
    [
      "a pattern looks ahead",
      { type: "string", pattern: "^(?=a)" },
      "#/pattern",
      "look-around is not supported (pattern, offset 3)",
    ],
    ["a pattern is malformed", { type: "string", pattern: "a(" }, "#/pattern", 'missing ")" (pattern, offset 2)'],
    [
      "a schema requires itself",
      { properties: { a: { $ref: "#" } }, required: ["a"] },
      "#",
      "the schema contains itself without an end",
    ],
  ] satisfies [string, JsonValue, string, string][])("refuses where %s", (_name, schema, path, reason) => {
    expect(sample(schema)).toEqual({ ok: false, path, reason });
  });

  it.each([
    ["required members", (inner: JsonValue) => ({ properties: { a: inner }, required: ["a"] }), /^#\/properties\/a\//],
    ["required items", (inner: JsonValue) => ({ items: inner, minItems: 1 }), /^#\/items\//],
    ["allOf", (inner: JsonValue) => ({ allOf: [inner] }), /^#\/allOf\/0\//],
    ["anyOf", (inner: JsonValue) => ({ anyOf: [inner] }), /^#\/anyOf\/0\//],
    ["not", (inner: JsonValue) => ({ not: inner }), /^#\/not\//],
    ["if", (inner: JsonValue) => ({ if: inner }), /^#\/if\//],
  ])("refuses 10,000 levels of %s", (_name, wrap, path) => {
    const schema = nest(10_000, { type: "string" }, wrap);
    expect(sample(schema)).toMatchObject({ ok: false, path: expect.stringMatching(path) });
  });

  it("stops early in 10,000 levels of optional members", () => {
    const schema = nest(10_000, { type: "string" }, (inner) => ({ properties: { a: inner } }));
    expect(sample(schema)).toEqual({ ok: true, value: { a: { a: { a: { a: { a: { a: {} } } } } } } });
  });

  it("passes over a default, and refuses a const, of 10,000 levels", () => {
    const deep = nest(10_000, [], (inner) => [inner]);
    expect(sample({ type: "array", maxItems: 0, default: deep })).toEqual({ ok: true, value: [] });
    expect(sample({ const: deep })).toMatchObject({ ok: false, path: "#/const" });
  });

  it.each([
    ["references in a circle", { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } }],
    ["a reference to itself", { $ref: "#" }],
    [
      "a billion items",
      { type: "array", minItems: 9999, items: { type: "array", minItems: 9999, items: { type: "null" } } },
    ],
    ["a tree of 2^30 members", doubling(30)],
    ["a pattern of 10^18 characters", { type: "string", pattern: "^((a{1000}){1000}){1000}$" }],
    ["a text beyond the limit", { type: "array", minItems: 100, items: { type: "string", minLength: 9000 } }],
    [
      "branches that all fail",
      nest(20, false, (inner) => ({
        type: "object",
        properties: { a: { anyOf: [inner, inner, inner] } },
        required: ["a"],
      })),
    ],
  ])("refuses %s within its bounds", (_name, schema) => {
    expect(sample(schema)).toMatchObject({ ok: false, path: expect.stringMatching(/^#/) });
  });

  it("does not backtrack in patterns that explode", () => {
    const pattern = "^(a+)+$";
    const schema = { type: "string", pattern, minLength: 2000, not: { pattern: "^(a|a)*b$" } };
    expect(sample(schema)).toMatchObject({ ok: true, value: expect.stringMatching(/^a{2000,}$/) });
  });

  it("makes only part of a schema with 50,000 optional members", () => {
    const names = Array.from({ length: 50_000 }, (_, index) => [`p${index}`, { type: "null" }]);
    const result = sample({ properties: Object.fromEntries(names) as JsonObject });
    expect(Object.keys(result.ok ? (result.value as JsonObject) : {}).length).toBeLessThan(1000);
  });

  it("makes valid samples of random schemas, and refuses none without contradictions", () => {
    fc.assert(
      fc.property(plainSchemas, fc.string(), (schema, seed) => {
        expect(verdict(schema, sample(schema, seed))).toBe("valid");
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("makes nothing invalid of random schemas that may contradict themselves", () => {
    fc.assert(
      fc.property(anySchemas, fc.string(), (schema, seed) => {
        const result = sample(schema, seed);
        expect(result.ok ? verdict(schema, result) : "valid").toBe("valid");
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});

function nest(levels: number, innermost: JsonValue, wrap: (inner: JsonValue) => JsonValue): JsonValue {
  let schema = innermost;
  for (let level = 0; level < levels; level++) {
    schema = wrap(schema);
  }
  return schema;
}

/** A schema that takes two of the next one, and so on, a given number of times. */
function doubling(levels: number): JsonValue {
  const pairs = Array.from({ length: levels }, (_, level) => {
    const next = { $ref: `#/$defs/d${level + 1}` };
    return [`d${level}`, { type: "object", properties: { l: next, r: next }, required: ["l", "r"] }];
  });
  return { $ref: "#/$defs/d0", $defs: Object.fromEntries([...pairs, [`d${levels}`, { type: "null" }]]) as JsonObject };
}
