import { type Child, type ChildOptions, startChild } from "./child.ts";
import type { LoadResult } from "./load.ts";
import type { Cost, Measurement, Row, Target } from "./rows.ts";
import { keyOf, leastBytes, loadOf, shapeOf } from "./trials.ts";

/** How long a bench takes. */
export interface Effort {
  /** Of each load, in seconds. */
  readonly seconds: number;
  readonly rounds: number;
  /** Folder for CPU profiles of the servers; undefined: none are made. */
  readonly profile?: string | undefined;
}

/** How many loads a server has at least, before they count: V8 optimises what runs often, and takes its time to. */
const WARM_UP_LOADS = 10;

/** A line of the table with its figures: CPU time of the server in µs, one for each round. */
export interface MeasuredRow {
  readonly row: Row;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

const SERVERS: Readonly<Record<Target, string>> = {
  gateway: "gateway-process.ts",
  bare: "bare-server.ts",
  "grpc-js": "grpc-js-server.ts",
  providers: "gateway-process.ts",
  pipe: "pipe-server.ts",
};

interface Server {
  readonly process: Child;
  readonly port: number;
}

/**
 * Measures rows. All servers run all the time, and take turns: each round loads every one of them in every way, one after the
 * other, so that what else the machine does meets all of them alike. The first rounds warm up, and are not counted.
 */
export async function measureRows(rows: readonly Row[], effort: Effort): Promise<MeasuredRow[]> {
  const measurements = collect(rows);
  const running: Child[] = [];
  const start = async (file: string, options?: ChildOptions): Promise<Child> => {
    const child = await startChild(file, options);
    running.push(child);
    return child;
  };
  try {
    const client = await start("load-process.ts");
    const servers = new Map<Target, Server>();
    const isBehind = measurements.some(({ kind }) => kind === "provider");
    const upstream = isBehind ? await (await start("upstream-server.ts")).ask("port") : undefined;
    for (const [target, { kind }] of new Map(measurements.map((each) => [each.target, each]))) {
      const nodeFlags =
        effort.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${effort.profile}/${target}`];
      const args = kind === "provider" ? [`http://127.0.0.1:${upstream}`] : [];
      const process = await start(SERVERS[target], { nodeFlags, args });
      servers.set(target, { process, port: (await process.ask("port")) as number });
    }
    const rounds: Map<string, number>[] = [];
    const warmUps = Math.ceil(WARM_UP_LOADS / leastLoads(measurements));
    for (let round = -warmUps; round < effort.rounds; round++) {
      const costs = new Map<string, number>();
      for (const each of measurements) {
        const server = servers.get(each.target) as Server;
        costs.set(keyOf(each), await measureOne(client, server, each, effort.seconds));
      }
      if (round >= 0) rounds.push(costs);
    }
    return rows.map((row) => ({
      row,
      ours: rounds.map((costs) => read(costs, row.ours)),
      theirs: rounds.map((costs) => read(costs, row.theirs)),
    }));
  } finally {
    for (const child of running) await child.end();
  }
}

/** CPU time that the server took for a call, in µs. */
async function measureOne(client: Child, server: Server, measurement: Measurement, seconds: number): Promise<number> {
  const before = (await server.process.ask("cpu")) as NodeJS.CpuUsage;
  const { calls, bytes } = (await client.ask(loadOf(measurement, server.port, seconds))) as LoadResult;
  const after = (await server.process.ask("cpu")) as NodeJS.CpuUsage;
  if (bytes < calls * leastBytes(measurement)) {
    throw new Error(`${keyOf(measurement)}: the answers are too short to be right, ${Math.round(bytes / calls)} bytes`);
  }
  return (after.user - before.user + after.system - before.system) / calls;
}

/** What the rows need, each once; those of one shape stand together, so that they are measured in turn. */
function collect(rows: readonly Row[]): Measurement[] {
  const all = rows
    .flatMap(({ ours, theirs }) => [ours, theirs])
    .flatMap(({ of, less }) => (less === undefined ? [of] : [of, less.than]));
  const unique = new Map(all.map((each) => [keyOf(each), each]));
  return [...unique.values()].sort((a, b) => shapeOf(a).localeCompare(shapeOf(b)));
}

/** Loads of the server that has the fewest in a round. */
function leastLoads(measurements: readonly Measurement[]): number {
  const counts = Object.values(Object.groupBy(measurements, ({ target }) => target)).map(({ length }) => length);
  return Math.min(...counts);
}

function read(costs: ReadonlyMap<string, number>, { of, less }: Cost): number {
  const whole = costs.get(keyOf(of)) as number;
  return less === undefined ? whole : (whole - (costs.get(keyOf(less.than)) as number)) / less.chunks;
}
