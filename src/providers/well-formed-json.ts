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
