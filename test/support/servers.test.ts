import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { ROOT } from "./commands.ts";
import type { ServerKind } from "./servers.ts";
import { serverUrl } from "./use-servers.ts";

const isListening = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    }).on("error", () => resolve(false));
  });

const kinds: readonly ServerKind[] = ["postgres", "redis"];
const missing = new Map<ServerKind, boolean>();
for (const kind of kinds) missing.set(kind, (await serverUrl(kind)) === undefined);

describe.each(kinds)("startServer() of %s", (kind) => {
  it.skipIf(missing.get(kind))("leaves nothing behind when the process that asked for it is killed", async () => {
    const script = `
      const { startServer } = await import(${JSON.stringify(join(import.meta.dirname, "servers.ts"))});
      console.log(JSON.stringify(await startServer("${kind}")));
    `;
    const asker = spawn(process.execPath, ["--import", "tsx/esm", "--input-type=module", "--eval", script], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface({ input: asker.stdout }), "line")) as [string];
    const { url, folder } = JSON.parse(line) as { readonly url: string; readonly folder: string };
    expect([await isListening(url), existsSync(folder)]).toEqual([true, true]);
    asker.kill("SIGKILL");
    await expect.poll(() => existsSync(folder), { timeout: 30_000 }).toBe(false);
    expect(await isListening(url)).toBe(false);
  });
});
