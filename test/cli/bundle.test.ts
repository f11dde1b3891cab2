/** The program as npm's scripts run it: bundled at the installation, and again when it has changed. */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { START_ARGUMENTS } from "../bench/start-command.ts";
import { createFolder } from "../config/folder.ts";
import { type Checkout, copyCheckout } from "../support/checkout.ts";
import { type Parley, runParley, startParley } from "./parley.ts";

const ENV = { PARLEY_LISTEN: "127.0.0.1:0" };

/** A checkout that npm has installed. */
let installed: Checkout;
beforeAll(() => {
  installed = copyCheckout();
  prepare(installed.folder);
  return installed.remove;
});

function prepare(cwd: string): void {
  const { status, stderr } = spawnSync("npm", ["run", "prepare"], {
    cwd,
    env: { PATH: process.env["PATH"] },
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

/** A checkout for one test, as it is before npm installs it. */
function createCheckout(): string {
  const { folder, remove } = copyCheckout();
  onTestFinished(remove);
  return folder;
}

/** The same, with a bundle of it. */
function createBundled(): string {
  const checkout = createCheckout();
  cpSync(join(installed.folder, "dist"), join(checkout, "dist"), { recursive: true });
  return checkout;
}

const bundlesIn = (checkout: string): string[] => readdirSync(join(checkout, "dist")).filter((it) => !/\W/.test(it));

/** The folder of the bundle, where there is one. */
function bundleIn(checkout: string): string {
  const bundles = bundlesIn(checkout);
  expect(bundles).toHaveLength(1);
  return join(checkout, "dist", bundles[0] ?? "");
}

/** The files below a folder, and when each was written. */
function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`).sort();
}

async function serve(
  checkout: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ parley: Parley; url: string }> {
  const parley = startParley(["serve"], { checkout, env: { ...ENV, ...env } });
  const [, url = ""] = await parley.until("stderr", /listens on (\S+)$/m);
  return { parley, url };
}

async function stop({ child, ended }: Parley): Promise<void> {
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
}

async function call(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: "Hello" }] }),
  });
  return response.text();
}

/** Starts with that in its environment, and gives the files that are loaded until it listens: chunks of a bundle, or sources. */
async function loadedBy(checkout: string, env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const list = join(createFolder(), "loaded");
  const hook = pathToFileURL(join(import.meta.dirname, "loaded-files.mjs")).href;
  const { parley } = await serve(checkout, { ...env, LOADED_FILES: list, NODE_OPTIONS: `--import ${hook}` });
  const loaded = readFileSync(list, "utf8").trimEnd().split("\n");
  await stop(parley);
  return loaded.map((url) => fileURLToPath(url));
}

/** The sources that are in a chunk, from the folder of the project on, or from that of the packages. */
function sourcesOf(chunk: string): string[] {
  const { sources } = JSON.parse(readFileSync(`${chunk}.map`, "utf8")) as { readonly sources: readonly string[] };
  return sources.map((path) => resolve(dirname(chunk), path).replace(/^.*?\/(?=src\/|node_modules\/)/, ""));
}

describe("npm run prepare", () => {
  it("leaves nothing to compile for a start", async () => {
    const before = filesIn(bundleIn(installed.folder));
    expect(before.filter((name) => name.startsWith("compiled/")).length).toBeGreaterThan(20);
    const { parley } = await serve(installed.folder);
    await stop(parley);
    expect(filesIn(bundleIn(installed.folder))).toEqual(before);
  });
});

describe("the bundle", () => {
  it("is what npm start runs, and has all that a start loads", async () => {
    expect(START_ARGUMENTS.slice(-2)).toEqual(["src/parley.mjs", "serve"]);
    const loaded = await loadedBy(installed.folder);
    const folder = bundleIn(installed.folder);
    expect(loaded).toContain(join(folder, "main.mjs"));
    expect(loaded.filter((file) => !file.startsWith(folder)).map((file) => file.replace(/^.*\//, ""))).toEqual([
      "parley.mjs",
      "fresh-bundle.mjs",
    ]);
  });

  it("loads late what the program loads late", async () => {
    const chunks = (files: readonly string[]): string[] => files.filter((file) => existsSync(`${file}.map`));
    const sources = chunks(await loadedBy(installed.folder)).flatMap(sourcesOf);
    expect(sources.length).toBeGreaterThan(300);
    expect(sources).toContain("src/compose.ts");
    const late =
      /^src\/(?:compose-upstream|providers\/(?!sandbox\/)[\w-]+\/|store\/(?:sqlite|postgres)\/)|^node_modules\/(?:undici|kysely|pg|redis|@redis|jose|yaml|standardwebhooks|@opentelemetry|@pydantic)\//;
    expect(sources.filter((source) => late.test(source))).toEqual([]);
    const more = chunks(await loadedBy(installed.folder, { OPENAI_API_KEY: "none-needed" })).flatMap(sourcesOf);
    expect(more).toContain("src/compose-upstream.ts");
    expect(more.filter((source) => source.startsWith("node_modules/undici/")).length).toBeGreaterThan(20);
  });

  it("has each package in a form that can be loaded", () => {
    const folder = bundleIn(installed.folder);
    const chunks = readdirSync(folder).filter(
      (name) => name.endsWith(".mjs") && !/^(?:main|sqlite-thread)\./.test(name),
    );
    const script = chunks
      .map((name) => `await import(${JSON.stringify(pathToFileURL(join(folder, name)).href)});`)
      .join("\n");
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("names lines of the source in stacks, where that is asked for", async () => {
    const checkout = createCheckout();
    const file = join(checkout, "src/cli/serve.ts");
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace("const { env, cwd } = surroundings;", 'throw new Error("here");'),
    );
    const { stderr } = await runParley(["serve"], { checkout, env: { NODE_OPTIONS: "--enable-source-maps" } });
    expect(stderr).toMatch(/Error: here\n {4}at serve \(.*src\/cli\/serve\.ts:\d+:\d+\)/);
  });
});

describe("src/parley.mjs", () => {
  const version = async (checkout: string): Promise<string> => {
    const { status, stdout, stderr } = await runParley(["--version"], { checkout });
    expect([status, stderr]).toEqual([0, ""]);
    return stdout.trimEnd();
  };
  const release = (checkout: string, next: string): void =>
    writeFileSync(join(checkout, "package.json"), JSON.stringify({ ...packageJson, version: next }));

  it("bundles what changed, and keeps the bundle of before for who runs it", async () => {
    const checkout = createBundled();
    const data = createFolder();
    const { parley, url } = await serve(checkout, { PARLEY_DATA_DIR: data });
    release(checkout, "9.9.9");
    expect(await version(checkout)).toBe("9.9.9");
    expect(bundlesIn(checkout)).toHaveLength(2);
    // The database and its thread are loaded now.
    expect(await call(url)).toContain("Hello");
    await expect.poll(() => readdirSync(data), { timeout: 30_000 }).toContain("parley.sqlite");
    await stop(parley);
    expect(parley.out.stdout).not.toMatch(/"level":"(?:warn|error)"/);
  });

  it("keeps few bundles of before", async () => {
    const checkout = createBundled();
    for (const minor of [1, 2, 3]) {
      release(checkout, `9.${minor}.0`);
      expect(await version(checkout)).toBe(`9.${minor}.0`);
    }
    expect(bundlesIn(checkout)).toHaveLength(3);
  });

  it("makes one bundle where many want it at once", async () => {
    const checkout = createCheckout();
    expect(await Promise.all([1, 2, 3].map(() => version(checkout)))).toEqual(Array(3).fill(packageJson.version));
    expect(readdirSync(join(checkout, "dist")).sort()).toEqual([...bundlesIn(checkout), "newest.json"].sort());
    bundleIn(checkout);
  });

  it("knows files by what is in them, where their times are others", async () => {
    const checkout = createBundled();
    const made = filesIn(join(checkout, "dist")).filter((name) => !name.includes("compiled"));
    for (const name of readdirSync(join(checkout, "src"), { recursive: true, encoding: "utf8" })) {
      utimesSync(join(checkout, "src", name), 1, 1);
    }
    expect(await version(checkout)).toBe(packageJson.version);
    expect(filesIn(join(checkout, "dist"))).toEqual(expect.arrayContaining(made));
    bundleIn(checkout);
  });

  it("notices a change that leaves the size as it was", async () => {
    const checkout = createBundled();
    const file = join(checkout, "src/cli/program.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace("start the gateway", "START THE GATEWAY"));
    const { stdout } = await runParley(["--help"], { checkout });
    expect(stdout).toContain("START THE GATEWAY");
  });

  it("notices that a file is gone", async () => {
    const checkout = createBundled();
    rmSync(join(checkout, "src/cli/program.ts"));
    const { status, stderr } = await runParley(["--version"], { checkout });
    expect(status).not.toBe(0);
    expect(stderr).toContain("program.ts");
  });

  it("runs the source where there can be no bundle", async () => {
    const checkout = createCheckout();
    writeFileSync(join(checkout, "dist"), "in the way");
    const loaded = await loadedBy(checkout);
    expect(loaded).toContain(join(checkout, "src/compose.ts"));
    expect(await version(checkout)).toBe(packageJson.version);
  });

  it("makes a bundle anew where its manifest can't be read", async () => {
    const checkout = createBundled();
    writeFileSync(join(checkout, "dist/newest.json"), "{");
    expect(await version(checkout)).toBe(packageJson.version);
    expect(JSON.parse(readFileSync(join(checkout, "dist/newest.json"), "utf8"))).toMatchObject({
      files: expect.any(Array),
    });
  });

  it("lets the compiler say what is wrong with the source", async () => {
    const checkout = createBundled();
    appendFileSync(join(checkout, "src/cli/program.ts"), "\nconst const;\n");
    const { status, stderr } = await runParley(["--version"], { checkout });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/program\.ts:\d+:\d+[\s\S]*const/);
  });
});
