/** What the first calls of a server cost, which V8 has not optimised yet. */
import { setTimeout as sleep } from "node:timers/promises";
import { callOf, closedLoad } from "./calls.ts";
import type { Line } from "./line.ts";
import { treeCpuUs } from "./process-tree.ts";
import type { ServerName, Stage } from "./stage.ts";

/** How long a server that has just been started has for what it still has to do. */
const SETTLE_MS = 500;

/** Measures it, with fresh servers in each round. */
export async function measureCold(stage: Stage): Promise<Line[]> {
  const { coldCalls, freshRounds } = stage.effort;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < freshRounds; round++) {
    ours.push(await measureOne(stage, "gateway"));
    theirs.push(await measureOne(stage, "bare"));
  }
  const title = `REST, unary, the first ${coldCalls} calls`;
  return [
    {
      name: "rest.cold",
      title,
      unit: "CPU µs",
      ours,
      theirs,
      comparedWith: "bare proxy",
      judgedBy: "ratio",
      noise: 0.3,
    },
  ];
}

async function measureOne(stage: Stage, name: ServerName): Promise<number> {
  const server = await stage.startFresh(name);
  await sleep(SETTLE_MS);
  const before = treeCpuUs(server.pid);
  const until = { calls: stage.effort.coldCalls };
  const { calls } = await stage.run(closedLoad("rest", callOf("rest", "unary", server.port), until));
  const cost = (treeCpuUs(server.pid) - before) / calls;
  await server.end();
  return cost;
}
