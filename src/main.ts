import { enableCompileCache } from "node:module";

// Whoever asks for a reload while the program still loads gets what they want: the configuration is read after that.
process.on("SIGHUP", () => undefined);
// V8 keeps what it compiles in the folder for temporary files, for the next start.
enableCompileCache();
const { runProgram } = await import("./cli/program.ts");

const { argv, env, stdout, stderr } = process;
process.exit(await runProgram(argv.slice(2), { env, cwd: process.cwd(), stdout, stderr }));
