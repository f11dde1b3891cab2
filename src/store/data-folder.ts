import { chmodSync, closeSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DATABASE_FILE } from "../config/choose-store.ts";
import { StoreError } from "./store-error.ts";

const LOCK = "LOCK";

/** The file of the built-in database in its folder. */
export const databaseFile = (folder: string): string => join(folder, DATABASE_FILE);

/** The file that a process that serves keeps locked. */
export const lockFile = (folder: string): string => join(folder, LOCK);

/**
 * Makes the folder of the built-in database, and the empty files in it, for nobody but their owner. A folder that was there is taken from
 * others too, unless it holds other things. Throws a StoreError.
 */
export function prepareDataFolder(folder: string): void {
  try {
    const isNew = mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
    if (isNew || readdirSync(folder).every(isOurs)) restrict(folder, 0o700);
    for (const file of [databaseFile(folder), lockFile(folder)]) {
      create(file);
      restrict(file, 0o600);
    }
  } catch (error) {
    throw new StoreError(`the folder ${folder} can't be used: ${wordsOf(error)}; ${REMEDY}`, { cause: error });
  }
}

/** What helps in any case. */
export const REMEDY = "another one can be named by PARLEY_DATA_DIR";

// SQLite's own files have its name and an ending: "-wal", "-shm", "-journal".
const isOurs = (name: string): boolean => name === LOCK || name.startsWith(DATABASE_FILE);

function create(file: string): void {
  try {
    // Only a file that is new is opened: closing it would take the locks from a store that this process has open.
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  }
}

function restrict(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    // It is another user's, who lets us use it, such as the volume of a container.
    if (!isCode(error, "EPERM")) throw error;
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "it is on a file system that is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "this user's share of the disk is full",
  ENOTDIR: "a part of its path is a file",
  EEXIST: "it is a file",
};

function wordsOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return WORDS[code] ?? (code === "" ? "it can't be opened" : code);
}
