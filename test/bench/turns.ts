/** What a server adds to the time of a call: one call at a time, to the upstream itself and through each of the servers, in turns. */
import { callOf } from "./calls.ts";
import type { Line } from "./line.ts";
import type { Call } from "./load/load.ts";
import { median } from "./median.ts";
import type { ShapeName } from "./requests.ts";
import type { ServerName, Stage } from "./stage.ts";

interface Turn {
  readonly shape: ShapeName;
  readonly time: "first" | "whole";
  /** What it comes to in the line. */
  readonly line: Pick<Line, "name" | "title" | "unit" | "judgedBy" | "aim">;
  /** µs of the line's unit. */
  readonly us: number;
}

const TURNS: readonly Turn[] = [
  {
    shape: "unary",
    time: "whole",
    line: {
      name: "rest.latency",
      title: "REST, unary, one connection: time added, p50",
      unit: "µs",
      judgedBy: "ratio",
      aim: 1.6,
    },
    us: 1,
  },
  {
    shape: "opening",
    time: "first",
    line: {
      name: "sse.first-chunk",
      title: "SSE, one connection: time added to the first chunk, p50",
      unit: "ms",
      judgedBy: "figure",
      aim: 0.5,
    },
    us: 1_000,
  },
];

/** Names of the lines. */
export const TURN_NAMES: readonly string[] = TURNS.map(({ line }) => line.name);

/** Times of one connection differ so much from run to run. */
const NOISE = 0.5;

/** Measures those of that name. */
export async function measureTurns(stage: Stage, names: ReadonlySet<string>): Promise<Line[]> {
  const lines: Line[] = [];
  for (const turn of TURNS) if (names.has(turn.line.name)) lines.push(await measureTurn(stage, turn));
  return lines;
}

async function measureTurn(stage: Stage, { shape, time, line, us }: Turn): Promise<Line> {
  const names: ServerName[] = ["gateway", "bare", ...(stage.hasPeer ? ["peer" as const] : [])];
  const calls: Call[] = [callOf("rest", shape, stage.upstreamPort)];
  for (const name of names) {
    await stage.warmUp(name, "rest", shape);
    const call = callOf("rest", shape, (await stage.server(name)).port);
    calls.push({ ...call, headers: { ...call.headers, ...stage.headersOf(name) } });
  }
  const added = names.map((): number[] => []);
  for (let round = 0; round < stage.effort.rounds; round++) {
    const times = (await stage.run({ kind: "turns", calls, turns: stage.effort.turns }))[time];
    const [direct = [], ...through] = times;
    for (const [at, each] of through.entries()) {
      // Calls that stand next to each other are compared, so that what else the machine does meets both.
      added[at]?.push(median(each.map((of, turn) => of - (direct[turn] as number))) / us);
    }
  }
  const [ours = [], theirs, peer] = added;
  return { ...line, ours, theirs, comparedWith: "bare proxy", peer, noise: NOISE };
}
