/**
 * What memory streams need that are open at the same time, in servers that were started for it. Garbage is collected before it is looked at:
 * how much of that there is just then says nothing of a stream.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { callOf } from "./calls.ts";
import type { Line } from "./line.ts";
import { treeResidentMb } from "./process-tree.ts";
import { type ServerName, type Stage, warmUpServer } from "./stage.ts";

/** Names of the lines: of streams with a chunk every 20 ms, and of streams that say nothing. */
export const PACED_NAME = "streams.memory";
export const HELD_NAMES = ["streams.held", "streams.held-each"] as const;

const PACED_RAMP_MS = 1_000;
/** Time to open streams that are held, each. */
const HELD_RAMP_MS = 2;
/** How long all of them are open before memory is looked at. */
const SETTLE_MS = 500;

/** Files that a process has open besides those of its streams. */
const OTHER_FILES = 500;

/** Resident memory before there was a stream, and while all were open, in MB. */
interface Outcome {
  readonly before: number;
  readonly during: number;
}

/** Streams that are opened. */
interface Streams {
  readonly shape: "endless" | "held";
  readonly streams: number;
  readonly rampMs: number;
  readonly settleMs: number;
}

/** Measures streams with a chunk every 20 ms, on fresh servers in each round. */
export async function measurePacedMemory(stage: Stage): Promise<Line[]> {
  const { openStreams, freshRounds } = stage.effort;
  const paced = { shape: "endless", streams: openStreams, rampMs: PACED_RAMP_MS, settleMs: SETTLE_MS } as const;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < freshRounds; round++) {
    ours.push(kibEach(await measureOne(stage, "gateway", paced), openStreams));
    theirs.push(kibEach(await measureOne(stage, "bare", paced), openStreams));
  }
  return [
    {
      name: PACED_NAME,
      title: `SSE, ${openStreams} streams, a chunk every 20 ms: memory of each`,
      unit: "KiB",
      ours,
      theirs,
      comparedWith: "bare proxy",
      judgedBy: "more",
      aim: 40,
      noise: 0.3,
    },
  ];
}

/** Measures streams that say nothing. */
export async function measureHeldMemory(stage: Stage): Promise<Line[]> {
  const { heldStreams, idleSeconds } = stage.effort;
  // A server has two connections for each.
  const streams = Math.min(heldStreams, Math.floor((maxOpenFiles() - OTHER_FILES) / 2));
  const held = { shape: "held", streams, rampMs: streams * HELD_RAMP_MS, settleMs: idleSeconds * 1_000 } as const;
  const gateway = await measureOne(stage, "gateway", held);
  const bare = await measureOne(stage, "bare", held);
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
      ours: [kibEach(gateway, streams)],
      theirs: [kibEach(bare, streams)],
      judgedBy: "more",
    },
  ];
}

const kibEach = ({ before, during }: Outcome, streams: number): number => ((during - before) * 1e6) / 1024 / streams;

async function measureOne(
  stage: Stage,
  name: ServerName,
  { shape, streams, rampMs, settleMs }: Streams,
): Promise<Outcome> {
  const server = await stage.startFresh(name);
  await warmUpServer(stage, server, name, "rest", "unary");
  await warmUpServer(stage, server, name, "rest", "burst");
  const look = async (): Promise<number> => {
    await server.ask({ what: "collect garbage" });
    return treeResidentMb(server.pid);
  };
  const before = await look();
  const call = callOf("rest", shape, server.port);
  await stage.run({ kind: "open", call, streams, rampMs, stays: true });
  await sleep(settleMs);
  const during = await look();
  await stage.run({ kind: "close" });
  await server.end();
  return { before, during };
}

/** How many files a process may have open, at the hard limit, to which Node raises its own. */
function maxOpenFiles(): number {
  const limit = /^Max open files +\S+ +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return Number(limit ?? Number.MAX_SAFE_INTEGER);
}
