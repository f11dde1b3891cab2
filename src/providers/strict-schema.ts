import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { isObject } from "../openai-json/is-object.ts";

/** What OpenAI takes in a strict schema. https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
const MAX_PROPERTIES = 5000;
const MAX_LEVELS = 10;
const MAX_CHARACTERS = 120_000;
const MAX_ENUM_VALUES = 1000;
const REFUSED = [
  "allOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "propertyNames",
] as const;

interface Count {
  properties: number;
  characters: number;
  enumValues: number;
}

/**
 * Holds a strict response format to OpenAI's limits, which every provider of strict answers has in some form. Throws INVALID_VALUE
 * with the code `invalid_json_schema` and the param `response_format`.
 */
export function checkStrictSchema(schema: JsonObject): void {
  if (schema["type"] !== "object" || "anyOf" in schema) refuse("its root must be an object, and no anyOf");
  const count: Count = { properties: 0, characters: 0, enumValues: 0 };
  check(schema, 1, count);
  if (count.properties > MAX_PROPERTIES) refuse(`it has more than ${MAX_PROPERTIES} properties`);
  if (count.characters > MAX_CHARACTERS) refuse(`its names and values have more than ${MAX_CHARACTERS} characters`);
  if (count.enumValues > MAX_ENUM_VALUES) refuse(`its enums have more than ${MAX_ENUM_VALUES} values`);
}

function check(schema: JsonValue | undefined, level: number, count: Count): void {
  if (!isObject(schema)) return;
  if (level > MAX_LEVELS) refuse(`it has more than ${MAX_LEVELS} levels`);
  for (const keyword of REFUSED) if (keyword in schema) refuse(`${keyword} is not supported`);
  const { pattern, items, anyOf, properties } = schema;
  if (typeof pattern === "string" && /\(\?<?[=!]/.test(pattern)) refuse("a pattern must not look around");
  if (Array.isArray(schema["enum"])) {
    count.enumValues += schema["enum"].length;
    for (const value of schema["enum"]) count.characters += lengthOf(value);
  }
  if ("const" in schema) count.characters += lengthOf(schema["const"]);
  if (schema["type"] === "object" || isObject(properties)) checkObject(schema, level, count);
  check(items, level + 1, count);
  if (Array.isArray(anyOf)) for (const each of anyOf) check(each, level, count);
  for (const definitions of [schema["$defs"], schema["definitions"]]) {
    if (!isObject(definitions)) continue;
    for (const [name, each] of Object.entries(definitions)) {
      count.characters += name.length;
      check(each, 1, count);
    }
  }
}

function checkObject(schema: JsonObject, level: number, count: Count): void {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  if (schema["additionalProperties"] !== false) refuse("every object must have additionalProperties: false");
  for (const [name, each] of Object.entries(properties)) {
    if (!required.has(name)) refuse("every property must be required; one that may be absent can be null");
    count.properties++;
    count.characters += name.length;
    check(each, level + 1, count);
  }
}

const lengthOf = (value: JsonValue | undefined): number =>
  typeof value === "string" ? value.length : JSON.stringify(value ?? null).length;

function refuse(problem: string): never {
  throw new GatewayError(Reason.INVALID_VALUE, `response_format: the schema is not valid when strict: ${problem}`, {
    param: "response_format",
    code: "invalid_json_schema",
  });
}
