/** What npm does after an installation, so that the first start need not compile. */
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFolder } from "../config/folder.ts";
import { startParley } from "./parley.ts";

/** The files below a folder, and when each was written. */
function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`).sort();
}

describe(".ci/compile.mjs", () => {
  it("leaves nothing to compile for a start", async () => {
    const folder = createFolder({});
    const env = { PATH: process.env["PATH"], TMPDIR: folder };
    expect(spawnSync("npm", ["run", "prepare"], { env }).status).toBe(0);
    const compiled = filesIn(folder);
    expect(compiled.length).toBeGreaterThan(100);
    const parley = startParley(["serve"], {
      // Where it was compiled, for the settings of the compiler are found from there.
      cwd: process.cwd(),
      env: { PARLEY_LISTEN: "127.0.0.1:0", PARLEY_DATA_DIR: createFolder(), TMPDIR: folder },
    });
    await parley.until("stderr", /listens on/);
    parley.child.kill("SIGTERM");
    expect(await parley.ended).toBe(0);
    expect(filesIn(folder)).toEqual(compiled);
  });
});
