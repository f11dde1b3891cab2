import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { START_ARGUMENTS } from "../start-command.ts";
import { configOf } from "./gateway-config.ts";
import { freePort, type Server, startProgram } from "./program.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PROBE = new URL("gateway-probe.ts", import.meta.url).href;

/** Starts the gateway as `npm start` does, in front of the upstream at that port. With a probe it answers questions, too. */
export async function startGateway(upstreamPort: number, { isProbed = false } = {}): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const file = join(folder, "parley.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(configOf(upstreamPort)));
  const port = await freePort();
  const server = await startProgram({
    name: "the gateway",
    args: [...(isProbed ? ["--import", PROBE] : []), ...START_ARGUMENTS],
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"],
      PARLEY_CONFIG: file,
      PARLEY_DATA_DIR: join(folder, "data"),
      PARLEY_LISTEN: `127.0.0.1:${port}`,
    },
    port,
    isProbed,
  });
  return {
    ...server,
    async end() {
      await server.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
