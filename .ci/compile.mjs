// Loads all of the program, so that tsx compiles it and keeps that in its folder for temporary files: the first start after an
// installation then takes no more time and memory than every other one.
// Usage: node --import tsx .ci/compile.mjs
process.argv.push("--version"); // What main.ts is to do.
// tsx writes in the background, and an exit would cut that off.
process.exit = (status) => {
  process.exitCode = status;
};
await Promise.all(["serve.ts", "check-config.ts"].map((file) => import(`../src/cli/${file}`)));
await import("../src/compose.ts");
await import("../src/main.ts");
