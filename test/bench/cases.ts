import { BODY_NAMES, measureBodies } from "./bodies.ts";
import { measureCold } from "./cold.ts";
import type { Line } from "./line.ts";
import { measureRows } from "./measure.ts";
import { ROWS } from "./rows.ts";
import type { Stage } from "./stage.ts";
import { measureStart } from "./start.ts";
import { LATENCY_NAME, measureStreamLatency } from "./stream-latency.ts";
import { HELD_NAMES, measureHeldMemory, measurePacedMemory, PACED_NAME } from "./stream-memory.ts";
import { measureTurns, TURN_NAMES } from "./turns.ts";

/** What is measured together. */
interface Case {
  /** Names of its lines. */
  readonly names: readonly string[];
  /** Measures the lines of those names, or all. */
  measure(stage: Stage, names: ReadonlySet<string>): Promise<Line[]>;
}

/** The start, and what a gateway holds that has nothing to do. */
const START_NAMES = [
  "start.cpu",
  "start.time",
  "start.idle",
  "start.cold-cpu",
  "start.cold-idle",
  "start.after-calls",
] as const;

async function measureStartLines({ effort }: Stage): Promise<Line[]> {
  const figures = await measureStart(effort.starts, effort.idleSeconds);
  const line = (
    name: (typeof START_NAMES)[number],
    title: string,
    unit: string,
    figure: number,
    aim?: number,
  ): Line => ({
    name,
    title,
    unit,
    ours: [figure],
    judgedBy: "figure",
    aim,
    noise: 0.3,
  });
  const idle = `memory ${effort.idleSeconds} s after`;
  return [
    line("start.cpu", "from start to ready", "CPU ms", figures.warmCpuMs, 500),
    line("start.time", "from start to ready, time", "ms", figures.warmWallMs),
    line("start.idle", `${idle} the start`, "MB", figures.idleMb, 100),
    line("start.cold-cpu", "from start to ready, nothing compiled before", "CPU ms", figures.coldCpuMs),
    line("start.cold-idle", `${idle}, nothing compiled before`, "MB", figures.coldIdleMb),
    line("start.after-calls", `${idle} 100 calls`, "MB", figures.afterCallsMb),
  ];
}

/** Every case. */
const CASES: readonly Case[] = [
  {
    names: ROWS.map(({ name }) => name),
    measure: (stage, names) =>
      measureRows(
        stage,
        ROWS.filter(({ name }) => names.has(name)),
      ),
  },
  { names: TURN_NAMES, measure: measureTurns },
  { names: [LATENCY_NAME], measure: measureStreamLatency },
  { names: ["rest.cold"], measure: measureCold },
  { names: [PACED_NAME], measure: measurePacedMemory },
  { names: HELD_NAMES, measure: measureHeldMemory },
  { names: BODY_NAMES, measure: measureBodies },
  { names: START_NAMES, measure: measureStartLines },
];

/** What the names begin with, in the order of the table. */
const ORDER = ["rest", "sse", "streams", "grpc", "families", "bodies", "start", "doors"];
const placeOf = (name: string): number => ORDER.indexOf(name.split(".")[0] ?? "");

/** Names of all lines, in the order of the table. */
export const NAMES: readonly string[] = CASES.flatMap(({ names }) => names).sort((a, b) => placeOf(a) - placeOf(b));

/** The lines of the small form, which leaves out what takes long. */
export const SMALL_NAMES: readonly string[] = NAMES.filter(
  (name) => ![PACED_NAME, ...HELD_NAMES, ...ROWS.filter((row) => !row.isSmall).map((row) => row.name)].includes(name),
);

/** Measures the lines of those names, case by case. */
export async function measureLines(stage: Stage, names: readonly string[]): Promise<Line[]> {
  const wanted = new Set(names);
  const lines: Line[] = [];
  for (const each of CASES) {
    if (each.names.some((name) => wanted.has(name))) lines.push(...(await each.measure(stage, wanted)));
  }
  return lines.filter(({ name }) => wanted.has(name)).sort((a, b) => placeOf(a.name) - placeOf(b.name));
}
