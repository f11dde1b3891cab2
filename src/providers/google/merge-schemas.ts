import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { setKey } from "../../openai-json/encode-value.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { unsupportedValue } from "../parameter-table.ts";

/** Makes one value of two that a keyword has in two schemas which both hold; undefined: there is none that says both. */
type Merge = (before: JsonValue, value: JsonValue) => JsonValue | undefined;

const larger: Merge = (a, b) => (typeof a === "number" && typeof b === "number" ? Math.max(a, b) : undefined);
const smaller: Merge = (a, b) => (typeof a === "number" && typeof b === "number" ? Math.min(a, b) : undefined);
const either: Merge = (a, b) => a === true || b === true;

const union: Merge = (a, b) => (Array.isArray(a) && Array.isArray(b) ? [...new Set([...a, ...b])] : undefined);

const both: Merge = (a, b) => {
  if (a === false || b === false) return false;
  if (a === true) return b;
  return b === true ? a : { allOf: [a, b] };
};

const byName: Merge = (a, b) => {
  if (!isObject(a) || !isObject(b)) return undefined;
  const joined = { ...a };
  for (const [name, schema] of Object.entries(b)) {
    const before = Object.hasOwn(a, name) ? a[name] : undefined;
    const isNew = before === undefined || isSame(before, schema);
    setKey(joined, name, isNew ? schema : { allOf: [before, schema] });
  }
  return joined;
};

const sharedValues: Merge = (a, b) => {
  if (!Array.isArray(a) || !Array.isArray(b)) return undefined;
  const values = new Set(b.map((value) => JSON.stringify(value)));
  const shared = a.filter((value) => values.has(JSON.stringify(value)));
  return shared.length === 0 ? undefined : shared;
};

/** Every integer is a number, too. */
const sharedTypes: Merge = (a, b) => {
  const [left, right] = [[a].flat(), [b].flat()];
  const takes = (types: JsonValue[], type: JsonValue): boolean =>
    types.includes(type) || (type === "integer" && types.includes("number"));
  const shared = new Set([...left.filter((type) => takes(right, type)), ...right.filter((type) => takes(left, type))]);
  if (shared.size === 0) return undefined;
  return shared.size === 1 ? [...shared][0] : [...shared];
};

const never: Merge = () => undefined;

const MERGES: Readonly<Record<string, Merge>> = {
  required: union,
  properties: byName,
  items: both,
  additionalProperties: both,
  enum: sharedValues,
  type: sharedTypes,
  minimum: larger,
  minItems: larger,
  maximum: smaller,
  maxItems: smaller,
  nullable: either,
  anyOf: never,
  oneOf: never,
  prefixItems: never,
  const: never,
  format: never,
};

const isSame = (a: JsonValue, b: JsonValue): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * Adds to a schema what another says that holds, too. Of notes, the first counts; so it does of keywords that Gemini does not take.
 * Throws UNSUPPORTED_VALUE with `path` where the two can't be said in one.
 */
export function mergeInto(merged: JsonObject, schema: JsonObject, path: string): void {
  for (const [key, value] of Object.entries(schema)) {
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    if (before === undefined) {
      setKey(merged, key, value);
      continue;
    }
    const merge = Object.hasOwn(MERGES, key) ? MERGES[key] : undefined;
    if (merge === undefined || isSame(before, value)) continue;
    const one = merge(before, value);
    if (one === undefined) throw unsupportedValue(path, `Gemini has no allOf, and its parts differ in ${key}`);
    merged[key] = one;
  }
}
