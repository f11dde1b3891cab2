/** A parameter as both engines take it: PostgreSQL knows no U+0000 in texts, and neither knows half of a character. */
export function toWellFormed(value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll("\0", "\uFFFD").toWellFormed() : value;
}
