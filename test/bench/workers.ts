/** What several workers cost: CPU time of a call in all processes together, and how many calls are answered in a second. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configKey } from "../support/config-key.ts";
import { type Replica, startReplica } from "../support/replica.ts";
import type { PartEffort } from "./effort.ts";
import { runClosed } from "./load/closed.ts";
import type { Call } from "./load/load.ts";
import { treeCpuMs } from "./process-tree.ts";

/** What was measured of so many workers: one number for each round. */
export interface WorkersFigures {
  readonly workers: number;
  /** CPU time of a call in all processes of the gateway, in µs. */
  readonly cpuMicros: readonly number[];
  readonly callsPerSecond: readonly number[];
  /** CPU time of a call in the client, in µs: what it leaves to the gateway is the rest of the machine. */
  readonly clientMicros: readonly number[];
}

const COUNTS = [1, 2];
export const CONNECTIONS = 16;
/** Each process has to run hot by itself. */
export const WARM_UP_LOADS = 8;

/** A key with limits of every kind, so that each call has to ask for leave. */
const KEY = configKey("bench", ["chat"], {
  limits: {
    requests_per_minute: 1_000_000_000,
    tokens_per_minute: 1_000_000_000_000,
    concurrent: 100_000,
    concurrent_streams: 100_000,
    budget: { dollars: 1_000_000, per: "day" },
  },
});

/** One gateway under load. */
interface Trial {
  readonly workers: number;
  readonly replica: Replica;
  readonly cpuMicros: number[];
  readonly callsPerSecond: number[];
  readonly clientMicros: number[];
}

/** Measures gateways of one and of two workers. They take turns, and the client is in this process. */
export async function measureWorkers({ seconds, rounds }: PartEffort): Promise<WorkersFigures[]> {
  const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const trials: Trial[] = [];
  try {
    for (const workers of COUNTS) {
      const replica = await startWorkers(workers, folder);
      trials.push({ workers, replica, cpuMicros: [], callsPerSecond: [], clientMicros: [] });
    }
    for (let round = -WARM_UP_LOADS; round < rounds; round++) {
      for (const trial of trials) await measureOne(trial, seconds, round >= 0);
    }
    return trials;
  } finally {
    await Promise.all(trials.map(({ replica }) => replica.terminate()));
    await rm(folder, { recursive: true });
  }
}

/** Starts a gateway of so many workers that answers by itself, and has its state in that folder. */
export async function startWorkers(workers: number, folder: string): Promise<Replica> {
  const config = {
    workers,
    store: { data_dir: join(folder, `state-${workers}`) },
    sandbox: { token_delay: "0s" },
    auth: { keys: [KEY.entry] },
  };
  const replica = await startReplica({ name: `workers-${workers}`, folder, config });
  await replica.ready();
  return replica;
}

/** The call that is made of it. */
export const callTo = ({ url }: Replica): Call => ({
  port: Number(new URL(url).port),
  path: "/v1/chat/completions",
  headers: { authorization: `Bearer ${KEY.secret}`, "content-type": "application/json" },
  body: Buffer.from(JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: "Hello" }] })),
  mark: '"Hello"',
  marks: 1,
});

async function measureOne(trial: Trial, seconds: number, isCounted: boolean): Promise<void> {
  const { pid } = trial.replica;
  const call = callTo(trial.replica);
  const cpuBefore = treeCpuMs(pid);
  const clientBefore = process.cpuUsage();
  const load = { kind: "closed", protocol: "http1", call, connections: CONNECTIONS, callsEach: 1 } as const;
  const { calls, seconds: took } = await runClosed({ ...load, until: { seconds } });
  if (!isCounted) return;
  const { user, system } = process.cpuUsage(clientBefore);
  trial.callsPerSecond.push(calls / took);
  trial.cpuMicros.push(((treeCpuMs(pid) - cpuBefore) * 1000) / calls);
  trial.clientMicros.push((user + system) / calls);
}
