/** The results that a line had when they were last written down, to see what has become of it. */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Line, resultOf } from "./line.ts";

/** Which bench it was: its small form warms up less, so its figures are others. */
export type Form = "full" | "small";

/** Results by name of the line. */
export type Results = Readonly<Record<string, number>>;

/** The results of each form. */
export type Baseline = Readonly<Record<Form, Results>>;

const FILE = fileURLToPath(new URL("baseline.json", import.meta.url));

/** Reads the one that is committed. */
export const readBaseline = async (): Promise<Baseline> => JSON.parse(await readFile(FILE, "utf8")) as Baseline;

/** Writes the results of lines into it. Those of other lines stay. */
export async function writeBaseline(form: Form, lines: readonly Line[]): Promise<void> {
  const before = await readBaseline();
  const results = { ...before[form], ...Object.fromEntries(lines.map((line) => [line.name, rounded(resultOf(line))])) };
  await writeFile(FILE, `${JSON.stringify({ ...before, [form]: results }, undefined, 2)}\n`);
}

/** How a line changed, as a part of the baseline's result; undefined where it has none. */
export function changeOf(line: Line, baseline: number | undefined): number | undefined {
  return baseline === undefined || baseline === 0 ? undefined : resultOf(line) / baseline - 1;
}

const rounded = (value: number): number => Number(value.toPrecision(3));
