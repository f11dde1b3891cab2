import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Replica, startReplica } from "../support/replica.ts";
import { type Client, createClient } from "./client.ts";
import { configWith, type StoreConfig } from "./config.ts";
import { holdInquest } from "./inquest.ts";
import { judge } from "./judge.ts";
import { makeKeys } from "./key-actor.ts";
import { killReplicas } from "./killer.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { makeCalls } from "./log-actor.ts";
import { createMoments } from "./moments.ts";
import { queueRuns } from "./run-actor.ts";
import type { World } from "./world.ts";

/** How replicas are killed. */
export interface CrashOptions {
  readonly kills: number;
  /** What all is drawn by. What is killed in which moment depends on the machine, too. */
  readonly seed: string;
  /** Address of an empty PostgreSQL database, which two replicas share; undefined: one process with the built-in database. */
  readonly databaseUrl: string | undefined;
  /** Is told how it goes, from time to time. */
  readonly onProgress?: (words: string) => void;
}

/** What came of it. */
export interface CrashResult {
  /** The promises that were broken; empty where all is well. */
  readonly broken: readonly string[];
  readonly kills: number;
  readonly ledger: Ledger;
  readonly requests: Client["counts"];
  readonly ms: number;
}

/** How many do the same at once. */
const ACTORS = { runs: 8, keys: 2, calls: 2 };

/** Kills replicas while clients work with them, and holds them to all that they have told. */
export async function crash({ kills, seed, databaseUrl, onProgress }: CrashOptions): Promise<CrashResult> {
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "parley-crash-"));
  const store: StoreConfig =
    databaseUrl === undefined ? { data_dir: join(folder, "data") } : { database_url: databaseUrl };
  const names = databaseUrl === undefined ? ["alpha"] : ["alpha", "beta"];
  const ledger = createLedger();
  const replicas: Replica[] = [];
  const load = new AbortController();
  try {
    for (const name of names) {
      const onLine = (line: Readonly<Record<string, unknown>>): void => {
        if (line["level"] === "error") ledger.faults.push(`a fault in the log of ${name}: ${JSON.stringify(line)}`);
      };
      replicas.push(await startReplica({ name, folder, config: configWith(store), onLine }));
    }
    await Promise.all(replicas.map((replica) => replica.ready()));
    const moments = createMoments();
    const client = createClient(replicas, moments);
    const world: World = { seed, replicas, client, ledger, moments, over: load.signal };
    const actor = async (work: Promise<void>): Promise<void> => {
      try {
        await work;
      } catch (thrown) {
        ledger.faults.push(`an actor had to stop: ${String(thrown)}`);
      }
    };
    const actors = [
      ...Array.from({ length: ACTORS.runs }, (_, place) => actor(queueRuns(world, place))),
      ...Array.from({ length: ACTORS.keys }, (_, place) => actor(makeKeys(world, place))),
      ...Array.from({ length: ACTORS.calls }, (_, place) => actor(makeCalls(world, place))),
    ];
    await killReplicas(world, kills, (number) => {
      const { runs, keys, rows, faults } = ledger;
      if (number % 10 !== 0) return;
      const told = `${runs.length} runs, ${keys.length} keys, ${rows.size} rows, ${faults.length} faults`;
      onProgress?.(`${number} kills: ${told}`);
    });
    load.abort();
    await Promise.all(actors);
    onProgress?.("all is left to end");
    const remains = await holdInquest(world);
    const broken = judge(ledger, remains);
    return { broken, kills, ledger, requests: client.counts, ms: performance.now() - startedAt };
  } finally {
    load.abort();
    await Promise.all(replicas.map((replica) => replica.kill()));
    await rm(folder, { recursive: true });
  }
}
