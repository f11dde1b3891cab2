/** Where the next page of a list begins: the values of the last row, by which the list is sorted. */
export type Cursor = readonly (string | number)[];

/** Writes a cursor as text that is nobody's business. */
export const encodePageToken = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString("base64url");

/** Reads it back; undefined for text that is no such token with values of these types. */
export function decodePageToken<T extends readonly ("string" | "number")[]>(
  token: string,
  ...types: T
): { -readonly [I in keyof T]: T[I] extends "string" ? string : number } | undefined {
  try {
    const cursor: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (!Array.isArray(cursor) || cursor.length !== types.length) return undefined;
    const isTyped = cursor.every((value, at) => typeof value === types[at]);
    return isTyped ? (cursor as ReturnType<typeof decodePageToken<T>>) : undefined;
  } catch {
    return undefined; // Nothing that was written here.
  }
}
