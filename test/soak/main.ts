/**
 * The soak: a gateway as users run it, for minutes, with upstreams that fail, clients that go away and a configuration that changes.
 * Ends with status 1 when something is so that should never be. `npm run soak -- --help` tells the options.
 */
import { parseArgs } from "node:util";
import { growthOf } from "./memory.ts";
import { formatResult } from "./report.ts";
import { soak } from "./soak.ts";

const HELP = `npm run soak -- [options]
  --minutes N   how long calls are made (10)
  --seed TEXT   what calls, faults and configurations are drawn by (parley)
  --quiet       only the tables at the end
`;

/** Most broken invariants that are told one by one. */
const MAX_TOLD = 50;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "parley" },
    quiet: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

async function run(): Promise<void> {
  const ms = Number(values.minutes) * 60_000;
  if (!(ms > 0)) throw new Error(`--minutes ${values.minutes} is no time`);
  const result = await soak({
    ms,
    seed: values.seed,
    ...(values.quiet ? {} : { onProgress: (words) => console.error(words) }),
  });
  const growth = growthOf(result.samples);
  const violations = growth === undefined ? result.violations : [...result.violations, growth];
  console.log(`${values.minutes} minutes, seed "${values.seed}", Node ${process.versions.node}\n`);
  console.log(formatResult({ ...result, violations }));
  for (const violation of violations.slice(0, MAX_TOLD)) console.error(violation);
  if (violations.length > 0) process.exitCode = 1;
}

if (values.help) console.log(HELP);
else await run();
