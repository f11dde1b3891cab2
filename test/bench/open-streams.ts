/** Many streams that are open at the same time: how long their chunks take, and what memory they need. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { callOf } from "./calls.ts";
import type { Line } from "./line.ts";
import type { OpenResult } from "./load/load.ts";
import { median } from "./median.ts";
import { treeResidentMb } from "./process-tree.ts";
import type { ServerName, Stage } from "./stage.ts";
import { warmUpServer } from "./stage.ts";

/** Names of the lines. */
export const OPEN_NAMES = ["streams.latency", "streams.memory"] as const;
export const HELD_NAMES = ["streams.held", "streams.held-each"] as const;

const OPEN_RAMP_MS = 1_000;
/** Time to open streams that are held, each, so that the first one ends when all of them were open for some seconds. */
const HELD_RAMP_MS = 2;
/** Memory is looked at from so long after the last stream was opened, so often, and for so long. */
const SETTLE_MS = 300;
const HELD_SETTLE_MS = 5_000;
const LOOK_EVERY_MS = 100;
const LOOK_FOR_MS = 3_000;

/** Files that a process has open besides those of its streams. */
const OTHER_FILES = 500;

/** What came of streams on one server. */
interface Outcome extends OpenResult {
  /** Resident memory before there was one, and while all were open, in MB. */
  readonly before: number;
  readonly during: number;
}

/** A thousand streams with a chunk every 20 ms, on fresh servers in each round. */
export async function measureOpen(stage: Stage): Promise<Line[]> {
  const { openStreams, freshRounds } = stage.effort;
  const load = { shape: "long", streams: openStreams, rampMs: OPEN_RAMP_MS, settleMs: SETTLE_MS } as const;
  const outcomes = { gateway: [] as Outcome[], bare: [] as Outcome[] };
  for (let round = 0; round < freshRounds; round++) {
    for (const name of ["gateway", "bare"] as const) {
      outcomes[name].push(await measureOne(stage, name, load));
    }
  }
  const ms = ({ p99 }: Outcome): number => p99 / 1_000;
  const kib = ({ before, during }: Outcome): number => ((during - before) * 1e6) / 1024 / openStreams;
  const what = `SSE, ${openStreams} streams, a chunk every 20 ms`;
  const { gateway, bare } = outcomes;
  const comparedWith = "bare proxy";
  return [
    {
      name: "streams.latency",
      title: `${what}: time of a chunk from the upstream, p99`,
      unit: "ms",
      ours: gateway.map(ms),
      theirs: bare.map(ms),
      comparedWith,
      judgedBy: "ratio",
      aim: 1.5,
      noise: 0.4,
    },
    {
      name: "streams.memory",
      title: `${what}: memory of each`,
      unit: "KiB",
      ours: gateway.map(kib),
      theirs: bare.map(kib),
      comparedWith,
      judgedBy: "more",
      aim: 40,
      noise: 0.3,
    },
  ];
}

/** Streams that are held, and say nothing. */
export async function measureHeld(stage: Stage): Promise<Line[]> {
  // A server has two connections for each.
  const streams = Math.min(stage.effort.heldStreams, Math.floor((maxOpenFiles() - OTHER_FILES) / 2));
  const load = { shape: "held", streams, rampMs: streams * HELD_RAMP_MS, settleMs: HELD_SETTLE_MS } as const;
  const gateway = await measureOne(stage, "gateway", load);
  const bare = await measureOne(stage, "bare", load);
  const kib = ({ before, during }: Outcome): number => ((during - before) * 1e6) / 1024 / streams;
  const line = { comparedWith: "bare proxy", noise: 0.2 } as const;
  return [
    {
      ...line,
      name: "streams.held",
      title: `SSE, ${streams} idle streams: memory of the process`,
      unit: "MB",
      ours: [gateway.during],
      theirs: [bare.during],
      judgedBy: "figure",
    },
    {
      ...line,
      name: "streams.held-each",
      title: `SSE, ${streams} idle streams: memory of each`,
      unit: "KiB",
      ours: [kib(gateway)],
      theirs: [kib(bare)],
      judgedBy: "more",
    },
  ];
}

interface Streams {
  readonly shape: "long" | "held";
  readonly streams: number;
  readonly rampMs: number;
  readonly settleMs: number;
}

async function measureOne(
  stage: Stage,
  name: ServerName,
  { shape, streams, rampMs, settleMs }: Streams,
): Promise<Outcome> {
  const server = await stage.startFresh(name);
  await warmUpServer(stage, server, name, "rest", "unary");
  await warmUpServer(stage, server, name, "rest", "burst");
  await sleep(SETTLE_MS);
  const before = treeResidentMb(server.pid);
  const running = stage.run({ kind: "open", call: callOf("rest", shape, server.port), streams, rampMs });
  const looks: number[] = [];
  const looking = (async () => {
    await sleep(rampMs + settleMs);
    for (let look = 0; look < LOOK_FOR_MS / LOOK_EVERY_MS; look++) {
      looks.push(treeResidentMb(server.pid));
      await sleep(LOOK_EVERY_MS);
    }
  })();
  const [result] = await Promise.all([running, looking]);
  await server.end();
  return { ...result, before, during: median(looks) };
}

/** How many files a process may have open, at the hard limit, to which Node raises its own. */
function maxOpenFiles(): number {
  const limit = /^Max open files +\S+ +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return Number(limit ?? Number.MAX_SAFE_INTEGER);
}
