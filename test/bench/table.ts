/** Lays out lines of cells as a Markdown table that also reads well as text; numbers stand to the right. */
export function formatTable(head: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  const cells = lines.map((line) => line.map((cell) => (typeof cell === "number" ? formatNumber(cell) : cell)));
  const isNumber = head.map((_, column) => lines.every((line) => typeof line[column] === "number"));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => (line[column] as string).length)),
  );
  const layOut = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => pad(cell, widths[column] as number, isNumber[column] === true)).join(" | ")} |`;
  const rule = widths.map((width, column) => (isNumber[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [layOut(head), layOut(rule), ...cells.map(layOut)].join("\n");
}

/** Three digits that count, or all of a whole part that is longer. What is counted is whole. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1)))));
}

const pad = (cell: string, width: number, toTheRight: boolean): string =>
  toTheRight ? cell.padStart(width) : cell.padEnd(width);
