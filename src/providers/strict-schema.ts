import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { isObject } from "../openai-json/is-object.ts";

/** Bounds of a schema that is to be kept exactly (OpenAI's, for `strict: true`). */
const MAX_PROPERTIES = 5_000;
const MAX_LEVELS = 10;
const MAX_CHARACTERS = 120_000;
const MAX_ENUM_VALUES = 1_000;

/** Keywords that no answer can be held to. */
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

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const ONE = ["items", "additionalProperties"] as const;
const MANY = ["anyOf", "oneOf", "prefixItems"] as const;
const NAMED = ["properties", "$defs", "definitions"] as const;

/**
 * Checks a schema that is given with `strict: true`, by OpenAI's rules: the same schema is taken or refused whoever answers. Fails with
 * INVALID_VALUE, code `invalid_json_schema`. `param`: what is blamed; `path`: of the schema.
 */
export function checkStrictSchema(schema: JsonObject, param: string, path: string): void {
  const refuse: Refuse = (place, what) => {
    throw new GatewayError(Reason.INVALID_VALUE, `${place} ${what}`, { param, code: "invalid_json_schema" });
  };
  if (schema["anyOf"] !== undefined || schema["type"] !== "object")
    refuse(path, "must be of type object, and no anyOf");
  const totals: Totals = { properties: 0, characters: 0, enumValues: 0 };
  checkNode(schema, path, 0, totals, refuse);
  if (totals.properties > MAX_PROPERTIES)
    refuse(path, `has ${totals.properties} properties; at most ${MAX_PROPERTIES}`);
  if (totals.enumValues > MAX_ENUM_VALUES)
    refuse(path, `has ${totals.enumValues} enum values; at most ${MAX_ENUM_VALUES}`);
  if (totals.characters > MAX_CHARACTERS)
    refuse(path, `has ${totals.characters} characters in names and values; at most ${MAX_CHARACTERS}`);
}

interface Totals {
  properties: number;
  characters: number;
  enumValues: number;
}

type Refuse = (place: string, what: string) => never;

function checkNode(node: JsonValue | undefined, path: string, level: number, totals: Totals, refuse: Refuse): void {
  if (!isObject(node)) return;
  if (level > MAX_LEVELS) refuse(path, `is nested deeper than ${MAX_LEVELS} levels`);
  const keyword = REFUSED.find((key) => node[key] !== undefined);
  if (keyword !== undefined) refuse(`${path}.${keyword}`, "is not allowed in a strict schema");
  if (typeof node["pattern"] === "string" && /\(\?<?[=!]/.test(node["pattern"]))
    refuse(`${path}.pattern`, "has look-around, which is not allowed in a strict schema");
  checkObject(node, path, totals, refuse);
  count(node, totals);
  for (const key of ONE) checkNode(node[key], `${path}.${key}`, level + 1, totals, refuse);
  for (const key of MANY) {
    const list = node[key];
    if (!Array.isArray(list)) continue;
    for (const [index, one] of list.entries()) checkNode(one, `${path}.${key}[${index}]`, level, totals, refuse);
  }
  for (const key of NAMED) {
    const named = node[key];
    if (!isObject(named)) continue;
    // Definitions are no level of what they are used in.
    const inner = key === "properties" ? level + 1 : level;
    for (const [name, one] of Object.entries(named)) checkNode(one, `${path}.${key}.${name}`, inner, totals, refuse);
  }
}

function checkObject(node: JsonObject, path: string, totals: Totals, refuse: Refuse): void {
  const { type, properties, required, additionalProperties } = node;
  const isOfObject = type === "object" || (Array.isArray(type) && type.includes("object")) || properties !== undefined;
  if (!isOfObject) return;
  if (additionalProperties !== false) refuse(`${path}.additionalProperties`, "must be false in a strict schema");
  const names = isObject(properties) ? Object.keys(properties) : [];
  const listed = new Set(Array.isArray(required) ? required : []);
  const missing = names.find((name) => !listed.has(name));
  if (missing !== undefined)
    refuse(`${path}.required`, `must list every property; "${missing.slice(0, 64)}" is missing`);
  totals.properties += names.length;
  for (const name of names) totals.characters += name.length;
}

function count(node: JsonObject, totals: Totals): void {
  const { enum: values, const: constant, $defs } = node;
  if (Array.isArray(values)) {
    totals.enumValues += values.length;
    for (const value of values) totals.characters += typeof value === "string" ? value.length : 0;
  }
  if (typeof constant === "string") totals.characters += constant.length;
  if (isObject($defs)) for (const name of Object.keys($defs)) totals.characters += name.length;
}
