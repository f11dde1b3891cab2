import { runProgram } from "./cli/program.ts";

const { argv, env, stdout, stderr } = process;
process.exit(await runProgram(argv.slice(2), { env, cwd: process.cwd(), stdout, stderr }));
