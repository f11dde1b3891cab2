/** A parameter as both engines take it: PostgreSQL knows no U+0000 in texts, and neither knows half of a character. */
export function toWellFormed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  // To look is several times cheaper than to replace, and hardly ever is there anything.
  return value.includes("\0") || !value.isWellFormed() ? value.replaceAll("\0", "\uFFFD").toWellFormed() : value;
}
