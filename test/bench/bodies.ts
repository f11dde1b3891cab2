/** Requests of 20 MB, one after the other, while twenty small streams run: how late the event loop is, and what memory they need. */
import { setTimeout as sleep } from "node:timers/promises";
import { callOf, closedLoad } from "./calls.ts";
import { startChild } from "./child.ts";
import type { Line } from "./line.ts";
import type { Call } from "./load/load.ts";
import type { LoopDelay } from "./probe.ts";
import { peakResidentMb, treeResidentMb } from "./process-tree.ts";
import { SHAPES } from "./requests.ts";
import type { ServerName, Stage } from "./stage.ts";
import { warmUpServer } from "./stage.ts";

/** Names of the lines. */
export const BODY_NAMES = ["bodies.delay", "bodies.longest", "bodies.memory"] as const;

const IMAGES = 4;
const IMAGE_BYTES = 5_000_000;
const STREAMS = 20;

interface Outcome extends LoopDelay {
  /** How much more memory there was at the most than before, in bodies. */
  readonly bodies: number;
}

/** Measures them, with a fresh server in each round. */
export async function measureBodies(stage: Stage): Promise<Line[]> {
  const outcomes = { gateway: [] as Outcome[], bare: [] as Outcome[] };
  for (let round = 0; round < stage.effort.freshRounds; round++) {
    for (const name of ["gateway", "bare"] as const) outcomes[name].push(await measureOne(stage, name));
  }
  const { gateway, bare } = outcomes;
  const lineOf = (of: keyof Outcome): Pick<Line, "ours" | "theirs" | "comparedWith" | "judgedBy"> => ({
    ours: gateway.map((outcome) => outcome[of]),
    theirs: bare.map((outcome) => outcome[of]),
    comparedWith: "bare proxy",
    judgedBy: "figure",
  });
  const what = "requests of 20 MB beside 20 streams";
  return [
    {
      ...lineOf("p99"),
      name: "bodies.delay",
      title: `${what}: event loop late by, p99`,
      unit: "ms",
      aim: 50,
      noise: 0.6,
    },
    {
      ...lineOf("longest"),
      name: "bodies.longest",
      title: `${what}: event loop late by, at most`,
      unit: "ms",
      noise: 0.6,
    },
    { ...lineOf("bodies"), name: "bodies.memory", title: `${what}: memory at most`, unit: "bodies", noise: 0.3 },
  ];
}

async function measureOne(stage: Stage, name: ServerName): Promise<Outcome> {
  const server = await stage.startFresh(name);
  await warmUpServer(stage, server, name, "rest", "unary");
  await warmUpServer(stage, server, name, "rest", "burst");
  const sender = await startChild("load/load-process.ts", { place: "load" });
  try {
    let isOver = false;
    const call = callOf("rest", "paced", server.port);
    const streaming = (async () => {
      while (!isOver) await stage.run({ kind: "open", call, streams: STREAMS, rampMs: 100, stays: false });
    })();
    await sleep(300);
    const before = treeResidentMb(server.pid);
    await server.ask({ what: "begin delay" });
    await sender.ask(closedLoad("rest", createBigCall(server.port), { calls: stage.effort.bodies }, 1));
    const delay = (await server.ask({ what: "end delay" })) as LoopDelay;
    const bodies = ((peakResidentMb(server.pid) - before) * 1e6) / (IMAGES * IMAGE_BYTES);
    isOver = true;
    await streaming;
    return { ...delay, bodies };
  } finally {
    await sender.end();
    await server.end();
  }
}

/** The small call with images in its last message. */
function createBigCall(port: number): Call {
  const image = Buffer.alloc((IMAGE_BYTES / 4) * 3, "noise");
  Buffer.from("89504e470d0a1a0a0000000d49484452", "hex").copy(image);
  const url = `data:image/png;base64,${image.toString("base64")}`;
  const { body } = SHAPES.unary;
  const images = Array.from({ length: IMAGES }, () => ({ type: "image_url", image_url: { url } }));
  const messages = [
    ...body.messages.slice(0, -1),
    { role: "user", content: [{ type: "text", text: "What is it?" }, ...images] },
  ];
  return { ...callOf("rest", "unary", port), body: Buffer.from(JSON.stringify({ ...body, messages })) };
}
