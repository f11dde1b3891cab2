/** Freezes a value with all that is in it, and returns it. */
export function deepFreeze<T extends object>(value: T): T {
  // Engines refuse to freeze what looks into a buffer.
  if (ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
