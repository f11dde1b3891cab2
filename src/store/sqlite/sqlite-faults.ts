import { SqliteError } from "./sqlite-client.ts";

/** Numbers of SQLite for a database that can't be used now, whatever is asked of it, and words for who runs it. */
const WORDS: ReadonlyMap<number | undefined, string> = new Map([
  [undefined, "its thread has ended"],
  [3, "this user may not read or write it"],
  [5, "another process has been writing to it for too long"],
  [8, "it is read-only"],
  [10, "reading from or writing to the disk failed"],
  [11, "its file is damaged"],
  [13, "the disk is full"],
  [14, "its file can't be opened"],
  [26, "its file is not a database of SQLite"],
]);

/** Whether an error says that the database can't be used, and nothing of what was asked of it. */
export const isAway = (error: unknown): boolean => error instanceof SqliteError && WORDS.has(error.code);

/** Says why. */
export const wordsOf = (error: SqliteError): string => WORDS.get(error.code) ?? error.message;
