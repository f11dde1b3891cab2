import { constants, enableCompileCache } from "node:module";
import { join } from "node:path";

// Whoever asks for a reload while the program still loads gets what they want: the configuration is read after that.
process.on("SIGHUP", () => undefined);
// V8 keeps what it compiles for the next start: of a bundle beside it, and else, or where that can't be, in the folder for temporary files.
const beside = import.meta.url.endsWith(".mjs") ? enableCompileCache(join(import.meta.dirname, "compiled")) : undefined;
if (beside?.status !== constants.compileCacheStatus.ENABLED) enableCompileCache();
const { runProgram } = await import("./cli/program.ts");

const { argv, env, stdout, stderr } = process;
process.exit(await runProgram(argv.slice(2), { env, cwd: process.cwd(), stdout, stderr }));
