import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { createLateStore } from "../../../src/store/late-store.ts";
import { sqlitePlace } from "../../support/stores.ts";
import { allRows } from "./support/rows.ts";

/** Ends a process that writes by a signal, when it has said so many lines. Returns the last line, and how many rows there are. */
async function endBy(
  signal: NodeJS.Signals,
  afterLines: number,
): Promise<{ readonly said: string; readonly rows: number; readonly code: number | null }> {
  const { settings, remove } = await sqlitePlace();
  const script = join(import.meta.dirname, "support/writing-process.ts");
  const child = spawn(process.execPath, ["--import", "tsx/esm", script, settings.dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[code: number | null]>;
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  const read = once(output, "close");
  output.on("line", (line) => {
    lines.push(line);
    if (lines.length === afterLines) child.kill(signal);
  });
  const [code] = await exited;
  await read;
  const store = createLateStore(settings);
  const rows = (await allRows(await store.open())).length;
  await store.close();
  await remove();
  const last = lines.findLast((line) => line.startsWith(signal === "SIGTERM" ? "recorded" : "written")) ?? "";
  return { said: last, rows, code };
}

describe("a process that writes the log of requests", () => {
  it.each([1, 2, 5, 9, 20])("loses nothing when it is told to end after %d flushes", async (flushes) => {
    const { said, rows, code } = await endBy("SIGTERM", flushes);
    expect({ said, code }).toEqual({ said: `recorded ${rows}`, code: 0 });
  });

  it.each([1, 3, 12])("loses nothing that it has flushed when it is killed after %d flushes", async (flushes) => {
    const { said, rows } = await endBy("SIGKILL", flushes);
    expect(said).toMatch(/^written \d+$/);
    expect(rows).toBeGreaterThanOrEqual(Number(said.slice("written ".length)));
  });
});
