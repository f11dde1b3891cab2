import { describe, expect, it } from "vitest";
import { type Line, resultOf } from "./line.ts";
import { formatLines } from "./line-table.ts";

const LINE: Line = {
  name: "rest.unary",
  title: "REST",
  unit: "CPU µs",
  ours: [300, 160, 200],
  theirs: [200, 80, 100],
  comparedWith: "bare proxy",
  judgedBy: "ratio",
  aim: 1.6,
  noise: 0.2,
};

describe("resultOf()", () => {
  it.each([
    { judgedBy: "ratio" as const, result: 2 },
    { judgedBy: "more" as const, result: 100 },
    { judgedBy: "figure" as const, result: 200 },
  ])("compares round by round: $judgedBy", ({ judgedBy, result }) => {
    expect(resultOf({ ...LINE, judgedBy })).toBe(result);
  });
});

describe("formatLines()", () => {
  const cellsOf = (line: Line, baseline: Readonly<Record<string, number>>): string[] =>
    (formatLines([line], baseline).split("\n")[2] ?? "").split("|").map((cell) => cell.trim());

  it.each([
    { what: "a ratio that is worse", line: {}, baseline: 1.6, cells: ["2×", "≤ 1.60×", "no", "1.60×", "+25 %, worse"] },
    { what: "one that is as before", line: {}, baseline: 1.8, cells: ["2×", "≤ 1.60×", "no", "1.80×", "+11 %"] },
    { what: "one that is better", line: { aim: 2 }, baseline: 4, cells: ["2×", "≤ 2×", "yes", "4×", "-50 %, better"] },
    {
      what: "a difference",
      line: { judgedBy: "more" as const, unit: "KiB", aim: undefined },
      baseline: 100,
      cells: ["+100 KiB", "", "", "+100 KiB", "0 %"],
    },
  ])("shows $what", ({ line, baseline, cells }) => {
    expect(cellsOf({ ...LINE, ...line }, { "rest.unary": baseline }).slice(9, 14)).toEqual(cells);
  });

  it("shows a line that has no baseline, and the peer beside it", () => {
    const cells = cellsOf({ ...LINE, peer: [1_000, 1_000, 1_000] }, {});
    expect(cells.slice(9, 16)).toEqual(["2×", "≤ 1.60×", "no", "", "", "1000", "5×"]);
  });
});
