// Writes src/gen from proto/: first the imports that are generated themselves, then the code.
import { execFileSync } from "node:child_process";

const run = (command, ...args) => execFileSync(command, args, { stdio: "inherit" });
run("node", ".ci/validate-proto.mjs", "proto");
run("buf", "generate");
