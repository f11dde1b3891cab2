import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What a process of the bench does: it is measured, it loads, or it is the upstream. */
export type Place = "server" | "load" | "upstream";

/** The CPUs that this process may use. */
function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

/** A CPU for each place; undefined where there is but one, or where nothing pins processes to them. */
function choose(): Readonly<Record<Place, number>> | undefined {
  const [load, server, upstream = load] = allowedCpus();
  if (load === undefined || server === undefined || upstream === undefined) return undefined;
  return spawnSync("taskset", ["--version"]).status === 0 ? { load, server, upstream } : undefined;
}

let chosen: ReturnType<typeof choose> | null = null;

function cpusOf(): ReturnType<typeof choose> {
  if (chosen === null) chosen = choose();
  return chosen;
}

/**
 * The words that stand before a command so that it keeps to the CPU of its place. What is measured has one of its own, so that it
 * neither waits for those who load it nor wanders about.
 */
export function pinned(place: Place): readonly string[] {
  const cpus = cpusOf();
  return cpus === undefined ? [] : ["taskset", "-c", String(cpus[place])];
}

/** Has a process that runs keep to the CPU of a place from now on, where one has it. */
export function pin(pid: number, place: Place): void {
  const cpus = cpusOf();
  if (cpus === undefined) return;
  const { status, stderr } = spawnSync("taskset", ["-a", "-c", "-p", String(cpus[place]), String(pid)]);
  if (status !== 0) throw new Error(`process ${pid} can't be pinned: ${stderr}`);
}
