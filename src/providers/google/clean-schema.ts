import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { setKey } from "../../openai-json/encode-value.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { unsupportedValue } from "../parameter-table.ts";
import { mergeInto } from "./merge-schemas.ts";

/** Keywords that Gemini takes as they are. https://ai.google.dev/api/generate-content#FIELDS.response_json_schema */
const KEPT = new Set(
  (
    "$id $ref $anchor type format title description enum minItems maxItems minimum maximum required " +
    "propertyOrdering"
  ).split(" "),
);
/** Keywords with a schema, a list of schemas, or a map of them. */
const NESTED = new Set(["items", "additionalProperties"]);
const LISTS = new Set(["anyOf", "oneOf", "prefixItems"]);
const MAPS = new Set(["properties", "$defs", "definitions"]);
/** Keywords that hold nothing to anything, or that are said in another way. */
const NOTES = new Set(
  "$schema $comment default examples example deprecated readOnly writeOnly const allOf nullable strict".split(" "),
);
/** Keywords that hold values to nothing; they can't stand beside a reference, and need not. */
const NO_RULES = new Set(
  (
    "$schema $comment $id $anchor $defs definitions title description default examples example deprecated readOnly " +
    "writeOnly nullable strict propertyOrdering"
  ).split(" "),
);

/** Most references that are replaced by what they name: those that lead to themselves would be without end. */
const MAX_REPLACED = 1000;
/** Most places of a schema when they are replaced: they can make a small schema a huge one. */
const MAX_PLACES = 100_000;

const isDollar = (key: string): boolean => key.startsWith("$") || key === "definitions";

/** A schema as Gemini takes it, and the keywords that had to go. */
export interface CleanSchema {
  readonly schema: JsonObject;
  /** Names of the keywords that were left out and that would have held values to something; sorted. */
  readonly lost: readonly string[];
}

/**
 * Makes a JSON Schema one that Gemini takes; the given one is not changed. `const` becomes `enum`, parts of `allOf` and what stands
 * beside a reference become one, `nullable` a type. Throws UNSUPPORTED_VALUE with `path` for what can't be said in another way.
 */
export function cleanSchema(schema: JsonObject, path: string): CleanSchema {
  const walk: Walk = { root: schema, path, lost: new Set(), replaced: 0, places: 0 };
  return { schema: clean(schema, walk), lost: [...walk.lost].sort() };
}

interface Walk {
  readonly root: JsonObject;
  readonly path: string;
  readonly lost: Set<string>;
  /** How many references were replaced by what they name. */
  replaced: number;
  /** How many schemas there were so far, each in its place. */
  places: number;
}

function clean(schema: JsonValue | undefined, walk: Walk): JsonObject {
  if (schema === true) return {};
  if (!isObject(schema)) throw unsupportedValue(walk.path, "Gemini takes no schema that nothing satisfies");
  if (++walk.places > MAX_PLACES && walk.replaced > 0)
    throw unsupportedValue(walk.path, "its references, and what stands beside them, make it too large for Gemini");
  const whole = flatten(schema, walk);
  const isRef = typeof whole["$ref"] === "string";
  const cleaned: JsonObject = {};
  for (const [key, value] of Object.entries(whole))
    if (!isRef || isDollar(key)) cleanKeyword(cleaned, key, value, walk);
  if (!isRef && "const" in whole) cleaned["enum"] = [whole["const"] as JsonValue];
  return whole["nullable"] === true ? orNull(cleaned) : cleaned;
}

/** A schema that also takes null. */
function orNull(schema: JsonObject): JsonObject {
  const { type, enum: values, anyOf } = schema;
  if (typeof type === "string" || Array.isArray(type)) {
    const types = [type].flat();
    return {
      ...schema,
      type: types.includes("null") ? types : [...types, "null"],
      ...(Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {}),
    };
  }
  if (Array.isArray(values)) return { ...schema, enum: values.includes(null) ? values : [...values, null] };
  if (Array.isArray(anyOf)) return { ...schema, anyOf: [...anyOf, { type: "null" }] };
  const { $defs, $ref, ...rest } = schema;
  if ($ref === undefined) return schema; // It says nothing of its values, and so takes null, too.
  return { ...($defs === undefined ? {} : { $defs }), anyOf: [{ ...rest, $ref }, { type: "null" }] };
}

