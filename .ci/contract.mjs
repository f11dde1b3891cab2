// Checks the contract in proto/, or accepts what it has become.
// Usage: node .ci/contract.mjs check | accept
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const GENERATED = "src/gen";
/** The contract that clients rely on, as an image of all its files and their imports. */
const BASELINE = "test/contract/baseline.binpb";

const env = { ...process.env, PATH: join(ROOT, "node_modules/.bin") + delimiter + process.env.PATH };
const run = (command, ...args) => execFileSync(command, args, { cwd: ROOT, env, stdio: "inherit" });

/** Relative paths and contents of all files below a folder. */
function readTree(folder) {
  const files = readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
  return new Map(files.map((path) => [relative(folder, path), readFileSync(path, "utf8")]));
}

function checkGenerated() {
  const folder = mkdtempSync(join(tmpdir(), "parley-gen-"));
  try {
    run("buf", "generate", "-o", folder);
    const fresh = readTree(join(folder, GENERATED));
    const present = readTree(join(ROOT, GENERATED));
    const stale = [...new Set([...fresh.keys(), ...present.keys()])].filter(
      (path) => fresh.get(path) !== present.get(path),
    );
    if (stale.length > 0)
      throw new Error(`not what buf generates: ${stale.map((path) => join(GENERATED, path)).join(", ")}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function checkBreaking() {
  if (!existsSync(join(ROOT, BASELINE))) throw new Error(`there is no ${BASELINE}`);
  run("buf", "breaking", "--against", BASELINE);
}

const CHECKS = [
  ["src/gen is what buf generates from proto", checkGenerated, "npm run generate"],
  [
    "proto is formatted",
    () => run("buf", "format", "--diff", "--exit-code", "--exclude-path", "proto/buf"),
    "npx buf format --write --exclude-path proto/buf",
  ],
  ["proto passes the linter", () => run("buf", "lint"), "npx buf lint, and mend what it names"],
  [
    `proto breaks nothing that ${BASELINE} has`,
    checkBreaking,
    "npm run proto:accept, if every client of the old contract may break; else reserve what was removed",
  ],
];

function check() {
  // The imports that are generated themselves come with the packages, so they may be older than these.
  run("node", ".ci/validate-proto.mjs", "proto");
  for (const [claim, verify, remedy] of CHECKS) {
    console.log(`contract: ${claim}`);
    try {
      verify();
    } catch (error) {
      // What a command had to say, it has printed.
      if (error.status === undefined) console.error(error.message);
      console.error(`contract: failed. Run: ${remedy}`);
      process.exitCode = 1;
    }
  }
}

function accept() {
  console.log(`contract: writing ${BASELINE}`);
  run("node", ".ci/validate-proto.mjs", "proto");
  mkdirSync(dirname(join(ROOT, BASELINE)), { recursive: true });
  run("buf", "build", "--exclude-source-info", "-o", BASELINE);
}

const command = { check, accept }[process.argv[2]];
if (command === undefined) {
  console.error("usage: node .ci/contract.mjs check | accept");
  process.exitCode = 1;
} else {
  command();
}
