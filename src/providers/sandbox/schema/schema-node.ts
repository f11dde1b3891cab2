import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { SchemaRefusal } from "./schema-refusal.ts";

/** A JSON Schema, or a part of one, and where it stands in the whole, as a JSON Pointer fragment (`#/properties/city`). */
export interface SchemaNode {
  readonly schema: JsonValue;
  readonly pointer: string;
}

/** A schema that is an object of keywords, not `true` or `false`. */
export interface KeywordNode extends SchemaNode {
  readonly schema: JsonObject;
}

/** The types of JSON Schema. */
export type SchemaType = "string" | "number" | "integer" | "boolean" | "null" | "object" | "array";

/** The most schemas in a list such as `anyOf`, and in a map such as `properties`. */
const MAX_LISTED = 10_000;
const MAX_NAMED = 100_000;
const TYPES: ReadonlySet<JsonValue> = new Set(["string", "number", "integer", "boolean", "null", "object", "array"]);

/** The keyword object of a node. Refuses what is neither an object nor a boolean; booleans must have been handled. */
export function toKeywordNode(node: SchemaNode): KeywordNode {
  const { schema, pointer } = node;
  if (!isObject(schema)) {
    throw new SchemaRefusal(pointer, `a schema must be an object or a boolean, not ${describe(schema)}`);
  }
  return { schema, pointer };
}

/** Whether a JSON value is an object. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the schema has a keyword of its own. */
export function has(node: KeywordNode, keyword: string): boolean {
  return Object.hasOwn(node.schema, keyword);
}

/** The pointer of something below a pointer. */
export function below(pointer: string, ...keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => `${path}/${encodeKey(String(key))}`, pointer);
}

