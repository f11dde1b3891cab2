import { loadConfig } from "../config/load-config.ts";
import { autoOf } from "../providers/default-model.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * Checks a configuration file and prints the settings in force, themselves in the form of such a file. Throws a ConfigError when
 * it is not valid.
 */
export async function checkConfig(path: string | undefined, { env, cwd, stdout }: Surroundings): Promise<number> {
  const settings = await loadConfig({ env, cwd, path });
  const { composeUpstream } = await import("../compose.ts");
  const { composeCatalogue } = await import("../compose-generation.ts");
  const { formatSettings } = await import("../config/format-settings.ts");
  const upstream = await composeUpstream(settings);
  try {
    composeCatalogue(settings, upstream?.prepare(settings));
  } finally {
    await upstream?.close();
  }
  const verdict = settings.file === undefined ? "There is no configuration file" : `${path ?? settings.file} is valid`;
  const inForce = { ...settings, auto: autoOf(settings) };
  stdout.write(`# ${verdict}. In force are:\n${formatSettings(inForce)}`);
  return 0;
}
