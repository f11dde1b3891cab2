import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** How large a JSON value is. `nodes` counts values of any type, `characters` UTF-16 units in texts and keys. */
export interface JsonSize {
  nodes: number;
  characters: number;
  depth: number;
}

/**
 * Measures a value without recursion, so that any depth is safe. Stops as soon as one of the limits is passed; the
 * result then passes it too, but is not the whole size.
 */
export function measureJson(value: JsonValue, limits: JsonSize): JsonSize {
  const size: JsonSize = { nodes: 0, characters: 0, depth: 0 };
  const waiting: { value: JsonValue; depth: number }[] = [{ value, depth: 1 }];
  for (let entry = waiting.pop(); entry !== undefined && isWithin(size, limits); entry = waiting.pop()) {
    const { value: current, depth } = entry;
    size.nodes++;
    size.depth = Math.max(size.depth, depth);
    if (typeof current === "string") {
      size.characters += current.length;
    } else if (typeof current === "object" && current !== null) {
      for (const [key, member] of Object.entries(current)) {
        size.characters += Array.isArray(current) ? 0 : key.length;
        waiting.push({ value: member, depth: depth + 1 });
      }
    }
  }
  return size;
}

/** Whether a size is within the limits. */
export function isWithin(size: JsonSize, limits: JsonSize): boolean {
  return size.nodes <= limits.nodes && size.characters <= limits.characters && size.depth <= limits.depth;
}

/** Whether two values are equal as JSON Schema has it: keys in any order, 1 equal to 1.0. One of them must be shallow. */
export function equalJson(a: JsonValue, b: JsonValue): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return a === b;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => equalJson(item, b[i]!))
    );
  }
  return equalObjects(a, b);
}

function equalObjects(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key]!, b[key]!))
  );
}

/** A text that is the same for equal values, and only for those. The value must be shallow. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== "object" || value === null) {
    // JSON.stringify writes -0, which equals 0, as "0".
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(canonicalJson).join()}]`;
  }
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`).join()}}`;
}
