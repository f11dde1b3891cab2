import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../support/commands.ts";

/** Another process that uses a store. */
export interface Child {
  /** The first line that it says. */
  readonly said: Promise<string>;
  /** All lines so far. */
  readonly lines: readonly string[];
  /** Kills it as nothing can hinder, and waits until it is gone and all that it said was heard. */
  kill(): Promise<void>;
  /** Waits until it has ended by itself. */
  readonly ended: Promise<unknown>;
}

/** Starts one; see child.ts. */
export function startChild(task: "hold" | "insert" | "open", place: string, prefix = ""): Child {
  const child = spawn(
    process.execPath,
    ["--import", "tsx/esm", join(import.meta.dirname, "child.ts"), task, place, prefix],
    { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const first = once(reader, "line").then(([line]) => line as string);
  reader.on("line", (line) => lines.push(line));
  const ended = Promise.all([once(child, "exit"), once(reader, "close")]);
  return {
    said: Promise.race([first, ended.then(() => "nothing")]),
    lines,
    ended,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
