/**
 * What a call costs in a worker that has a processor to itself, beside one in a process that serves alone, and what it costs the first
 * process. Two workers are there, and one of them has all connections that are used: so a machine of two processors shows what two workers
 * come to where each process has a processor of its own, and the client's is another one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Replica } from "../support/replica.ts";
import type { PartEffort } from "./effort.ts";
import { type Connection, encodeRequest, openConnection } from "./load/http1-connection.ts";
import { pin } from "./pin.ts";
import { childrenOf, cpuUs } from "./process-tree.ts";
import { CONNECTIONS, callTo, startWorkers, WARM_UP_LOADS } from "./workers.ts";

/** A load goes on for a part of the time, since neither may have the quick moments of a shared machine to itself. */
const PARTS = 8;

/** CPU time of a call in µs, one number for each round. */
export interface WorkerShare {
  readonly alone: readonly number[];
  readonly worker: readonly number[];
  readonly primary: readonly number[];
}

/** One gateway under load, and the process of it that answers. */
interface Trial {
  readonly replica: Replica;
  readonly connections: readonly Connection[];
  readonly server: number;
}

/** Measures both in turns. The client is in this process. */
export async function measureWorkerShare({ seconds, rounds }: PartEffort): Promise<WorkerShare> {
  const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const replicas: Replica[] = [];
  const open: Connection[] = [];
  const share = { alone: [] as number[], worker: [] as number[], primary: [] as number[] };
  try {
    for (const workers of [1, 2]) replicas.push(await startWorkers(workers, folder));
    const [one, two] = replicas as [Replica, Replica];
    pin(process.pid, "load");
    for (const { url } of [one, two, two]) {
      // One after the other: connections go to the workers in turn.
      for (let at = 0; at < CONNECTIONS; at++) open.push(await openConnection(Number(new URL(url).port)));
    }
    const own = open.slice(0, CONNECTIONS);
    const oneWorkers = open.slice(CONNECTIONS).filter((_, at) => at % 2 === 0);
    const alone: Trial = { replica: one, connections: own, server: one.pid };
    const shared: Trial = { replica: two, connections: oneWorkers, server: await busiest(two, oneWorkers) };
    for (const pid of [two.pid, ...childrenOf(two.pid)]) pin(pid, pid === shared.server ? "server" : "load");
    pin(one.pid, "server");
    for (let round = -WARM_UP_LOADS; round < rounds; round++) {
      const used = { alone: NOTHING, shared: NOTHING };
      for (let part = 0; part < PARTS; part++) {
        used.alone = add(used.alone, await measureOne(alone, seconds / PARTS));
        used.shared = add(used.shared, await measureOne(shared, seconds / PARTS));
      }
      if (round < 0) continue;
      share.alone.push(used.alone.server / used.alone.calls);
      share.worker.push(used.shared.server / used.shared.calls);
      share.primary.push(used.shared.started / used.shared.calls);
    }
    return share;
  } finally {
    for (const connection of open) connection.close();
    await Promise.all(replicas.map((replica) => replica.terminate()));
    await rm(folder, { recursive: true });
  }
}

/** The process, of those that a gateway has started, that answers on these connections. */
async function busiest(replica: Replica, connections: readonly Connection[]): Promise<number> {
  const workers = childrenOf(replica.pid);
  const before = workers.map(cpuUs);
  for (let calls = 0; calls < 10; calls++) await callOnEach(replica, connections);
  const used = workers.map((pid, at) => cpuUs(pid) - (before[at] as number));
  return workers[used.indexOf(Math.max(...used))] as number;
}

const callOnEach = async (replica: Replica, connections: readonly Connection[]): Promise<void> => {
  const request = encodeRequest(callTo(replica));
  await Promise.all(connections.map((connection) => connection.call(request, () => undefined)));
};

/** What some calls have used. */
interface Used {
  readonly calls: number;
  /** CPU time in µs: of the process that answers, and of the one that was started; another one, where there are several. */
  readonly server: number;
  readonly started: number;
}

const NOTHING: Used = { calls: 0, server: 0, started: 0 };

const add = (one: Used, other: Used): Used => ({
  calls: one.calls + other.calls,
  server: one.server + other.server,
  started: one.started + other.started,
});

async function measureOne({ replica, connections, server }: Trial, seconds: number): Promise<Used> {
  const request = encodeRequest(callTo(replica));
  const before = { server: cpuUs(server), started: cpuUs(replica.pid) };
  const begin = performance.now();
  let calls = 0;
  const callOn = async (connection: Connection): Promise<void> => {
    do {
      await connection.call(request, () => undefined);
      calls += 1;
    } while (performance.now() - begin < seconds * 1000);
  };
  await Promise.all(connections.map(callOn));
  return { calls, server: cpuUs(server) - before.server, started: cpuUs(replica.pid) - before.started };
}
