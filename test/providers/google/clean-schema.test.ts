import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { asObjectSchema, cleanSchema } from "../../../src/providers/google/clean-schema.ts";
import { toOpenApi } from "../../../src/providers/google/openapi-schema.ts";
import { errorOf } from "./support.ts";

interface Row {
  readonly name: string;
  readonly schema: JsonObject;
  readonly clean: JsonObject;
  readonly lost?: string[];
}

const ROWS: Row[] = [
  {
    name: "what Gemini takes",
    schema: {
      type: "object",
      properties: { a: { type: ["string", "null"], enum: ["x", null], format: "date" } },
      required: ["a"],
      additionalProperties: false,
    },
    clean: {
      type: "object",
      properties: { a: { type: ["string", "null"], enum: ["x", null], format: "date" } },
      required: ["a"],
      additionalProperties: false,
    },
  },
  {
    name: "notes and rules that it does not take",
    schema: { $schema: "s", type: "string", pattern: "a", minLength: 1, default: "a", examples: ["a"], not: {} },
    clean: { type: "string" },
    lost: ["minLength", "not", "pattern"],
  },
  { name: "const", schema: { const: 1 }, clean: { enum: [1] } },
  { name: "nullable", schema: { type: "string", nullable: true }, clean: { type: ["string", "null"] } },
  {
    name: "schemas that take anything",
    schema: { items: true, additionalProperties: { type: "string", minLength: 1 } },
    clean: { items: {}, additionalProperties: { type: "string" } },
    lost: ["minLength"],
  },
  {
    name: "references, with nothing beside them",
    schema: {
      properties: { a: { $ref: "#/definitions/A", description: "gone" } },
      definitions: { A: { type: "object", properties: { a: { $ref: "#/definitions/A" } } } },
    },
    clean: {
      properties: { a: { $ref: "#/$defs/A" } },
      $defs: { A: { type: "object", properties: { a: { $ref: "#/$defs/A" } } } },
    },
  },
  {
    name: "allOf",
    schema: {
      description: "D",
      allOf: [
        { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
        { allOf: [{ type: "object", properties: { b: { const: 1 } }, required: ["b", "a"], description: "E" }] },
      ],
    },
    clean: {
      description: "D",
      type: "object",
      properties: { a: { type: "string" }, b: { enum: [1] } },
      required: ["a", "b"],
    },
  },
  {
    name: "allOf with a reference alone",
    schema: {
      properties: { a: { allOf: [{ $ref: "#/$defs/A" }], description: "gone", default: 1 } },
      $defs: { A: {} },
    },
    clean: { properties: { a: { $ref: "#/$defs/A" } }, $defs: { A: {} } },
  },
  {
    name: "allOf with a reference and more",
    schema: {
      $defs: {
        A: { type: "object", properties: { a: { type: "string" }, next: { $ref: "#/$defs/A" } }, required: ["a"] },
      },
      allOf: [{ $ref: "#/$defs/A" }, { properties: { b: { type: "number" } }, required: ["b"] }],
    },
    clean: {
      $defs: {
        A: { type: "object", properties: { a: { type: "string" }, next: { $ref: "#/$defs/A" } }, required: ["a"] },
      },
      type: "object",
      properties: { a: { type: "string" }, next: { $ref: "#/$defs/A" }, b: { type: "number" } },
      required: ["a", "b"],
    },
  },
  {
    name: "rules beside a reference",
    schema: {
      properties: { a: { $ref: "#/$defs/A", maxItems: 3 } },
      $defs: { A: { $ref: "#/$defs/B", minItems: 1 }, B: { type: "array", maxItems: 9 } },
    },
    clean: {
      properties: { a: { maxItems: 3, minItems: 1, type: "array" } },
      $defs: { A: { minItems: 1, type: "array", maxItems: 9 }, B: { type: "array", maxItems: 9 } },
    },
  },
  {
    name: "allOf of the same things",
    schema: {
      allOf: [
        { properties: { a: { type: "number", minimum: 1 } }, type: ["object", "null"], pattern: "a" },
        { properties: { a: { type: "integer", minimum: 2, maximum: 9 } }, type: "object", pattern: "b" },
        { properties: { a: { maximum: 5 }, b: { enum: ["x", "y"] } }, additionalProperties: false },
        { properties: { b: { enum: ["y", "z"] } }, additionalProperties: true },
        true,
      ],
    },
    clean: {
      properties: { a: { type: "integer", minimum: 2, maximum: 5 }, b: { enum: ["y"] } },
      type: "object",
      additionalProperties: false,
    },
    lost: ["pattern"],
  },
  {
    name: "null for a reference, a choice, and one of a few values",
    schema: {
      properties: {
        a: { $ref: "#/$defs/A", nullable: true },
        b: { anyOf: [{ type: "string" }], nullable: true },
        c: { type: "string", enum: ["x"], nullable: true },
        d: { allOf: [{ $ref: "#/$defs/A" }], nullable: true },
        e: { type: ["string", "null"], nullable: true },
        f: { enum: ["x"], nullable: true },
        g: { nullable: true },
      },
      $defs: { A: { type: "string" } },
    },
    clean: {
      properties: {
        a: { anyOf: [{ $ref: "#/$defs/A" }, { type: "null" }] },
        b: { anyOf: [{ type: "string" }, { type: "null" }] },
        c: { type: ["string", "null"], enum: ["x", null] },
        d: { anyOf: [{ $ref: "#/$defs/A" }, { type: "null" }] },
        e: { type: ["string", "null"] },
        f: { enum: ["x", null] },
        g: {},
      },
      $defs: { A: { type: "string" } },
    },
  },
  {
    name: "a list of items, as it was before prefixItems",
    schema: { type: "array", items: [{ const: 1 }, true] },
    clean: { type: "array", prefixItems: [{ enum: [1] }, {}] },
  },
  {
    name: "choices",
    schema: { oneOf: [{ const: "a" }, { anyOf: [{}] }], prefixItems: [{ type: "number" }] },
    clean: { oneOf: [{ enum: ["a"] }, { anyOf: [{}] }], prefixItems: [{ type: "number" }] },
  },
  {
    name: "a property named __proto__",
    schema: JSON.parse('{"properties":{"__proto__":{"const":1}}}') as JsonObject,
    clean: JSON.parse('{"properties":{"__proto__":{"enum":[1]}}}') as JsonObject,
  },
];

const DEEP_REFS: JsonObject = {
  $ref: "#/$defs/d0",
  $defs: Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => [
      `d${at}`,
      at === 29
        ? { type: "string" }
        : { type: "object", properties: { a: { $ref: `#/$defs/d${at + 1}` }, b: { $ref: `#/$defs/d${at + 1}` } } },
    ]),
  ),
};

