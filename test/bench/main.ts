/**
 * The bench: what calls, chunks and a start cost, beside servers that do the least that can be done. `npm run bench -- --help` tells the
 * options.
 */
import { parseArgs } from "node:util";
import { measureAdmission } from "./admission.ts";
import { readBaseline, writeBaseline } from "./baseline.ts";
import { measureLines, NAMES, SMALL_NAMES } from "./cases.ts";
import { type Effort, FULL, QUICK, SMALL } from "./effort.ts";
import { formatLines } from "./line-table.ts";
import { watchMachine } from "./machine.ts";
import { formatAdmission, formatRouting, formatRuns, formatWorkerShare, formatWorkers } from "./part-tables.ts";
import { measureRouting } from "./routing.ts";
import { measureRuns } from "./runs.ts";
import { openStage } from "./stage.ts";
import { measureWorkerShare } from "./worker-share.ts";
import { measureWorkers } from "./workers.ts";

const HELP = `npm run bench -- [options]
  --small           the form for CI, about a minute
  --quick           every line with two short rounds, for a first look
  --seconds N       seconds of each load
  --rounds N        rounds that are counted
  --case NAME       only the lines whose names begin so, such as "rest", "grpc.unary" or "start"; and, with tables of their own,
                    "routing", the choice among many targets, "admission", the limits, "runs", queued work, and
                    "workers", several processes
  --peer DIR        measures Portkey's gateway, too, that is installed in that folder
  --profile DIR     writes a CPU profile of the gateway after its warm-up there
  --write-baseline  makes the results the baseline
`;

const { values } = parseArgs({
  options: {
    small: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    seconds: { type: "string" },
    rounds: { type: "string" },
    case: { type: "string", default: "" },
    peer: { type: "string" },
    profile: { type: "string" },
    "write-baseline": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** Those with tables of their own, which are measured when they are asked for. */
const PARTS: Readonly<Record<string, (effort: Effort) => Promise<string>>> = {
  routing: async (effort) => formatRouting(await measureRouting(effort)),
  admission: async (effort) => formatAdmission(await measureAdmission(effort)),
  runs: async (effort) => formatRuns(await measureRuns(effort)),
  workers: async (effort) =>
    `${formatWorkers(await measureWorkers(effort))}\n\n${formatWorkerShare(await measureWorkerShare(effort))}`,
};

async function bench(): Promise<void> {
  const form = values.small ? SMALL : values.quick ? QUICK : FULL;
  const effort: Effort = {
    ...form,
    seconds: Number(values.seconds ?? form.seconds),
    rounds: Number(values.rounds ?? form.rounds),
    freshRounds: Math.min(form.freshRounds, Number(values.rounds ?? form.freshRounds)),
    profile: values.profile,
  };
  const isMeant = (name: string): boolean => name.startsWith(values.case);
  const names = (values.small && values.case === "" ? SMALL_NAMES : NAMES).filter(isMeant);
  const parts = values.case === "" ? [] : Object.keys(PARTS).filter(isMeant);
  if (names.length + parts.length === 0) {
    throw new Error(`no case begins with "${values.case}"; there are ${[...NAMES, ...Object.keys(PARTS)].join(", ")}`);
  }
  if (names.length > 0) await benchLines(effort, names);
  for (const part of parts) console.log(await PARTS[part]?.(effort));
}

async function benchLines(effort: Effort, names: readonly string[]): Promise<void> {
  const machine = watchMachine();
  const stage = await openStage(effort, values.peer);
  const lines = await measureLines(stage, names).finally(stage.end);
  const form = values.small ? "small" : "full";
  console.log(formatLines(lines, (await readBaseline())[form]));
  console.log(`\n${machine.describe()}`);
  if (values["write-baseline"]) await writeBaseline(form, lines);
}

if (values.help) console.log(HELP);
else await bench();
