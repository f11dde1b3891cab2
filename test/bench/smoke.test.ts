import { describe, expect, it } from "vitest";
import { measureAdmission } from "./admission.ts";
import { measureLines, NAMES } from "./cases.ts";
import { LEAST } from "./effort.ts";
import { resultOf } from "./line.ts";
import { formatLines } from "./line-table.ts";
import { formatAdmission, formatRouting, formatRuns, formatWorkerShare, formatWorkers } from "./part-tables.ts";
import { measureRouting, ROUTES } from "./routing.ts";
import { measureRuns } from "./runs.ts";
import { openStage } from "./stage.ts";
import { measureWorkerShare } from "./worker-share.ts";
import { measureWorkers } from "./workers.ts";

describe.runIf(process.platform === "linux")("measureLines()", () => {
  it("measures every line", { timeout: 600_000 }, async () => {
    const stage = await openStage(LEAST);
    const lines = await measureLines(stage, NAMES).finally(stage.end);
    expect(lines.map(({ name }) => name)).toEqual(NAMES);
    expect(lines.filter((line) => !Number.isFinite(resultOf(line)))).toEqual([]);
    expect(formatLines(lines, {}).split("\n")).toHaveLength(2 + NAMES.length);
  });
});

describe("measureRouting()", () => {
  it("measures every route to one target and to many", { timeout: 120_000 }, async () => {
    const figures = await measureRouting({ seconds: 0.002, rounds: 2 });
    expect(figures.map(({ route }) => route)).toEqual(Object.keys(ROUTES));
    expect(figures.flatMap(({ one, many }) => [...one, ...many]).filter((figure) => !(figure > 0))).toEqual([]);
    expect(formatRouting(figures).split("\n")).toHaveLength(2 + figures.length);
  });
});

describe("measureAdmission()", () => {
  it("measures what there is on this machine", { timeout: 120_000 }, async () => {
    const figures = await measureAdmission({ seconds: 0.002, rounds: 2 });
    expect(figures.map(({ admission }) => admission).slice(0, 3)).toEqual(["memory", "budget", "key"]);
    expect(figures.flatMap(({ costs }) => costs).filter(({ cpu, wait }) => !(cpu > 0 && wait > 0))).toEqual([]);
    expect(formatAdmission(figures).split("\n")).toHaveLength(2 + figures.length);
  });
});

describe.runIf(process.platform === "linux")("measureWorkers()", () => {
  it("measures one worker and two", { timeout: 120_000 }, async () => {
    const figures = await measureWorkers({ seconds: 0.01, rounds: 1 });
    expect(figures.map(({ workers }) => workers)).toEqual([1, 2]);
    const numbers = figures.flatMap((it) => [it.cpuMicros, it.callsPerSecond, it.clientMicros].flat());
    expect(numbers.filter((figure) => !Number.isFinite(figure))).toEqual([]);
    expect(formatWorkers(figures).split("\n")).toHaveLength(2 + figures.length);
  });
});

describe.runIf(process.platform === "linux")("measureWorkerShare()", () => {
  it("measures a worker beside a process that serves alone", { timeout: 120_000 }, async () => {
    const share = await measureWorkerShare({ seconds: 0.01, rounds: 1 });
    const numbers = Object.values(share).flat();
    expect(numbers.filter((figure) => !(figure > 0 && Number.isFinite(figure)))).toEqual([]);
    expect(formatWorkerShare(share).split("\n")).toHaveLength(2 + 4);
  });
});

describe("measureRuns()", () => {
  it("measures every store that there is", { timeout: 120_000 }, async () => {
    const figures = await measureRuns({ seconds: 0.02, rounds: 1 });
    expect(figures[0]?.store).toBe("SQLite");
    const numbers = figures.flatMap((it) => [it.runsPerSecond, it.firstMs, it.firstMsOfSlowest]);
    expect(numbers.filter((figure) => !(figure > 0))).toEqual([]);
    expect(formatRuns(figures).split("\n")).toHaveLength(2 + figures.length);
  });
});
