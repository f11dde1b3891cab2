import { changeOf, type Results } from "./baseline.ts";
import { type Line, resultOf } from "./line.ts";
import { median } from "./median.ts";
import { PEER_NAME } from "./servers/peer.ts";
import { formatNumber, formatTable } from "./table.ts";

/** The table of the bench: medians, and what they are judged by beside its aim and the baseline. */
export function formatLines(lines: readonly Line[], baseline: Results): string {
  const hasPeer = lines.some(({ peer }) => peer !== undefined);
  const head = [
    "case",
    "what",
    "unit",
    "Parley",
    "lowest",
    "highest",
    "compared",
    "with",
    "result",
    "aim",
    "met",
    "baseline",
    "change",
  ];
  return formatTable(
    [...head, ...(hasPeer ? [PEER_NAME, `${PEER_NAME} to Parley`] : [])],
    lines.map((line) => {
      const { name, title, unit, ours, theirs, comparedWith = "", aim, peer } = line;
      const result = resultOf(line);
      return [
        name,
        title,
        unit,
        median(ours),
        Math.min(...ours),
        Math.max(...ours),
        theirs === undefined ? "" : formatNumber(median(theirs)),
        comparedWith,
        formatResult(line, result),
        aim === undefined ? "" : `≤ ${formatResult(line, aim)}`,
        aim === undefined ? "" : result <= aim ? "yes" : "no",
        baseline[name] === undefined ? "" : formatResult(line, baseline[name]),
        formatChange(line, changeOf(line, baseline[name])),
        ...(hasPeer ? formatPeer(ours, peer) : []),
      ];
    }),
  );
}

function formatResult({ unit, judgedBy }: Line, result: number): string {
  if (judgedBy === "ratio") return `${formatNumber(result)}×`;
  return `${judgedBy === "more" && result > 0 ? "+" : ""}${formatNumber(result)} ${unit}`;
}

function formatChange({ noise }: Line, change: number | undefined): string {
  if (change === undefined) return "";
  const percent = `${change > 0 ? "+" : ""}${Math.round(change * 100)} %`;
  if (Math.abs(change) <= noise) return percent;
  return `${percent}, ${change > 0 ? "worse" : "better"}`;
}

function formatPeer(ours: readonly number[], peer: readonly number[] | undefined): string[] {
  if (peer === undefined) return ["", ""];
  return [formatNumber(median(peer)), `${formatNumber(median(peer) / median(ours))}×`];
}
