import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./environment.ts";

/** The file that is read when no other is named, and only if it exists. */
const DEFAULT_FILE = "parley.yaml";

/** A configuration file that was read. */
export interface ConfigFile {
  /** As the user named it. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** Where to look for the file. */
export interface FileOptions {
  readonly env: Environment;
  readonly cwd: string;
  readonly path?: string | undefined;
}

/** The absolute path of the file that `readConfigFile` looks for, whether it is there or not. */
export function configPath(options: FileOptions): string {
  return resolve(options.cwd, nameOf(options) ?? DEFAULT_FILE);
}

/** What the user named; undefined: nothing. */
const nameOf = ({ env, path }: FileOptions): string | undefined => path ?? (env["PARLEY_CONFIG"] || undefined);

/**
 * Reads the file that is named by `path` or else by PARLEY_CONFIG; throws a ConfigError when it can't be read. Where neither is
 * given it reads ./parley.yaml, and returns undefined when there is none.
 */
export async function readConfigFile(options: FileOptions): Promise<ConfigFile | undefined> {
  const named = nameOf(options);
  const name = named ?? DEFAULT_FILE;
  if (name === "") throw new ConfigError([{ path: "", message: "the configuration file's name is empty" }]);
  const absolute = configPath(options);
  try {
    return { name, path: absolute, text: await readFile(absolute, "utf8") };
  } catch (error) {
    if (named === undefined && codeOf(error) === "ENOENT") return undefined;
    throw new ConfigError([{ file: name, path: "", message: `can't be read: ${fileFault(error)}` }], name);
  }
}

/** Says in words why a file could not be read. */
export function fileFault(error: unknown): string {
  const code = codeOf(error);
  return WORDS[code] ?? code;
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : String(error);
}
