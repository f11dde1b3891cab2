import { constants, enableCompileCache } from "node:module";
import { join } from "node:path";

// Whoever asks for a reload while the program still loads gets what they want: the configuration is read after that.
process.on("SIGHUP", () => undefined);
// V8 keeps what it compiles, for the next start: of a bundle beside it, and of the source in the folder for temporary files.
const isBundle = import.meta.url.endsWith(".mjs");
const { status } = enableCompileCache(isBundle ? join(import.meta.dirname, "compiled") : undefined);
// Who may not write there has a place of their own.
if (status === constants.compileCacheStatus.FAILED) enableCompileCache();
const { runProgram } = await import("./cli/program.ts");

const { argv, env, stdout, stderr } = process;
process.exit(await runProgram(argv.slice(2), { env, cwd: process.cwd(), stdout, stderr }));
