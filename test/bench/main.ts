/**
 * The bench: what calls, chunks and a start cost, in CPU time of the server's process, beside servers that do the least that can
 * be done. `npm run bench -- --help` tells the options.
 */
import { parseArgs } from "node:util";
import { measureAdmission } from "./admission.ts";
import { measureRows } from "./measure.ts";
import { formatAdmission, formatRouting, formatRows, formatRuns, formatStart } from "./report.ts";
import { measureRouting } from "./routing.ts";
import { ROWS } from "./rows.ts";
import { measureRuns } from "./runs.ts";
import { measureStart } from "./start.ts";

const HELP = `npm run bench -- [options]
  --seconds N     seconds of each load (1)
  --rounds N      rounds that are counted (5)
  --quick         0.25 seconds and 2 rounds, for a first look
  --case NAME     only the lines whose names begin so, such as "rest", "grpc.small" or "providers";
                  "routing" is the choice among many targets, "admission" are the limits, "runs" is queued work, "start" is the start
                  and the memory
  --profile DIR   write a CPU profile of each server there
`;

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    case: { type: "string", default: "" },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

async function bench(): Promise<void> {
  const rows = ROWS.filter(({ name }) => name.startsWith(values.case));
  const wantsRouting = "routing".startsWith(values.case);
  const wantsAdmission = "admission".startsWith(values.case);
  const wantsRuns = "runs".startsWith(values.case);
  const wantsStart = "start".startsWith(values.case);
  if (rows.length === 0 && !wantsRouting && !wantsAdmission && !wantsRuns && !wantsStart) {
    const names = [...ROWS.map(({ name }) => name), "routing", "admission", "runs", "start"];
    throw new Error(`no case begins with "${values.case}"; there are ${names.join(", ")}`);
  }
  const effort = {
    seconds: Number(values.seconds ?? (values.quick ? 0.25 : 1)),
    rounds: Number(values.rounds ?? (values.quick ? 2 : 5)),
    profile: values.profile,
  };
  if (rows.length > 0) console.log(formatRows(await measureRows(rows, effort)));
  if (wantsRouting) console.log(`\n${formatRouting(await measureRouting(effort))}`);
  if (wantsAdmission) console.log(`\n${formatAdmission(await measureAdmission(effort))}`);
  if (wantsRuns) console.log(`\n${formatRuns(await measureRuns(effort))}`);
  if (wantsStart) console.log(`\n${formatStart(await measureStart(values.quick ? 1 : 5))}`);
}

if (values.help) console.log(HELP);
else await bench();
