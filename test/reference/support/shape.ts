/**
 * Reference: the documents that Parley is to satisfy, example by example, verbatim but for host and key.
 *
 * This file compares an answer with a documented one.
 */

/** Keys whose documented value is no placeholder. */
const CONSTANTS: ReadonlySet<string> = new Set(["object", "type"]);

/**
 * Says where an answer differs from the shape of an example: every key of the example is there, with the same JSON type; lists
 * are not empty, and each of their elements is as the first one of the example. `optional` are paths ("choices[].logprobs") that
 * may be missing or null. Keys that the example does not have are free.
 */
export function faultsOf(actual: unknown, example: unknown, optional: readonly string[] = [], path = ""): string[] {
  const type = typeOf(example);
  if (typeOf(actual) !== type) return [`${path || "it"} is ${typeOf(actual)}, not ${type}`];
  if (Array.isArray(example)) {
    const [first] = example as unknown[];
    const elements = actual as unknown[];
    if (first !== undefined && elements.length === 0) return [`${path} is empty`];
    return elements.flatMap((element) => faultsOf(element, first, optional, `${path}[]`));
  }
  if (type !== "object") return [];
  return Object.entries(example as object).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const own: unknown = Reflect.get(actual as object, key);
    if ((own === undefined || own === null) && optional.includes(at)) return [];
    if (own === undefined) return [`${at} is missing`];
    if (CONSTANTS.has(key) && own !== value) return [`${at} is ${JSON.stringify(own)}, not ${JSON.stringify(value)}`];
    return faultsOf(own, value, optional, at);
  });
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
