import type { JsonValue } from "@bufbuild/protobuf";
import { isObject } from "./is-object.ts";
import type { PathSegment } from "./path.ts";

/** By objects and arrays that were parsed. */
const SOURCES = new WeakMap<object, string>();

/** Keeps the text that the value at a path was parsed from. */
export function keepSource(root: JsonValue, path: readonly PathSegment[], text: string): void {
  let place: JsonValue | undefined = root;
  for (const step of path)
    place = Array.isArray(place) ? place[step as number] : isObject(place) ? place[step] : undefined;
  if (typeof place === "object" && place !== null) SOURCES.set(place, text);
}

/** Whether the text is kept that a value was parsed from: it has numbers that its doubles may not be. */
export const hasSource = (value: object): boolean => SOURCES.has(value);

/**
 * The JSON text of a value: that which it was parsed from where that has numbers which a double may change, such as
 * 12345678901234567890. The value itself has doubles.
 */
export function textOf(value: JsonValue): string {
  const source = typeof value === "object" && value !== null ? SOURCES.get(value) : undefined;
  return source ?? JSON.stringify(value);
}
