import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Settings } from "../../src/config/settings.ts";

/** The settings of a gateway on a free port of the loopback interface, as a file with these keys makes them. */
export async function loadSettings(file: object, env: Readonly<Record<string, string>>): Promise<Settings> {
  const folder = await mkdtemp(join(tmpdir(), "parley-settings-"));
  try {
    // JSON is YAML, too.
    await writeFile(join(folder, "parley.yaml"), JSON.stringify(file));
    return await loadConfig({ env: { PARLEY_LISTEN: "127.0.0.1:0", ...env }, cwd: folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}
