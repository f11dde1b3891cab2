/** Reads of JSON that cannot be relied on: what is of another type is not there. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { isObject } from "../../openai-json/is-object.ts";

export const textIn = (object: JsonObject, key: string): string | undefined => {
  const value = object[key];
  return typeof value === "string" ? value : undefined;
};

export const numberIn = (object: JsonObject, key: string): number | undefined => {
  const value = object[key];
  return typeof value === "number" ? value : undefined;
};

export const objectIn = (object: JsonObject, key: string): JsonObject | undefined => {
  const value = object[key];
  return isObject(value) ? value : undefined;
};

/** The elements of a list; none where there is no list. */
export const listIn = (object: JsonObject, key: string): readonly JsonValue[] => {
  const value = object[key];
  return Array.isArray(value) ? value : [];
};

/** The objects of a list. */
export const objectsIn = (object: JsonObject, key: string): readonly JsonObject[] =>
  listIn(object, key).filter(isObject);
