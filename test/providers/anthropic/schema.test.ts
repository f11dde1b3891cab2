import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { cleanSchema } from "../../../src/providers/anthropic/clean-schema.ts";
import { bodyOf, describeAdjustment, plan } from "./support.ts";

const closed = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: "object",
  properties,
  additionalProperties: false,
  ...more,
});
const names = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, {}]));

describe("cleanSchema()", () => {
  it.each<[string, JsonObject, JsonObject, string[]]>([
    [
      "keeps what Anthropic knows",
      closed({ a: { enum: [1], default: 1 } }, { required: ["a"] }),
      closed({ a: { enum: [1], default: 1 } }, { required: ["a"] }),
      [],
    ],
    ["closes objects", { properties: { a: true } }, { properties: { a: {} }, additionalProperties: false }, []],
    [
      "makes anyOf of oneOf",
      { oneOf: [{ const: 1 }, { type: ["string", "null"] }] },
      { anyOf: [{ const: 1 }, { type: ["string", "null"] }] },
      [],
    ],
    [
      "keeps formats that Anthropic knows, and asks for others",
      {
        anyOf: [
          { type: "string", format: "uuid" },
          { type: "string", format: "phone", description: "A phone" },
        ],
      },
      {
        anyOf: [
          { type: "string", format: "uuid" },
          { type: "string", description: 'A phone\n{format: "phone"}' },
        ],
      },
      ["mapped s.anyOf[1].format: phone → description"],
    ],
    [
      "asks for bounds in the description",
      { type: "array", items: { type: "integer", minimum: 1, maximum: 9, title: "N" }, minItems: 2, uniqueItems: true },
      {
        type: "array",
        items: { type: "integer", title: "N", description: "{minimum: 1, maximum: 9}" },
        description: "{minItems: 2, uniqueItems: true}",
      },
      [
        "mapped s.items.minimum: 1 → description",
        "mapped s.items.maximum: 9 → description",
        "mapped s.minItems: 2 → description",
        "mapped s.uniqueItems: true → description",
      ],
    ],
    [
      "keeps minItems of 0 and 1, and drops what says nothing of values",
      { $schema: "x", $id: "y", type: "array", minItems: 1 },
      { type: "array", minItems: 1 },
      [],
    ],
    [
      "renames definitions of draft 7",
      { $ref: "#/definitions/a", definitions: { a: { type: "string" } } },
      { $ref: "#/$defs/a", $defs: { a: { type: "string" } } },
      [],
    ],
    [
      "takes a single allOf for itself",
      { allOf: [{ type: "string" }], description: "d" },
      { type: "string", description: "d" },
      [],
    ],
    [
      "reports no note that holds a value to nothing",
      { type: "string", examples: ["a"], deprecated: true },
      { type: "string", description: '{examples: ["a"], deprecated: true}' },
      [],
    ],
    [
      "asks for values that are no scalars in the description",
      { type: "array", enum: [[1], [2]], items: { type: "integer" } },
      { type: "array", items: { type: "integer" }, description: "{enum: [[1],[2]]}" },
      ["mapped s.enum: 1,2 → description"],
    ],
    [
      "sets references apart from what stands beside them",
      closed({ a: { $ref: "#/$defs/x", description: "A" } }, { $defs: { x: { type: "string" } } }),
      closed({ a: { anyOf: [{ $ref: "#/$defs/x" }], description: "A" } }, { $defs: { x: { type: "string" } } }),
      [],
    ],
    ["takes a function without parameters", { type: "object", properties: {} }, closed({}), []],
  ])("%s", (_what, schema, expected, adjustments) => {
    const before = structuredClone(schema);
    const clean = cleanSchema(schema, "s");
    expect(clean.schema).toEqual(expected);
    expect(clean.lossy).toBeUndefined();
    expect(clean.adjustments.map(describeAdjustment)).toEqual(adjustments);
    expect(schema).toEqual(before);
  });

  it.each<[string, JsonObject, string]>([
    ["maps", { type: "object", additionalProperties: { type: "string" } }, "s.additionalProperties"],
    ["objects that are open on purpose", closed({ a: {} }, { additionalProperties: true }), "s.additionalProperties"],
    ["objects of any properties", closed({ a: { type: "object" } }), "s.properties.a"],
    ["names by pattern", closed({}, { patternProperties: {} }), "s.patternProperties"],
    ["several schemas at once", { allOf: [{}, {}] }, "s.allOf"],
    [
      "a reference and other schemas at once",
      { $ref: "#/$defs/a", anyOf: [{}], $defs: { a: {} } },
      "s: several schemas",
    ],
    ["what nothing satisfies", closed({ a: false }), "s.properties.a"],
    ["references out of the schema", { $ref: "https://x.example" }, "s.$ref"],
    ["recursion", { $ref: "#/$defs/a", $defs: { a: closed({ b: { $ref: "#/$defs/a" } }) } }, "it refers to itself"],
    ["recursion to the root", closed({ a: { $ref: "#" } }), "it refers to itself"],
    ["more than 24 properties that may be missing", closed(names(25)), "s: it has more than 24"],
  ])("says that %s are lost", (_what, schema, lossy) => {
    expect(cleanSchema(schema, "s").lossy).toContain(lossy);
  });

  it("keeps a property of the name __proto__ a property", () => {
    const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string","minLength":1}}}');
    const clean = cleanSchema(schema, "s");
    expect(JSON.stringify(clean.schema)).toBe(
      '{"type":"object","properties":{"__proto__":{"type":"string","description":"{minLength: 1}"}},"additionalProperties":false}',
    );
    expect(Object.getPrototypeOf(clean.schema["properties"])).toBe(Object.prototype);
  });
});

