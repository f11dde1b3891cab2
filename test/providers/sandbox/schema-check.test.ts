import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSchemaCheck } from "../../../src/providers/sandbox/schema/schema-check.ts";
import { createSchemaWork } from "../../../src/providers/sandbox/schema/schema-work.ts";
import { ajv, anySchemas, FORMATS } from "./random-schemas.ts";

function accepts(schema: JsonValue, value: JsonValue): boolean {
  const work = createSchemaWork(schema, 2_000_000);
  return createSchemaCheck(work)(value, work.root);
}

const scalars = fc.constantFrom<JsonValue[]>(
  "",
  "a",
  "bc",
  "2024-02-30",
  "2024-02-29",
  "x".repeat(20),
  0,
  3,
  4,
  -7,
  36,
  2.5,
  null,
  true,
  false,
);
const values: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalars,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("id", "name", "city", "count", "tags", "x"), tie("value"), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value;

describe("createSchemaCheck()", () => {
  it("judges like ajv, whatever the schema and the value", () => {
    fc.assert(
      fc.property(anySchemas, values, (schema, value) => {
        expect(accepts(schema, value)).toBe(ajv.compile(schema as JsonObject | boolean)(value));
      }),
      { numRuns: 1500, seed: 1 },
    );
  });

  it.each([
    [
      "patternProperties",
      { patternProperties: { "^a": { type: "null" } }, additionalProperties: false },
      [{}, { a1: null }],
      [{ a: 1 }, { b: null }],
    ],
    [
      "unevaluatedProperties",
      { anyOf: [{ properties: { a: true }, required: ["a"] }, true], unevaluatedProperties: false },
      [{}, { a: 1 }],
      [{ b: 1 }],
    ],
    [
      "unevaluatedItems",
      { anyOf: [{ prefixItems: [true, true], minItems: 2 }, true], unevaluatedItems: false },
      [[], [1, 2]],
      [[1], [1, 2, 3]],
    ],
    [
      "unevaluatedItems after contains",
      { contains: { type: "null" }, unevaluatedItems: { type: "integer" } },
      [[null], [1, null, 2]],
      [["a", null], [1]],
    ],
    ["minContains 0", { contains: false, minContains: 0 }, [[], [1]], []],
    [
      "uniqueItems of objects",
      { uniqueItems: true },
      [[{ a: 1, b: 2 }, { a: 1, b: 3 }, 1, "1"]],
      [
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      ],
    ],
    ["lengths in characters", { minLength: 2, maxLength: 2 }, ["😀😀", "ab"], ["😀", "abc"]],
    ["integers written with a fraction", { type: "integer" }, [1.0, 1e3], [1.5]],
    ["decimal multiples", { multipleOf: 0.01 }, [0, 0.05, 1], [0.075]],
  ] satisfies [string, JsonValue, JsonValue[], JsonValue[]][])("checks %s", (_name, schema, right, wrong) => {
    expect(right.map((value) => accepts(schema, value))).toEqual(right.map(() => true));
    expect(wrong.map((value) => accepts(schema, value))).toEqual(wrong.map(() => false));
  });

  const TEXTS = [
    ...[
      "",
      "a",
      "a.b",
      "-a.b",
      "a..b",
      "192.0.2.1",
      "256.1.1.1",
      "1.2.3",
      "::",
      "::1",
      "1::2::3",
      "2001:db8::8a2e:370:7334",
      "12345::",
    ],
    ...[
      "2024-02-29",
      "2023-02-29",
      "2024-13-01",
      "2024-02-29T10:00:00Z",
      "2024-02-29T24:00:00Z",
      "2024-02-29 10:00:00Z",
      "10:00:00+01:00",
      "10:00",
    ],
    ...[
      "P1D",
      "P",
      "PT",
      "P1DT2H",
      "P2W",
      "1D",
      "a@b.co",
      "a@",
      "@b",
      "a b@c.d",
      "https://a.b/c?d#e",
      "//a.b",
      "a b:c",
      "mailto:a@b.c",
    ],
    ...["7d444840-9dc0-41d1-b245-5ffdce74fad2", "7d4448409dc041d1b2455ffdce74fad2"],
  ];
  it.each(Object.keys(FORMATS))("accepts of format %s nothing that others reject", (format) => {
    const validate = ajv.compile({ format });
    const accepted = TEXTS.filter((text) => accepts({ format }, text));
    expect(accepted.filter((text) => !validate(text))).toEqual([]);
    expect(accepted).not.toEqual([]);
  });

  it("takes unknown formats and keywords for remarks", () => {
    expect(accepts({ format: "colour", "x-note": 5 }, "blue")).toBe(true);
  });
});
