/** What runs cost: how many a second one process queues, executes and stores, and how soon the first event of one is there. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../support/servers.ts";
import { startChild } from "./child.ts";
import type { PartEffort } from "./effort.ts";
import { median } from "./median.ts";
import { percentile } from "./percentile.ts";

/** Where runs are kept. */
export type RunStore = "SQLite" | "PostgreSQL";

/** One measurement: so many runs at once, or, where it is 1, one after the other. */
export interface RunsTrial {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly runs: number;
  readonly atOnce: number;
}

/** What came of it. */
export interface RunsOutcome {
  readonly seconds: number;
  /** From the request to the first event, in ms, of each run. */
  readonly firstMs: readonly number[];
}

/** Medians over the rounds. */
export interface RunsFigures {
  readonly store: RunStore;
  readonly runsPerSecond: number;
  /** Of runs that come one after the other, in ms. */
  readonly firstMs: number;
  readonly firstMsOfSlowest: number;
}

/** Runs of a trial, for each second that a load would last. */
const RUNS_A_SECOND = 500;
const AT_ONCE = 64;

/** Measures each store that the machine has. */
export async function measureRuns(effort: PartEffort): Promise<RunsFigures[]> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const server = await startServer("postgres");
  try {
    const figures = [await measureOn("SQLite", { dataDir, databaseUrl: undefined }, effort)];
    if (server !== undefined) figures.push(await measureOn("PostgreSQL", { dataDir, databaseUrl: server.url }, effort));
    return figures;
  } finally {
    await server?.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function measureOn(
  store: RunStore,
  place: Pick<RunsTrial, "dataDir" | "databaseUrl">,
  { seconds, rounds, profile }: PartEffort,
): Promise<RunsFigures> {
  const nodeFlags = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}/runs`];
  const child = await startChild("runs-process.ts", { nodeFlags });
  const runs = Math.ceil(seconds * RUNS_A_SECOND);
  const run = async (atOnce: number): Promise<RunsOutcome> =>
    (await child.ask({ ...place, runs, atOnce } satisfies RunsTrial)) as RunsOutcome;
  const perSecond: number[] = [];
  const first: number[] = [];
  const slowest: number[] = [];
  try {
    for (let round = -1; round < rounds; round++) {
      const loaded = await run(AT_ONCE);
      const single = await run(1);
      if (round < 0) continue;
      perSecond.push(runs / loaded.seconds);
      first.push(median(single.firstMs));
      slowest.push(percentile(single.firstMs, 0.99));
    }
  } finally {
    await child.end();
  }
  return { store, runsPerSecond: median(perSecond), firstMs: median(first), firstMsOfSlowest: median(slowest) };
}
