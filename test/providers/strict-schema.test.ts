import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { checkStrictSchema } from "../../src/providers/strict-schema.ts";

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const check = (schema: JsonObject) => checkStrictSchema(schema, "response_format", "schema");
const nested = (levels: number): JsonObject => (levels === 0 ? object({}) : object({ a: nested(levels - 1) }));
const names = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: "string" }]));

describe("checkStrictSchema()", () => {
  it.each<[string, JsonObject]>([
    ["an object", object({ a: { type: "string", pattern: "a+" } })],
    ["references and recursion", object({ a: { $ref: "#/$defs/a" } }, { $defs: { a: object({ b: { $ref: "#" } }) } })],
    ["alternatives within", object({ a: { anyOf: [object({}), { type: "null" }] } })],
    ["ten levels", nested(10)],
    ["5000 properties", object(names(5000))],
    ["a thousand values", object({ a: { enum: Array.from({ length: 1000 }, (_, index) => index) } })],
  ])("takes %s", (_what, schema) => {
    expect(() => check(schema)).not.toThrow();
  });

  it.each<[string, JsonObject, string]>([
    ["a root that is no object", { type: "array" }, "schema must be of type object, and no anyOf"],
    ["a root of alternatives", object({}, { anyOf: [] }), "schema must be of type object, and no anyOf"],
    [
      "open objects",
      object({ a: { type: "object", properties: {} } }),
      "schema.properties.a.additionalProperties must be false in a strict schema",
    ],
    [
      "properties that may be missing",
      object({ a: {}, b: {} }, { required: ["a"] }),
      'schema.required must list every property; "b" is missing',
    ],
    ["allOf", object({ a: { allOf: [] } }), "schema.properties.a.allOf is not allowed in a strict schema"],
    [
      "not, in alternatives",
      object({ a: { anyOf: [{ not: {} }] } }),
      "schema.properties.a.anyOf[0].not is not allowed in a strict schema",
    ],
    [
      "look-around",
      object({ a: { type: "string", pattern: "(?<!a)b" } }),
      "schema.properties.a.pattern has look-around, which is not allowed in a strict schema",
    ],
    ["eleven levels", nested(11), `schema${".properties.a".repeat(11)} is nested deeper than 10 levels`],
    ["5001 properties", object(names(5001)), "schema has 5001 properties; at most 5000"],
    [
      "1001 values",
      object({ a: { enum: Array.from({ length: 1001 }, (_, index) => index) } }),
      "schema has 1001 enum values; at most 1000",
    ],
    [
      "long values",
      object({ a: { const: "x".repeat(120_000) } }),
      "schema has 120001 characters in names and values; at most 120000",
    ],
  ])("refuses %s", (_what, schema, message) => {
    expect(() => check(schema)).toThrow(
      expect.objectContaining({
        reasonName: "INVALID_VALUE",
        message,
        details: { param: "response_format", code: "invalid_json_schema" },
      }),
    );
  });
});
