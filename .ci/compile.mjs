// Starts the bundle as `npm start` does, with a provider and a file, calls it, and ends it: V8 then keeps what it compiled beside the bundle,
// and the first start after an installation takes no longer than every other one.
// Usage: node .ci/compile.mjs, after .ci/bundle.mjs
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreshBundle, ROOT } from "../src/fresh-bundle.mjs";

/** Nobody listens there: what it takes to reach a provider is loaded, and nothing is sent. */
const NOBODY = "http://127.0.0.1:9";

const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
const flags = scripts.start.split(" ").filter((word) => word.startsWith("--"));
const bundle = findFreshBundle();
if (bundle === undefined) throw new Error("there is no bundle to compile");

/** Resolves with the URL in the first line that the gateway writes, or undefined when it has ended before. */
async function readUrl(stderr) {
  let text = "";
  for await (const data of stderr) {
    text += data;
    const url = /listens on (\S+)/.exec(text)?.[1];
    if (url !== undefined) return url;
  }
  return undefined;
}

async function call(url) {
  const body = { model: "auto", messages: [{ role: "user", content: "Hello" }] };
  for (const stream of [false, true]) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...body, stream }),
    });
    await response.text();
  }
}

const folder = mkdtempSync(join(tmpdir(), "parley-compile-"));
try {
  writeFileSync(join(folder, "parley.yaml"), "auto: { models: [sandbox/eliza] }\n");
  const gateway = spawn(process.execPath, [...flags, bundle, "serve", "--listen", "127.0.0.1:0"], {
    cwd: folder,
    env: { ...process.env, OPENAI_API_KEY: "none-needed", OPENAI_BASE_URL: NOBODY, PARLEY_DATA_DIR: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(gateway, "exit");
  const url = await readUrl(gateway.stderr);
  if (url !== undefined) await call(url);
  gateway.kill("SIGTERM");
  await ended;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
