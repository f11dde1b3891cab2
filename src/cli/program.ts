/**
 * The command line: `parley serve`, `parley check-config` and `parley keys`. It reads arguments, says what went wrong, and leaves the work to
 * the configuration and the composition root.
 */
import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/config-error.ts";
import { VERSION } from "../lib/version.ts";
import { WORKER_COMMAND } from "../workers/command.ts";
import { checkConfig } from "./check-config.ts";
import { addKeysCommand } from "./keys-command.ts";
import { type ServeFlags, serve } from "./serve.ts";
import type { Surroundings } from "./surroundings.ts";

const ENVIRONMENT = `
Environment:
  PARLEY_CONFIG           configuration file; without it ./parley.yaml, if there is one
  PARLEY_LISTEN           as --listen
  PARLEY_LOG_LEVEL        as --log-level
  PARLEY_DATA_DIR         folder of the built-in database (default: ./parley-data)
  DATABASE_URL            a PostgreSQL database in its place
  REDIS_URL               a Redis server, through which replicas share limits
  OPENAI_API_KEY          switches on the provider "openai"
  OPENAI_BASE_URL         where it is, if not at https://api.openai.com/v1
  ANTHROPIC_API_KEY       switches on the provider "anthropic"
  ANTHROPIC_BASE_URL      where it is, if not at https://api.anthropic.com
  GEMINI_API_KEY          switches on the provider "google"
  GOOGLE_API_KEY          the same, and wins over GEMINI_API_KEY
  GOOGLE_GEMINI_BASE_URL  where it is, if not at https://generativelanguage.googleapis.com
  HTTP_PROXY, HTTPS_PROXY, NO_PROXY
                          the way to providers; in lower case, too
  OTEL_EXPORTER_OTLP_ENDPOINT
                          where metrics and traces are sent`;

/** Runs the command of the arguments (without node and script) and returns the exit status: 0, or 1 after words on stderr. */
export async function runProgram(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  let status = 0;
  const program = createProgram(surroundings, (code) => {
    status = code;
  });
  try {
    await program.parseAsync(argv.length === 0 ? ["--help"] : [...argv], { from: "user" });
    return status;
  } catch (error) {
    // Commander has written its own words already.
    if (error instanceof CommanderError) return error.exitCode;
    if (!(error instanceof ConfigError)) throw error;
    surroundings.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function createProgram(surroundings: Surroundings, exit: (status: number) => void): Command {
  const program = new Command("parley")
    .description("One typed contract in front of every language model: gRPC, gRPC-Web, Connect and REST on one port.")
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
    })
    .addHelpText("after", ENVIRONMENT);
  program
    .command("serve")
    .description(
      "start the gateway; SIGTERM and Ctrl-C let open calls finish, a second one does not; " +
        "SIGHUP and a change of the file have it read again",
    )
    .option("--config <file>", "configuration file")
    .option("--listen <host:port>", "where to listen (default: 127.0.0.1:8080)")
    .option("--log-level <level>", "silent, error, warn, info or debug (default: info)")
    .option("--workers <number>", "processes that serve as one; 0: one for each processor (default: 1)")
    .action(async (flags: ServeFlags) => exit(await serve(flags, surroundings)));
  program
    .command("check-config")
    .description("check a configuration file and print the settings that are in force")
    .argument("[file]", "the file (default: as for serve)")
    .action(async (file: string | undefined) => exit(await checkConfig(file, surroundings)));
  addKeysCommand(program, surroundings, exit);
  program
    .command(WORKER_COMMAND, { hidden: true })
    .description("what the processes of serve --workers are started with")
    .action(async () => {
      const { work } = await import("./worker.ts");
      exit(await work(surroundings));
    });
  return program;
}
