/** What the thread is started with. */
export interface SqliteOptions {
  /** The database; it exists, and may be empty. */
  readonly file: string;
  /** A file to keep locked while the thread runs; undefined: none. */
  readonly lockFile: string | undefined;
}

/** A value of a parameter or column. */
export type SqliteValue = string | number | bigint | null | Uint8Array;

/** What the thread is asked for; it answers in the same order. */
export type SqliteRequest =
  | {
      readonly kind: "query";
      readonly sql: string;
      readonly parameters: readonly SqliteValue[];
      /** Set: the statement is run once for each so many of the parameters, and all changes are counted. */
      readonly width: number | undefined;
    }
  | { readonly kind: "close" };

/** What it answers, first of all to its start. */
export type SqliteReply =
  | { readonly kind: "done"; readonly rows: readonly object[]; readonly changes: number }
  | { readonly kind: "failed"; readonly message: string; readonly code: number | undefined }
  /** Only at the start: another process has the lock. */
  | { readonly kind: "locked" };
