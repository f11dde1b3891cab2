/**
 * Kills gateways (SIGKILL) at random moments while clients queue runs, watch them, make keys and read the log; and holds them to all that
 * they have acknowledged. Ends with status 1 when a promise is broken. `npm run crash -- --help` tells the options.
 */
import { parseArgs } from "node:util";
import { startServer } from "../support/servers.ts";
import { crash } from "./crash.ts";
import { formatResult } from "./report.ts";

const HELP = `npm run crash -- [options]
  --kills N     how often a process is killed (200)
  --store NAME  sqlite: one process with the built-in database; postgres: two replicas on one server, which is started for it (sqlite)
  --seed TEXT   what clients do and when processes are killed is drawn by (parley)
  --quiet       only the tables at the end
`;

/** Most broken promises that are told one by one. */
const MAX_TOLD = 20;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    store: { type: "string", default: "sqlite" },
    seed: { type: "string", default: "parley" },
    quiet: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

async function run(): Promise<void> {
  const { store, seed } = values;
  const kills = Number(values.kills);
  if (!Number.isInteger(kills) || kills < 1) throw new Error(`--kills ${values.kills} is no number of kills`);
  if (store !== "sqlite" && store !== "postgres") throw new Error(`--store ${store} is neither sqlite nor postgres`);
  const server = store === "postgres" ? await startServer("postgres") : undefined;
  if (store === "postgres" && server === undefined) throw new Error("this machine has no PostgreSQL");
  try {
    const result = await crash({
      kills,
      seed,
      databaseUrl: server?.url,
      ...(values.quiet ? {} : { onProgress: (words) => console.error(words) }),
    });
    console.log(`${store}, seed "${seed}", Node ${process.versions.node}\n`);
    console.log(formatResult(result));
    for (const broken of result.broken.slice(0, MAX_TOLD)) console.error(broken);
    if (result.broken.length > 0) process.exitCode = 1;
  } finally {
    await server?.stop();
  }
}

if (values.help) console.log(HELP);
else await run();