function cleanKeyword(cleaned: JsonObject, key: string, value: JsonValue, walk: Walk): void {
  if (key === "$ref" && typeof value === "string") cleaned[key] = value.replace(/^#\/definitions\//, "#/$defs/");
  else if (KEPT.has(key)) cleaned[key] = value;
  else if (MAPS.has(key)) cleaned[key === "definitions" ? "$defs" : key] = cleanMap(value, walk);
  // Before 2020, a list of items was what is prefixItems now.
  else if (key === "items" && Array.isArray(value)) cleaned["prefixItems"] = value.map((each) => clean(each, walk));
  else if (NESTED.has(key)) cleaned[key] = key !== "items" && typeof value === "boolean" ? value : clean(value, walk);
  else if (LISTS.has(key) && Array.isArray(value)) cleaned[key] = value.map((each) => clean(each, walk));
  else if (!NOTES.has(key)) walk.lost.add(key);
}

function cleanMap(map: JsonValue, walk: Walk): JsonObject {
  const cleaned: JsonObject = {};
  if (isObject(map)) for (const [name, schema] of Object.entries(map)) setKey(cleaned, name, clean(schema, walk));
  return cleaned;
}

/**
 * Makes one schema of a schema and its `allOf`. A reference stays one where nothing else holds; beside anything, it is replaced by
 * what it names.
 */
function flatten(schema: JsonObject, walk: Walk): JsonObject {
  if (!("allOf" in schema) && !("$ref" in schema)) return schema;
  const parts = partsOf(schema);
  const whole = parts.filter(isRule).length > 1 ? parts.flatMap((part) => resolve(part, walk)) : parts;
  const merged: JsonObject = {};
  for (const part of whole) {
    if (part === true) continue;
    if (!isObject(part)) throw unsupportedValue(walk.path, "Gemini takes no schema that nothing satisfies");
    mergeInto(merged, part, walk.path);
  }
  return merged;
}

/** All schemas that a schema says to hold: what stands in itself, its reference, and the parts of `allOf`. */
function partsOf(schema: JsonValue): JsonValue[] {
  if (!isObject(schema)) return [schema];
  const { allOf, $ref: ref, ...rest } = schema;
  return [
    ...(Object.keys(rest).length === 0 ? [] : [rest]),
    ...(typeof ref === "string" ? [{ $ref: ref }] : []),
    ...(Array.isArray(allOf) ? allOf.flatMap(partsOf) : []),
  ];
}

/** Whether a schema holds values to anything. */
const isRule = (schema: JsonValue): boolean =>
  schema !== true && !(isObject(schema) && Object.keys(schema).every((key) => NO_RULES.has(key)));

/** What a reference names, in parts. */
function resolve(part: JsonValue, walk: Walk): JsonValue[] {
  const ref = isObject(part) ? part["$ref"] : undefined;
  if (typeof ref !== "string") return [part];
  if (++walk.replaced > MAX_REPLACED)
    throw unsupportedValue(walk.path, "Gemini takes nothing beside a reference that leads to itself");
  const target = resolveRef(walk.root, ref);
  if (target === undefined) throw unsupportedValue(walk.path, "Gemini takes nothing beside a reference from elsewhere");
  return partsOf(target).flatMap((inner) => resolve(inner, walk));
}

/** The root of a tool's parameters: an object, whatever it says of its type, and no reference. */
export function asObjectSchema(schema: JsonObject): JsonObject {
  const seen = new Set<string>();
  let root = schema;
  while (typeof root["$ref"] === "string" && !seen.has(root["$ref"])) {
    seen.add(root["$ref"]);
    const { $ref, ...rest } = root;
    const target = resolveRef(schema, $ref as string);
    if (target === undefined) return root;
    root = { ...rest, ...target };
  }
  return root["type"] === "object" ? root : { ...root, type: "object" };
}

/** The schema that a local reference ("#/$defs/Name") names; undefined where there is none. */
export function resolveRef(root: JsonObject, ref: string): JsonObject | undefined {
  if (ref === "#") return undefined;
  let found: JsonValue | undefined = root;
  for (const step of ref.replace(/^#\//, "").split("/")) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return isObject(found) ? found : undefined;
}
