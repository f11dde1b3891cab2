// Starts the bundle as `npm start` does, with a file and a provider, and ends it: V8 keeps what it compiled for that beside the bundle, and
// the first start after an installation takes no more time than every other one.
// Usage: node .ci/compile.mjs, after .ci/bundle.mjs
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreshBundle, ROOT } from "../src/fresh-bundle.mjs";

/** Has all loaded that it takes to reach providers. Nobody listens there. */
const FILE = "providers: [{ id: nobody, openai_compatible: { base_url: 'http://127.0.0.1:9' } }]\n";

const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
const [, , ...words] = scripts.start.split(" ");
const flags = words.filter((word) => word.startsWith("--"));

/** Runs the gateway until it says where it listens. */
async function startOnce(folder) {
  writeFileSync(join(folder, "parley.yaml"), FILE);
  const gateway = spawn(process.execPath, [...flags, findFreshBundle(), "serve", "--listen", "127.0.0.1:0"], {
    cwd: folder,
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, PARLEY_DATA_DIR: folder },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 30_000,
  });
  const ended = once(gateway, "exit");
  let said = "";
  for await (const data of gateway.stderr) {
    said += data;
    if (said.includes(" listens on ")) gateway.kill("SIGTERM");
  }
  const [status] = await ended;
  // The first start compiles then for itself.
  if (status !== 0) process.stderr.write(`The program was not compiled: it ended with ${status}\n${said}`);
}

const folder = mkdtempSync(join(tmpdir(), "parley-compile-"));
try {
  await startOnce(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
