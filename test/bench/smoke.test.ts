import { describe, expect, it } from "vitest";
import { measureAdmission } from "./admission.ts";
import { measureRows } from "./measure.ts";
import { formatAdmission, formatRouting, formatRows, formatRuns, formatStart } from "./report.ts";
import { measureRouting, ROUTES } from "./routing.ts";
import { ROWS } from "./rows.ts";
import { measureRuns } from "./runs.ts";
import { measureStart } from "./start.ts";

describe("measureRows()", () => {
  it("measures every line on every server", { timeout: 300_000 }, async () => {
    const measured = await measureRows(ROWS, { seconds: 0.01, rounds: 1 });
    expect(measured.map(({ row }) => row.name)).toEqual(ROWS.map(({ name }) => name));
    const figures = measured.flatMap(({ ours, theirs }) => [...ours, ...theirs]);
    expect(figures).toHaveLength(2 * ROWS.length);
    expect(figures.filter((figure) => !Number.isFinite(figure))).toEqual([]);
    expect(formatRows(measured).split("\n")).toHaveLength(2 + ROWS.length);
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

describe("measureRuns()", () => {
  it("measures every store that there is", { timeout: 120_000 }, async () => {
    const figures = await measureRuns({ seconds: 0.02, rounds: 1 });
    expect(figures[0]?.store).toBe("SQLite");
    const numbers = figures.flatMap((it) => [it.runsPerSecond, it.firstMs, it.firstMsOfSlowest]);
    expect(numbers.filter((figure) => !(figure > 0))).toEqual([]);
    expect(formatRuns(figures).split("\n")).toHaveLength(2 + figures.length);
  });
});

describe.runIf(process.platform === "linux")("measureStart()", () => {
  it("measures a start and the memory", { timeout: 120_000 }, async () => {
    const figures = await measureStart(1, 0);
    expect(Object.values(figures).filter((figure) => !(figure > 0))).toEqual([]);
    expect(formatStart(figures).split("\n")).toHaveLength(2 + Object.keys(figures).length);
  });
});
