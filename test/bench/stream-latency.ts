/** How long chunks take through a server that has many streams open. */
import { callOf } from "./calls.ts";
import type { Line } from "./line.ts";
import type { ServerName, Stage } from "./stage.ts";

/** Name of the line. */
export const LATENCY_NAME = "streams.latency";

const RAMP_MS = 1_000;

/** Measures it in rounds, in which the servers take turns. */
export async function measureStreamLatency(stage: Stage): Promise<Line[]> {
  const { openStreams, freshRounds } = stage.effort;
  const measureOne = async (name: ServerName): Promise<number> => {
    const call = callOf("rest", "long", (await stage.server(name)).port);
    const { p99 } = await stage.run({ kind: "open", call, streams: openStreams, rampMs: RAMP_MS, stays: false });
    return p99 / 1_000;
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (const name of ["gateway", "bare"] as const) await stage.warmUp(name, "rest", "burst");
  for (let round = 0; round < freshRounds; round++) {
    ours.push(await measureOne("gateway"));
    theirs.push(await measureOne("bare"));
  }
  return [
    {
      name: LATENCY_NAME,
      title: `SSE, ${openStreams} streams, a chunk every 20 ms: from the upstream to the client, p99`,
      unit: "ms",
      ours,
      theirs,
      comparedWith: "bare proxy",
      judgedBy: "ratio",
      aim: 1.5,
      noise: 0.6,
    },
  ];
}
