import type { JsonValue } from "@bufbuild/protobuf";

/** Text that may hold a number which a double does not: many digits, an exponent, or a negative zero. */
const MAY_LOSE = /[\d.]{16}|\d[eE]|-0/;

interface Source {
  readonly source: string;
}

// TypeScript's library does not know these two of ECMAScript 2026 yet: JSON.parse with source text access, and JSON.rawJSON.
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, source: Source) => unknown,
) => JsonValue;
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * As JSON.parse, but numbers that a double would change (12345678901234567890, 1e400, -0) stay what they are when the value is
 * written by JSON.stringify again: in the value they are objects that only JSON.stringify understands.
 */
export function parseLossless(text: string): JsonValue {
  if (!MAY_LOSE.test(text)) return JSON.parse(text) as JsonValue;
  return parseWithSource(text, (_key, value, { source }) =>
    typeof value === "number" && isChanged(value, source) ? rawJSON(source) : value,
  );
}

function isChanged(value: number, source: string): boolean {
  if (!Number.isFinite(value) || Object.is(value, -0)) return true;
  return significantDigits(source) !== significantDigits(String(value));
}

/** The digits of a number from its first to its last that is not 0: a double that has the same ones is the same number. */
const significantDigits = (number: string): string =>
  number
    .replace(/[eE].*|\D/g, "")
    .replace(/^0+/, "")
    .replace(/(?<!0)0+$/, "");

/** Half of a surrogate pair, as JSON.stringify writes it; a backslash that is itself escaped does not begin one. */
const LONE_SURROGATE = /(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/**
 * As JSON.stringify, but halves of surrogate pairs become U+FFFD: they come out of escapes within texts of JSON, and providers refuse a
 * body that has one.
 */
export function stringifyWellFormed(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes("\\ud") ? text.replace(LONE_SURROGATE, "\ufffd") : text;
}
