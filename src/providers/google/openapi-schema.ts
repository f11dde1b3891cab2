import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { setKey } from "../../openai-json/encode-value.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { unsupportedValue } from "../parameter-table.ts";
import { resolveRef } from "./clean-schema.ts";

/** Keywords that mean the same in both. */
const SAME = new Set("format title description minItems maxItems minimum maximum required propertyOrdering".split(" "));

/** Most places of a schema when references are replaced: they can make a small schema a huge one. */
const MAX_PLACES = 10_000;

/**
 * Says a clean JSON Schema in the subset of OpenAPI that older models take (`responseSchema`): references are replaced by what they
 * name. Throws UNSUPPORTED_VALUE with `path` for what the subset can't say: recursion, open maps, enums of other things than texts.
 */
export function toOpenApi(root: JsonObject, path: string): JsonObject {
  const refuse = (what: string): never => {
    throw unsupportedValue(path, `the model takes no schema with ${what}`);
  };

  let places = 0;
  const convert = (schema: JsonValue | undefined, trail: readonly string[]): JsonObject => {
    if (!isObject(schema)) return {};
    if (++places > MAX_PLACES) refuse("references that make it so large");
    const ref = schema["$ref"];
    if (typeof ref === "string") {
      if (trail.includes(ref)) refuse("recursion");
      return convert(resolveRef(root, ref) ?? refuse("a reference to what is not there"), [...trail, ref]);
    }
    const converted: JsonObject = {};
    for (const [key, value] of Object.entries(schema)) {
      if (SAME.has(key)) converted[key] = value;
      else if (key === "type") Object.assign(converted, typeOf(value, refuse));
      else if (key === "enum") Object.assign(converted, enumOf(value, refuse));
      else if (key === "items") converted[key] = convert(value, trail);
      else if (key === "properties") converted[key] = convertMap(value, trail);
      else if ((key === "anyOf" || key === "oneOf") && Array.isArray(value)) {
        const isNull = (each: JsonValue): boolean => isObject(each) && each["type"] === "null";
        converted["anyOf"] = value.filter((each) => !isNull(each)).map((each) => convert(each, trail));
        if (value.some(isNull)) converted["nullable"] = true;
      } else if (key === "additionalProperties" && !saysNothing(value)) refuse("additionalProperties");
      else if (key === "prefixItems") refuse("prefixItems");
    }
    return converted;
  };

  const convertMap = (map: JsonValue, trail: readonly string[]): JsonObject => {
    const converted: JsonObject = {};
    if (isObject(map))
      for (const [name, schema] of Object.entries(map)) setKey(converted, name, convert(schema, trail));
    return converted;
  };

  return convert(root, []);
}

function typeOf(type: JsonValue, refuse: (what: string) => never): JsonObject {
  const types = (Array.isArray(type) ? type : [type]).map(String);
  const some = types.filter((each) => each !== "null");
  if (some.length > 1) refuse("several types at one place");
  return {
    ...(some[0] === undefined ? {} : { type: some[0].toUpperCase() }),
    ...(types.includes("null") ? { nullable: true } : {}),
  };
}

function enumOf(values: JsonValue, refuse: (what: string) => never): JsonObject {
  if (!Array.isArray(values)) return {};
  const texts = values
    .filter((value) => value !== null)
    .map((value) => (typeof value === "string" ? value : refuse("an enum of other things than texts")));
  return { enum: texts, ...(texts.length < values.length ? { nullable: true } : {}) };
}

/** Whether `additionalProperties` is what the subset means anyway: nothing more is asked for, or anything may be. */
const saysNothing = (value: JsonValue): boolean =>
  typeof value === "boolean" || (isObject(value) && Object.keys(value).length === 0);