describe("cleanSchema()", () => {
  it.each(ROWS)("keeps or says otherwise: $name", ({ schema, clean, lost = [] }) => {
    const before = JSON.stringify(schema);
    const cleaned = cleanSchema(schema, "p");
    expect(JSON.stringify(cleaned)).toBe(JSON.stringify({ schema: clean, lost }));
    expect(JSON.stringify(schema)).toBe(before);
  });

  it.each<[string, JsonObject]>([
    ["parts of allOf that contradict each other", { allOf: [{ type: "string" }, { type: "number" }] }],
    ["parts of allOf that have no value in common", { allOf: [{ enum: [1] }, { enum: [2] }] }],
    ["two choices at once", { allOf: [{ anyOf: [{ type: "string" }] }, { anyOf: [{ type: "number" }] }] }],
    ["what nothing satisfies", { properties: { a: false } }],
    ["a part of allOf that nothing satisfies", { allOf: [false, {}] }],
    ["rules beside a reference that is its own", { $defs: { A: { $ref: "#/$defs/A", minItems: 1 } } }],
    [
      "rules beside a reference that never ends",
      { $defs: { A: { properties: { a: { $ref: "#/$defs/A", required: ["a"] } } } } },
    ],
    [
      "references with rules that make it huge",
      {
        $defs: { A: { properties: Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`p${at}`, {}])) } },
        anyOf: Array.from({ length: 300 }, () => ({ $ref: "#/$defs/A", required: ["p0"] })),
      },
    ],
    ["rules beside a reference to elsewhere", { $ref: "https://a.example/schema", minItems: 1 }],
  ])("refuses %s", (_name, schema) => {
    const error = errorOf(() => cleanSchema(schema, "response_format.json_schema.schema"));
    expect([error.reasonName, error.details.param]).toEqual([
      "UNSUPPORTED_VALUE",
      "response_format.json_schema.schema",
    ]);
  });
});

describe("asObjectSchema()", () => {
  it.each<[JsonObject, JsonObject]>([
    [{}, { type: "object" }],
    [
      { type: "string", description: "d" },
      { type: "object", description: "d" },
    ],
    [
      { $ref: "#/$defs/A", $defs: { A: { type: "object" } } },
      { type: "object", $defs: { A: { type: "object" } } },
    ],
    [
      { $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/A" } } },
      { $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/A" } }, type: "object" },
    ],
  ])("makes an object of %j", (schema, expected) => {
    expect(asObjectSchema(schema)).toEqual(expected);
  });
});

describe("toOpenApi()", () => {
  it("says a schema in the older form", () => {
    const schema = {
      type: "object",
      properties: {
        a: { $ref: "#/$defs/A" },
        b: { type: ["integer", "null"], minimum: 1 },
        c: { anyOf: [{ type: "string" }, { type: "null" }] },
        d: { type: "array", items: { type: "string", enum: ["x"] } },
        e: { type: "string", enum: ["x", null] },
        f: { type: "object", additionalProperties: true },
        g: { type: "object", additionalProperties: {} },
      },
      required: ["a"],
      additionalProperties: false,
      $defs: { A: { type: "boolean" } },
    };
    expect(toOpenApi(schema, "p")).toEqual({
      type: "OBJECT",
      properties: {
        a: { type: "BOOLEAN" },
        b: { type: "INTEGER", nullable: true, minimum: 1 },
        c: { anyOf: [{ type: "STRING" }], nullable: true },
        d: { type: "ARRAY", items: { type: "STRING", enum: ["x"] } },
        e: { type: "STRING", enum: ["x"], nullable: true },
        f: { type: "OBJECT" },
        g: { type: "OBJECT" },
      },
      required: ["a"],
    });
  });

  it.each<[string, JsonObject]>([
    ["recursion", { $ref: "#/$defs/A", $defs: { A: { items: { $ref: "#/$defs/A" } } } }],
    ["open maps", { type: "object", additionalProperties: { type: "string" } }],
    ["other enums than of texts", { enum: [1] }],
    ["several types", { type: ["string", "number"] }],
    ["references to nothing", { $ref: "#/$defs/A" }],
    ["references that make it huge", DEEP_REFS],
  ])("refuses %s", (_name, schema) => {
    expect(errorOf(() => toOpenApi(schema, "p")).reasonName).toBe("UNSUPPORTED_VALUE");
  });
});