function encodeKey(key: string): string {
  // Most keys are plain, and this is called for every one that is looked at.
  const plain = /^[\w$.-]*$/.test(key);
  return plain ? key : encodeURIComponent(key.toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1"));
}

/** A finite number, undefined when the keyword is not there. */
export function readNumber(node: KeywordNode, keyword: string): number | undefined {
  const value = read(node, keyword);
  if (value !== undefined && (typeof value !== "number" || !Number.isFinite(value))) {
    throw malformed(node, keyword, "a number", value);
  }
  return value;
}

/** A whole number from 0, undefined when the keyword is not there. */
export function readCount(node: KeywordNode, keyword: string): number | undefined {
  const value = readNumber(node, keyword);
  if (value !== undefined && (value < 0 || !Number.isInteger(value))) {
    throw malformed(node, keyword, "a whole number from 0", value);
  }
  return value;
}

/** A text, undefined when the keyword is not there. */
export function readText(node: KeywordNode, keyword: string): string | undefined {
  const value = read(node, keyword);
  if (value !== undefined && typeof value !== "string") {
    throw malformed(node, keyword, "a string", value);
  }
  return value;
}

/** Any values in a list, undefined when the keyword is not there. */
export function readList(node: KeywordNode, keyword: string): readonly JsonValue[] | undefined {
  const value = read(node, keyword);
  if (value !== undefined && !Array.isArray(value)) {
    throw malformed(node, keyword, "an array", value);
  }
  return value;
}

/** Texts in a list, such as `required`; empty when the keyword is not there. */
export function readTexts(node: KeywordNode, keyword: string): readonly string[] {
  const values = readList(node, keyword) ?? [];
  return values.map((value, index) => {
    if (typeof value !== "string") {
      throw new SchemaRefusal(below(node.pointer, keyword, index), `must be a string, not ${describe(value)}`);
    }
    return value;
  });
}

/** The allowed types, undefined when `type` is not there. */
export function readTypes(node: KeywordNode): readonly SchemaType[] | undefined {
  const value = read(node, "type");
  if (value === undefined) {
    return undefined;
  }
  const types = Array.isArray(value) ? value : [value];
  if (types.length === 0 || !types.every(isType)) {
    throw malformed(node, "type", "one of JSON Schema's types, or a list of them", value);
  }
  return types;
}

/** One schema below a keyword, undefined when the keyword is not there. */
export function readSchema(node: KeywordNode, keyword: string): SchemaNode | undefined {
  const schema = read(node, keyword);
  return schema === undefined ? undefined : { schema, pointer: below(node.pointer, keyword) };
}

/** The schemas in a list, such as those of `anyOf`; empty when the keyword is not there. Refuses more than 10,000. */
export function readSchemas(node: KeywordNode, keyword: string): readonly SchemaNode[] {
  const schemas = readList(node, keyword) ?? [];
  checkLength(node, keyword, schemas.length, MAX_LISTED);
  return schemas.map((schema, index) => ({ schema, pointer: below(node.pointer, keyword, index) }));
}

/** The schemas of a map such as `properties`, in its order; empty without the keyword. Refuses more than 100,000. */
export function readSchemaMap(node: KeywordNode, keyword: string): ReadonlyMap<string, SchemaNode> {
  const value = read(node, keyword) ?? {};
  if (!isObject(value)) {
    throw malformed(node, keyword, "an object", value);
  }
  const pointer = below(node.pointer, keyword);
  const entries = Object.entries(value);
  checkLength(node, keyword, entries.length, MAX_NAMED);
  return new Map(entries.map(([key, schema]) => [key, { schema, pointer: below(pointer, key) }]));
}

/** The schema that `$ref` names, which must be inside `root`; undefined when there is no `$ref`. */
export function readReference(root: SchemaNode, node: KeywordNode): SchemaNode | undefined {
  const dynamic = ["$dynamicRef", "$recursiveRef"].find((keyword) => has(node, keyword));
  if (dynamic !== undefined) {
    throw new SchemaRefusal(below(node.pointer, dynamic), "is not supported; $ref is");
  }
  const reference = readText(node, "$ref");
  if (reference === undefined) {
    return undefined;
  }
  const place = below(node.pointer, "$ref");
  const shown = JSON.stringify(reference.slice(0, 100));
  if (reference !== "#" && !reference.startsWith("#/")) {
    throw new SchemaRefusal(place, `${shown} must point into this schema (start with "#/")`);
  }
  let target = root;
  for (const key of decodePointer(reference, place)) {
    const schema = step(target.schema, key);
    if (schema === undefined) {
      throw new SchemaRefusal(place, `${shown} points to nothing`);
    }
    target = { schema, pointer: below(target.pointer, key) };
  }
  return target;
}

function decodePointer(reference: string, place: string): string[] {
  try {
    const keys = decodeURIComponent(reference).split("/").slice(1);
    return keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  } catch {
    // decodeURIComponent throws at a percent sign without two digits.
    throw new SchemaRefusal(place, "must be a JSON Pointer in a URI fragment");
  }
}

function step(value: JsonValue, key: string): JsonValue | undefined {
  if (Array.isArray(value)) {
    return /^\d{1,9}$/.test(key) ? value[Number(key)] : undefined;
  }
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function read(node: KeywordNode, keyword: string): JsonValue | undefined {
  return Object.hasOwn(node.schema, keyword) ? node.schema[keyword] : undefined;
}

function isType(value: JsonValue): value is SchemaType {
  return TYPES.has(value);
}

function checkLength(node: KeywordNode, keyword: string, length: number, max: number): void {
  if (length > max) {
    throw new SchemaRefusal(below(node.pointer, keyword), `${length} schemas must be <= ${max}`);
  }
}

function malformed(node: KeywordNode, keyword: string, expected: string, value: JsonValue): SchemaRefusal {
  return new SchemaRefusal(below(node.pointer, keyword), `must be ${expected}, not ${describe(value)}`);
}

function describe(value: JsonValue): string {
  if (typeof value === "object") {
    return value === null ? "null" : Array.isArray(value) ? "an array" : "an object";
  }
  return typeof value === "string" ? JSON.stringify(value.slice(0, 50)) : String(value);
}
