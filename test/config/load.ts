import { ConfigError } from "../../src/config/config-error.ts";
import type { Environment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Settings } from "../../src/config/settings.ts";
import { createFolder } from "./folder.ts";

/** Loads a folder whose parley.yaml has this text. */
export function loadText(text: string, env: Environment = {}): Promise<Settings> {
  return loadConfig({ env, cwd: createFolder({ "parley.yaml": text }) });
}

/** The problems of what must not load, one line each. */
export async function problemsOf(loading: Promise<Settings>): Promise<string[]> {
  const thrown = await loading.then(
    () => new Error("it was loaded"),
    (error: unknown) => error,
  );
  if (!(thrown instanceof ConfigError)) throw thrown;
  return thrown.message.split("\n");
}
