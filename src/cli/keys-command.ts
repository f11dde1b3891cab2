import { type Command, InvalidArgumentError, Option } from "commander";
import { ScopeSchema } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { enumWords } from "../openai-json/words.ts";
import { type CreateKeyFlags, createKey, type KeysFlags, listAllKeys, revokeKey } from "./keys.ts";
import type { Surroundings } from "./surroundings.ts";

/** Adds `parley keys` and its commands. */
export function addKeysCommand(program: Command, surroundings: Surroundings, exit: (status: number) => void): void {
  const keys = program.command("keys").description("make, list and revoke keys, also while the gateway runs");
  const add = (usage: string, description: string): Command =>
    keys.command(usage).description(description).option("--config <file>", "configuration file");

  add("create", "make a key and print its secret, which is shown only then")
    .option("--name <name>", "what people call it")
    .addOption(
      new Option("--scope <scope...>", "what it may be used for (default: chat models)").choices([
        ...enumWords(ScopeSchema).numberOf.keys(),
      ]),
    )
    .option("--model <pattern...>", 'models that it may be used for, "*" for any characters (default: all)')
    .option("--requests-per-minute <number>", "chat completions that may begin within a minute", whole)
    .option("--tokens-per-minute <number>", "tokens of messages and answers", (text) => BigInt(whole(text)))
    .option("--concurrent <number>", "calls at once", whole)
    .option("--concurrent-streams <number>", "streams at once", whole)
    .option("--budget <dollars>", "what may be spent", dollars)
    .addOption(new Option("--budget-per <period>", "for how long that is (default: month)").choices(["day", "month"]))
    .option("--expires <when>", "when it ends: 30d, 12h, or 2027-01-31T12:00:00Z (default: never)", (text) =>
      readTime(text, Date.now()),
    )
    .option("--log-content", "keep prompts and answers of its calls in the log of requests")
    .option("--json", "print JSON")
    .action(async (flags: CreateKeyFlags, command: Command) => {
      if (flags.budgetPer !== undefined && flags.budget === undefined) {
        command.error("error: option '--budget-per <period>' needs --budget");
      }
      exit(await createKey(flags, surroundings));
    });

  add("list", "print all keys, also those of the file and those that are revoked")
    .option("--json", "print JSON")
    .action(async (flags: KeysFlags) => exit(await listAllKeys(flags, surroundings)));

  add("revoke", "end a key for ever")
    .argument("<id>", "its id, as the list has it")
    .action(async (id: string, flags: KeysFlags) => exit(await revokeKey(id, flags, surroundings)));
}

function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function dollars(text: string): number {
  if (!/^\d{1,12}(?:\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("It must be a number, such as 20 or 0.5.");
  return Number(text);
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a time, or a duration from now on, as Unix milliseconds. */
function readTime(text: string, now: number): number {
  const [, count, unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return now + Number(count) * (UNIT_MS[unit] ?? 0);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const time = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError("It must be 30d, 12h, or a time such as 2027-01-31T12:00:00Z.");
  return time;
}
