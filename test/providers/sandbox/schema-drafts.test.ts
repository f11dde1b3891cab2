import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { createRandom } from "../../../src/providers/sandbox/random.ts";
import { sampleSchema } from "../../../src/providers/sandbox/schema/sample-schema.ts";
import { ajv, FORMATS } from "./random-schemas.ts";

const SEEDS = ["1", "2", "3", "4", "5"];
const draft7 = new Ajv({ strict: false, formats: FORMATS });

const sample = (schema: JsonValue, seed = "1") => sampleSchema(schema, { random: createRandom(seed) });
/** What a validator says of the samples of a schema. */
function faultsOf(schema: JsonObject, validator: Ajv): string[] {
  const validate = validator.compile(schema);
  return SEEDS.flatMap((seed) => {
    const result = sample(schema, seed);
    if (!result.ok) return [`${result.path}: ${result.reason}`];
    return validate(result.value) ? [] : [`${JSON.stringify(result.value)}: ${validator.errorsText(validate.errors)}`];
  });
}

describe("schemas of draft-07", () => {
  it.each<[string, JsonObject]>([
    ["definitions", { $ref: "#/definitions/a", definitions: { a: { type: "string", minLength: 3 } } }],
    ["a list of items", { type: "array", items: [{ type: "string" }, { type: "integer" }], minItems: 2 }],
    ["a closed list", { type: "array", items: [{ const: 1 }, { const: 2 }], additionalItems: false, minItems: 2 }],
    ["a list and others", { type: "array", items: [{ const: 1 }], additionalItems: { type: "null" }, minItems: 3 }],
    ["additionalItems beside one schema", { type: "array", items: { const: 1 }, additionalItems: false, minItems: 2 }],
    ["names that depend", { properties: { a: { const: 1 } }, required: ["a"], dependencies: { a: ["b"], b: ["c"] } }],
    [
      "schemas that depend",
      {
        type: "object",
        properties: { a: { const: 1 } },
        required: ["a"],
        dependencies: { a: { properties: { b: { type: "integer" } }, required: ["b"] }, z: { required: ["y"] } },
      },
    ],
  ])("satisfies %s", (_name, schema) => {
    expect(faultsOf(schema, draft7)).toEqual([]);
  });
});

describe("schemas of other libraries", () => {
  const Node = z.object({
    value: z.number(),
    get children() {
      return z.array(Node);
    },
  });
  it.each<[string, z.ZodType]>([
    ["an object", z.object({ name: z.string().min(1), age: z.int().min(0).max(120).optional(), mail: z.email() })],
    ["a tuple", z.tuple([z.string(), z.number()]).rest(z.boolean())],
    ["a record", z.record(z.enum(["a", "b"]), z.number().multipleOf(0.05))],
    ["tagged shapes", z.discriminatedUnion("k", [z.object({ k: z.literal("a") }), z.object({ k: z.literal("b") })])],
    ["a tree", Node],
    ["an intersection", z.intersection(z.object({ a: z.string() }), z.object({ b: z.null() }))],
    ["patterns", z.object({ a: z.string().startsWith("ab"), b: z.string().endsWith("yz"), c: z.string().length(7) })],
    [
      "formats",
      z.object({ a: z.uuid(), b: z.iso.datetime(), c: z.iso.date(), d: z.ipv4(), e: z.ulid(), f: z.base64() }),
    ],
  ])("satisfies zod: %s", (_name, type) => {
    for (const target of ["draft-7", "draft-2020-12"] as const) {
      const schema = z.toJSONSchema(type, { target }) as JsonObject;
      const results = SEEDS.map((seed) => sample(schema, seed));
      expect(results.map((result) => result.ok && type.safeParse(result.value).success)).toEqual(SEEDS.map(() => true));
    }
  });

  it("satisfies what pydantic writes", () => {
    const color = { enum: ["red", "green"], title: "Color", type: "string" };
    const cat = {
      properties: {
        kind: { const: "cat", default: "cat", title: "Kind", type: "string" },
        lives: { anyOf: [{ maximum: 9, type: "integer" }, { type: "null" }], default: null, title: "Lives" },
      },
      title: "Cat",
      type: "object",
    };
    const dog = { properties: { kind: { const: "dog", type: "string" } }, required: ["kind"], title: "Dog" };
    const decimal = { anyOf: [{ type: "number" }, { pattern: "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$", type: "string" }] };
    const schema = {
      $defs: { Cat: cat, Dog: dog, Color: color },
      properties: {
        pet: {
          discriminator: { mapping: { cat: "#/$defs/Cat", dog: "#/$defs/Dog" }, propertyName: "kind" },
          oneOf: [{ $ref: "#/$defs/Cat" }, { $ref: "#/$defs/Dog" }],
        },
        colors: { additionalProperties: { $ref: "#/$defs/Color" }, type: "object" },
        price: decimal,
        numbers: { items: { type: "integer" }, type: "array", uniqueItems: true },
        pair: { maxItems: 2, minItems: 2, prefixItems: [{ type: "integer" }, color], type: "array" },
      },
      required: ["pet", "colors", "price", "numbers", "pair"],
      title: "Order",
      type: "object",
    };
    expect(faultsOf(schema, ajv)).toEqual([]);
  });
});

describe("schemas at the edges", () => {
  it.each(["$dynamicRef", "$recursiveRef"])("refuses %s, and does not pass it over", (keyword) => {
    expect(sample({ type: "array", minItems: 1, items: { [keyword]: "#" } })).toEqual({
      ok: false,
      path: `#/items/${keyword}`,
      reason: "is not supported; $ref is",
    });
  });

  // Not by ajv, which takes 1e21 for 1 when it divides.
  const holds: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
    minimum: (value, bound) => value >= bound,
    maximum: (value, bound) => value <= bound,
    exclusiveMinimum: (value, bound) => value > bound,
    exclusiveMaximum: (value, bound) => value < bound,
    multipleOf: (value, bound) => Number.isInteger(value / bound),
  };
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const step = fc.double({ noNaN: true, noDefaultInfinity: true, min: Number.MIN_VALUE });
  const bounds = fc.record(
    { minimum: number, maximum: number, exclusiveMinimum: number, exclusiveMaximum: number, multipleOf: step },
    { requiredKeys: [] },
  );
  it("makes valid numbers or none, whatever the bounds", () => {
    fc.assert(
      fc.property(bounds, fc.string(), (given, seed) => {
        const result = sample({ type: "number", ...given }, seed);
        const value = result.ok ? (result.value as number) : 0;
        const broken = Object.entries(given).filter(([keyword, bound]) => !holds[keyword]?.(value, bound));
        expect(result.ok ? broken : []).toEqual([]);
      }),
      { numRuns: 1000, examples: [[{ multipleOf: 1e-300, minimum: 1e300 }, "1"]] },
    );
  });
});
