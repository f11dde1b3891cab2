import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { callOf, closedLoad } from "./calls.ts";
import type { Line } from "./line.ts";
import { treeCpuUs } from "./process-tree.ts";
import { isStreamed, SHAPES } from "./requests.ts";
import type { Row, Trial } from "./rows.ts";
import type { Stage } from "./stage.ts";

/** Streams that are paced, and how long it takes to open them. */
const PACED_STREAMS = 100;
const PACED_RAMP_MS = 400;

/** CPU time in one run differs so much from that in another, as a part of it. */
const NOISE = 0.3;

/**
 * Measures rows. All servers run all the time, and take turns: each round loads every one of them in every way, one after the
 * other, so that what else the machine does meets all of them alike. Before that they warm up.
 */
export async function measureRows(stage: Stage, rows: readonly Row[]): Promise<Line[]> {
  const trials = collect(stage, rows);
  // Streams that are paced take the same way as those without a pause, which is warm sooner by them.
  for (const { server, door, shape } of trials) await stage.warmUp(server, door, shape === "paced" ? "burst" : shape);
  const { rounds, profile } = stage.effort;
  const gateway = await stage.server("gateway");
  if (profile !== undefined) {
    await mkdir(profile, { recursive: true });
    await gateway.ask({ what: "begin profile" });
  }
  const costs = new Map(trials.map((trial) => [keyOf(trial), [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const trial of trials) costs.get(keyOf(trial))?.push(await measureOne(stage, trial));
  }
  if (profile !== undefined) await gateway.ask({ what: "end profile", file: join(profile, "gateway.cpuprofile") });
  const read = (trial: Trial): readonly number[] => costs.get(keyOf(trial)) ?? [];
  return rows.map((row) => ({
    name: row.name,
    title: row.title,
    unit: "CPU µs",
    ours: read(row.ours),
    theirs: read(row.theirs),
    comparedWith: row.comparedWith,
    peer: stage.hasPeer && row.hasPeer === true ? read(atPeer(row)) : undefined,
    judgedBy: "ratio",
    aim: row.aim,
    noise: NOISE,
  }));
}

/** What the rows need, each once; those of one shape stand together, so that they are measured in turn. */
function collect({ hasPeer }: Stage, rows: readonly Row[]): Trial[] {
  const all = rows.flatMap((row) => [row.ours, row.theirs, ...(hasPeer && row.hasPeer === true ? [atPeer(row)] : [])]);
  const unique = [...new Map(all.map((trial) => [keyOf(trial), trial])).values()];
  return unique.sort((a, b) => a.shape.localeCompare(b.shape));
}

const atPeer = ({ ours }: Row): Trial => ({ ...ours, server: "peer" });

const keyOf = ({ server, door, shape }: Trial): string => `${server} ${door} ${shape}`;

/** CPU time that the server took for a call, or for a chunk of a stream, in µs. */
async function measureOne(stage: Stage, { server: name, door, shape }: Trial): Promise<number> {
  const server = await stage.server(name);
  const plain = callOf(door, shape, server.port);
  const call = { ...plain, headers: { ...plain.headers, ...stage.headersOf(name) } };
  const before = treeCpuUs(server.pid);
  let calls = PACED_STREAMS;
  if (shape === "paced")
    await stage.run({ kind: "open", call, streams: PACED_STREAMS, rampMs: PACED_RAMP_MS, stays: false });
  else ({ calls } = await stage.run(closedLoad(door, call, { seconds: stage.effort.seconds })));
  return (treeCpuUs(server.pid) - before) / (calls * (isStreamed(shape) ? SHAPES[shape].marks : 1));
}
