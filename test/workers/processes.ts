/** The processes of a gateway with several workers, as the system has them. */
import { readFileSync } from "node:fs";
import { until } from "../support/collect.ts";

/** Whether the system tells which processes another one has started. */
export const TELLS_CHILDREN = process.platform === "linux";

/** Process ids of the workers that a primary has now; none where it has ended. */
export function workersOf(primary: number | undefined): number[] {
  try {
    const children = readFileSync(`/proc/${primary}/task/${primary}/children`, "utf8").split(" ").filter(Boolean);
    // A compiler may be another child of it.
    return children.map(Number).filter((pid) => argumentsOf(pid).at(-1) === "worker");
  } catch {
    return [];
  }
}

/** Whether a process is there, and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Kills a process, and waits until it is gone. */
export async function killHard(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  await until(() => !isAlive(pid), "the process is gone");
}

function argumentsOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
}
