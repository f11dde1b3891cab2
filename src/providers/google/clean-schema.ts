import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { setKey } from "../../openai-json/encode-value.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { unsupportedValue } from "../parameter-table.ts";

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
/** Keywords that hold nothing to anything. */
const NOTES = new Set(
  "$schema $comment default examples example deprecated readOnly writeOnly const allOf nullable strict".split(" "),
);

/** Keywords that say what a schema's values are; only `$ref` may not stand beside them. */
const isDollar = (key: string): boolean => key.startsWith("$") || key === "definitions";

/** A schema as Gemini takes it, and the keywords that had to go. */
export interface CleanSchema {
  readonly schema: JsonObject;
  /** Names of the keywords that were left out and that would have held values to something; sorted. */
  readonly lost: readonly string[];
}

/**
 * Makes a JSON Schema one that Gemini takes; the given one is not changed. `const` becomes `enum`, parts of `allOf` become one,
 * `nullable` a type. Throws UNSUPPORTED_VALUE with `path` for what can't be said in another way.
 */
export function cleanSchema(schema: JsonObject, path: string): CleanSchema {
  const walk: Walk = { path, lost: new Set() };
  return { schema: clean(schema, walk), lost: [...walk.lost].sort() };
}

interface Walk {
  readonly path: string;
  readonly lost: Set<string>;
}

function clean(schema: JsonValue | undefined, walk: Walk): JsonObject {
  if (schema === true) return {};
  if (!isObject(schema)) throw unsupportedValue(walk.path, "Gemini takes no schema that nothing satisfies");
  const whole = Array.isArray(schema["allOf"]) ? mergeAll(schema, schema["allOf"], walk) : schema;
  const isRef = typeof whole["$ref"] === "string";
  const cleaned: JsonObject = {};
  for (const [key, value] of Object.entries(whole)) {
    if (isRef && !isDollar(key)) continue;
    cleanKeyword(cleaned, key, value, walk);
  }
  if (!isRef && "const" in whole) cleaned["enum"] = [whole["const"] as JsonValue];
  if (whole["nullable"] === true && typeof cleaned["type"] === "string") cleaned["type"] = [cleaned["type"], "null"];
  return cleaned;
}

function cleanKeyword(cleaned: JsonObject, key: string, value: JsonValue, walk: Walk): void {
  if (key === "$ref" && typeof value === "string") cleaned[key] = value.replace(/^#\/definitions\//, "#/$defs/");
  else if (KEPT.has(key)) cleaned[key] = value;
  else if (MAPS.has(key)) cleaned[key === "definitions" ? "$defs" : key] = cleanMap(value, walk);
  else if (NESTED.has(key)) cleaned[key] = key !== "items" && typeof value === "boolean" ? value : clean(value, walk);
  else if (LISTS.has(key) && Array.isArray(value)) cleaned[key] = value.map((each) => clean(each, walk));
  else if (!NOTES.has(key)) walk.lost.add(key);
}

function cleanMap(map: JsonValue, walk: Walk): JsonObject {
  const cleaned: JsonObject = {};
  if (isObject(map)) for (const [name, schema] of Object.entries(map)) setKey(cleaned, name, clean(schema, walk));
  return cleaned;
}

/** Makes one schema of `allOf` and what stands beside it. Properties and what is required are joined. */
function mergeAll({ allOf: _all, ...beside }: JsonObject, parts: readonly JsonValue[], walk: Walk): JsonObject {
  const merged: JsonObject = { ...beside };
  for (const part of parts) {
    if (!isObject(part)) throw unsupportedValue(walk.path, "a part of allOf must be an object for Gemini");
    const { allOf: inner } = part;
    for (const [key, value] of Object.entries(Array.isArray(inner) ? mergeAll(part, inner, walk) : part))
      setKey(merged, key, key in merged ? merge(key, merged[key] as JsonValue, value, walk) : value);
  }
  return merged;
}

function merge(key: string, before: JsonValue, value: JsonValue, walk: Walk): JsonValue {
  if (key === "required" && Array.isArray(before) && Array.isArray(value)) return [...new Set([...before, ...value])];
  if (MAPS.has(key) && isObject(before) && isObject(value)) {
    const joined = { ...before };
    for (const [name, schema] of Object.entries(value)) setKey(joined, name, schema);
    return joined;
  }
  if (key === "description" || key === "title") return before;
  if (JSON.stringify(before) === JSON.stringify(value)) return before;
  throw unsupportedValue(walk.path, `Gemini has no allOf, and its parts differ in ${key}`);
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
