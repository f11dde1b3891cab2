import { isBase64Text, LONG_TEXT } from "../openai-json/base64-text.ts";

/** Half of a surrogate pair, as JSON.stringify writes it; a backslash that is itself escaped does not begin one. */
const LONE_SURROGATE = /(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** Text that JSON has as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Stands for a long text. */
const HOLE = "a long text";
const HOLE_IN_JSON = JSON.stringify(HOLE);

/**
 * As JSON.stringify, but halves of surrogate pairs become U+FFFD: they come out of escapes within texts of JSON, and providers refuse a
 * body that has one. Long texts without anything to escape are not gone through letter by letter, which takes 60 ms
 * for an image of 20 MB, and not copied.
 */
export function stringifyWellFormed(value: unknown): string {
  const long: string[] = [];
  collectLong(value, long);
  return (long.length === 0 ? undefined : stringifyAround(value, long)) ?? stringify(value);
}

function stringify(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  const text = JSON.stringify(value, replacer);
  return text.includes("\\ud") ? text.replace(LONE_SURROGATE, "\ufffd") : text;
}

/** Collects the long texts that need no escapes, in the order in which they are written. */
function collectLong(value: unknown, long: string[]): void {
  if (typeof value === "string") {
    if (isLong(value)) long.push(value);
  } else if (Array.isArray(value)) {
    for (const element of value) collectLong(element, long);
  } else if (typeof value === "object" && value !== null) {
    for (const key in value) collectLong((value as Readonly<Record<string, unknown>>)[key], long);
  }
}

const isLong = (text: string): boolean => text.length > LONG_TEXT && (isBase64Text(text) || PLAIN.test(text));

/** Writes the rest, with holes for the long texts. Undefined where somebody else's text is the same as that of a hole. */
function stringifyAround(value: unknown, long: readonly string[]): string | undefined {
  let next = 0;
  const around = stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "string" || inner !== long[next]) return inner;
    next += 1;
    return HOLE;
  }).split(HOLE_IN_JSON);
  if (around.length !== long.length + 1) return undefined;
  return around.reduce((text, piece, at) => `${text}"${long[at - 1]}"${piece}`);
}
