#!/usr/bin/env node
/**
 * What the package's command `parley` and npm's scripts run, from whatever folder they are called in: main.ts, bundled, for that starts in a
 * third of the time. A bundle that is not of the source as it is now is made anew; where that can't be, main.ts runs as it is.
 */
import { findFreshBundle, ROOT } from "./fresh-bundle.mjs";

// Whoever asks for a reload while the program still loads gets what they want: the configuration is read after that.
process.on("SIGHUP", () => undefined);

const bundle = findFreshBundle() ?? makeBundle();
if (bundle === undefined) {
  const { register } = await import("tsx/esm/api");
  register();
  await import("./main.ts");
} else {
  // What runs is also what a process that starts more of its kind starts.
  process.argv[1] = bundle;
  await import(process.getBuiltinModule("node:url").pathToFileURL(bundle).href);
}

/** The file to run, or undefined: the folder can't be written to, the compiler is not installed, or the source has an error. */
function makeBundle() {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  spawnSync(process.execPath, [`${ROOT}.ci/bundle.mjs`], { stdio: "ignore" });
  return findFreshBundle();
}
