import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";

/** Formats as another reader of the RFCs would write them: not those of the sampler. */
export const FORMATS = {
  "date-time": /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  date: (text: string) =>
    text.length === 10 && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text),
  time: /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  duration: /^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$/,
  email: /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i,
  hostname: /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i,
  ipv4: /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.|$)){4}$/,
  ipv6: (text: string) => URL.canParse(`http://[${text}]/`),
  uri: (text: string) => URL.canParse(text) && !/\s/.test(text),
  uuid: /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
};

/** The validator that judges ours. */
export const ajv = new Ajv2020({ strict: false, formats: FORMATS });

/** The keywords of a condition; not as a literal, since an object with a member `then` looks like a promise. */
export function conditional(
  ...branches: [condition: JsonValue, consequence: JsonValue, alternative: JsonValue]
): JsonObject {
  const keywords = ["if", "then", "else"];
  return Object.fromEntries(keywords.map((keyword, index) => [keyword, branches[index]!]));
}

const NAMES = ["id", "name", "city", "count", "tags", "x"];
const scalars = fc.oneof(
  fc.constantFrom<JsonObject>({ type: "null" }, { type: "boolean" }, { type: "string", format: "date" }, { const: 4 }),
  fc
    .tuple(fc.integer({ min: -50, max: 50 }), fc.nat(40))
    .map(([minimum, width]): JsonObject => ({ type: "integer", minimum, maximum: minimum + width })),
  fc
    .tuple(fc.nat(20), fc.nat(20))
    .map(([minLength, width]): JsonObject => ({ type: "string", minLength, maxLength: minLength + width })),
  fc
    .constantFrom("^[a-z]{2,5}$", "^\\d+$", "x", "^(a|bc)*d?$")
    .map((pattern): JsonObject => ({ type: "string", pattern })),
  fc.integer({ min: 1, max: 9 }).map((multipleOf): JsonObject => ({ type: "integer", multipleOf })),
  fc.constant<JsonObject>({ enum: ["a", "b", 3, null] }),
);

function objects(members: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> {
  const properties = fc.dictionary(fc.constantFrom(...NAMES), members, { maxKeys: 4 });
  return fc.tuple(properties, fc.subarray(NAMES), fc.boolean()).map(([described, wanted, closed]) => {
    const required = closed ? wanted.filter((name) => Object.hasOwn(described, name)) : wanted;
    return { type: "object", properties: described, required, ...(closed ? { additionalProperties: false } : {}) };
  });
}

function arrays(items: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> {
  return fc.tuple(items, fc.nat(4)).map(([schema, minItems]) => ({ type: "array", items: schema, minItems }));
}

/** Schemas that can always be satisfied. */
export const plainSchemas: fc.Arbitrary<JsonValue> = fc.letrec<{ schema: JsonValue }>((tie) => ({
  schema: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalars, objects(tie("schema")), arrays(tie("schema"))),
})).schema;

/**
 * Schemas of nearly all keywords, which may contradict themselves. Without `patternProperties` and `unevaluated…`, which
 * ajv 8.20 gets wrong beside some branches.
 */
export const anySchemas: fc.Arbitrary<JsonValue> = fc.letrec<{ schema: JsonValue; keyword: JsonObject }>((tie) => {
  const some = fc.array(tie("schema"), { minLength: 1, maxLength: 3 });
  return {
    schema: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      scalars,
      fc.boolean(),
      objects(tie("schema")),
      arrays(tie("schema")),
      fc.array(tie("keyword"), { maxLength: 3 }).map((keywords): JsonObject => Object.assign({}, ...keywords)),
    ),
    keyword: fc.oneof(
      { maxDepth: 5 },
      scalars,
      objects(tie("schema")),
      some.map((allOf): JsonObject => ({ allOf })),
      some.map((anyOf): JsonObject => ({ anyOf })),
      some.map((oneOf): JsonObject => ({ oneOf })),
      tie("schema").map((not): JsonObject => ({ not })),
      fc
        .tuple(tie("schema"), tie("schema"), tie("schema"))
        .map(([condition, consequence, alternative]) => conditional(condition, consequence, alternative)),
      some.map((prefixItems): JsonObject => ({ prefixItems, minItems: 1 })),
      tie("schema").map((contains): JsonObject => ({ contains, uniqueItems: true })),
      tie("schema").map((schema): JsonObject => ({ dependentSchemas: { id: schema } })),
      fc.constant<JsonObject>({ properties: { x: { $ref: "#" } } }),
      fc.constant<JsonObject>({ minProperties: 2, maxProperties: 3 }),
      fc.constant<JsonObject>({ dependentRequired: { id: ["name"] }, propertyNames: { maxLength: 4 } }),
    ),
  };
}).schema;
