import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "../../src/providers/sandbox/random.ts";
import type { ConfigKey } from "../support/config-key.ts";
import { ADMIN, OWNERS } from "./config.ts";
import type { Remains } from "./judge.ts";
import { isFinal } from "./judge-runs.ts";
import { useKey } from "./key-actor.ts";
import type { RunJson, WantedRun } from "./ledger.ts";
import { readAll } from "./log-actor.ts";
import { watchRun } from "./watcher.ts";
import { askForRun, forEach, type World } from "./world.ts";

/** Time for all runs to end when nobody is killed any more. */
const END_MS = 120_000;
const AT_ONCE = 8;

/** Looks, when nobody is killed any more and all is left to end, at all that there should be. */
export async function holdInquest(world: World): Promise<Remains> {
  const { replicas, ledger } = world;
  const random = createRandom(`${world.seed} inquest`);
  await Promise.all(replicas.map((replica) => replica.ready()));
  const until = performance.now() + END_MS;
  await forEach(ledger.runs, AT_ONCE, (run) => look(world, run, until));
  await sleep(1_000);
  await forEach(ledger.keys, AT_ONCE, async (key) => {
    for (const replica of replicas) await useKey(world, random, key, replica);
  });
  const listed = new Map<string, readonly RunJson[]>();
  for (const { id, secret } of OWNERS) {
    listed.set(id, await readAll<RunJson>(world, random, "/v1/chat_completion_runs", secret));
  }
  const rows = await readAll(world, random, "/v1/admin/requests", ADMIN.secret);
  ledger.seeRows(rows, "the inquest");
  for (const replica of replicas) {
    const status = await replica.terminate();
    if (status !== 0) ledger.faults.push(`SIGTERM ended ${replica.name} with ${status}`);
  }
  return { listed, rowIds: new Set(rows.map(({ id }) => String(id))) };
}

/** Waits for the end of a run, has each replica tell of it, and watches it once more from its beginning. */
async function look(world: World, { requestId, owner, uids }: WantedRun, until: number): Promise<void> {
  const random = createRandom(`${world.seed} inquest ${requestId}`);
  const key = OWNERS.find(({ id }) => id === owner) as ConfigKey;
  const { secret } = key;
  for (const uid of uids) {
    const path = `/v1/chat_completion_runs/${uid}`;
    const wait = { method: "GET", path: `${path}/wait?timeout=5s`, secret } as const;
    let run = await askForRun(world, random, wait);
    while (run !== undefined && !isFinal(run.status) && performance.now() < until) {
      run = await askForRun(world, random, wait);
    }
    if (run === undefined || !isFinal(run.status)) continue;
    for (const replica of world.replicas) await askForRun(world, random, { method: "GET", path, secret, replica });
    await watchRun(world, random, key, uid, "SSE of the inquest");
  }
}