describe("response_format", () => {
  const ask = (schema: JsonObject, model: string, more: JsonObject = {}) =>
    plan({ response_format: { type: "json_schema", json_schema: { name: "answer", schema, ...more } } }, { model });
  const MAP = { type: "object", additionalProperties: { type: "string" } };

  it("refuses a schema that cannot be kept, where the model cannot answer by a tool either", () => {
    expect(() => ask(MAP, "claude-opus-5-5")).toThrow(
      expect.objectContaining({
        reasonName: "UNSUPPORTED_VALUE",
        details: expect.objectContaining({ param: "response_format.json_schema.schema" }),
      }),
    );
  });

  it("refuses a schema of no object, where the model would answer by a tool", () => {
    expect(() => ask({ type: "array" }, "claude-3-5-haiku-latest")).toThrow(
      expect.objectContaining({ reasonName: "UNSUPPORTED_VALUE" }),
    );
    expect(bodyOf(ask({ type: "array" }, "claude-haiku-4-5"))["output_config"]).toEqual({
      format: { type: "json_schema", schema: { type: "array" } },
    });
  });

  it("holds strict schemas, and no others, to OpenAI's rules", () => {
    const open = { type: "object", properties: { a: {} } };
    expect(() => ask(open, "claude-haiku-4-5", { strict: true })).toThrow(
      expect.objectContaining({
        reasonName: "INVALID_VALUE",
        code: "invalid_json_schema",
        details: expect.objectContaining({ param: "response_format" }),
      }),
    );
    expect(bodyOf(ask(open, "claude-haiku-4-5"))["output_config"]).toEqual({
      format: { type: "json_schema", schema: closed({ a: {} }) },
    });
  });

  it("takes a name for the answer's tool that no other tool has", () => {
    const call = plan(
      {
        response_format: { type: "json_schema", json_schema: { name: "answer", schema: MAP } },
        tools: [{ type: "function", function: { name: "answer" } }],
      },
      { model: "claude-haiku-4-5" },
    );
    expect(bodyOf(call)["tools"]).toMatchObject([{ name: "answer" }, { name: "answer_2", input_schema: MAP }]);
  });
});
