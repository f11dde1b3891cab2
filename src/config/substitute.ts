import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { formatPath, type PathSegment } from "../openai-json/path.ts";
import type { Environment } from "./environment.ts";
import type { Report } from "./problems.ts";

// "$${" stands for the two characters "${"; the last alternative is what is neither.
const REFERENCE = /\$\$\{|\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

type Expected = DescMessage | ScalarType | undefined;

/**
 * Puts environment variables in the place of `${NAME}` in every string of a file; keys stay as they are. A string that becomes a
 * number or a boolean where the schema wants one is read as such: `max_connections: "${MAX}"` works. A variable that is not set
 * is reported with the path, and the result is then undefined; the value of a variable is never reported.
 */
export function substitute(
  schema: DescMessage,
  json: JsonValue,
  env: Environment,
  report: Report,
): JsonValue | undefined {
  let sound = true;
  const substituted = walk(json, schema, []);
  return sound ? substituted : undefined;

  function walk(value: JsonValue, expected: Expected, path: readonly PathSegment[]): JsonValue {
    if (typeof value === "string") return replace(value, expected, path);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, expected, [...path, index]));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]): [string, JsonValue] => {
      return [key, walk(item, expectedOf(expected, key), [...path, key])];
    });
    return Object.fromEntries(entries);
  }

  function replace(text: string, expected: Expected, path: readonly PathSegment[]): JsonValue {
    const replaced = text.replaceAll(REFERENCE, (reference, name: string | undefined) => {
      if (reference === "$${") return "${";
      const found = name === undefined ? undefined : env[name];
      if (found !== undefined) return found;
      sound = false;
      report(
        formatPath(path),
        name === undefined
          ? 'has "${" without the name of a variable in braces; "$${" stands for these two characters'
          : `takes the environment variable ${name}, which is not set`,
      );
      return "";
    });
    return replaced === text ? text : asExpected(replaced, expected);
  }
}

/** What the schema wants under a key. Lists expect what their items do; maps are not looked into. */
function expectedOf(parent: Expected, key: string): Expected {
  if (typeof parent !== "object") return undefined;
  const field: DescField | undefined = parent.fields.find(({ name }) => name === key);
  return field?.message ?? field?.scalar;
}

function asExpected(text: string, expected: Expected): JsonValue {
  if (typeof expected !== "number" || expected === ScalarType.STRING || expected === ScalarType.BYTES) return text;
  if (expected === ScalarType.BOOL) return text === "true" ? true : text === "false" ? false : text;
  return NUMBER.test(text) ? Number(text) : text;
}
