import type { JsonValue } from "@bufbuild/protobuf";

/** Text that may hold a number which a double does not: many digits, an exponent, or a negative zero. */
const MAY_LOSE = /[\d.]{16}|\d[eE]|-0/;

/** Most characters whose numbers are kept exactly: to write them again takes ten times as long as doubles do. */
export const MAX_EXACT = 1024 * 1024;
/** What is wrong with more of them. */
export const TOO_LONG_TO_KEEP = "has numbers that a double may change, and is too long to keep them";

/** Whether a text may hold a number that a double would change. */
export const mayLose = (text: string): boolean => MAY_LOSE.test(text);

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
  if (!mayLose(text)) return JSON.parse(text) as JsonValue;
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
