import { readdirSync, readFileSync } from "node:fs";

/** Length of a clock tick of /proc: Linux reports times to all programs in hundredths of a second. */
const TICK_MS = 10;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
}

/**
 * CPU time of a process and all processes that it has started, in milliseconds, to 10 ms; those that have ended count, too. Reads /proc,
 * so it works on Linux alone.
 */
export function treeCpuMs(root: number): number {
  return readTree(root).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** CPU time of a process and all processes that it has started, with all of their threads, in µs. Threads that have ended do not count. */
export function treeCpuUs(root: number): number {
  return readTree(root).reduce((sum, { pid }) => sum + cpuUs(pid), 0);
}

/** The processes that a process has started. */
export const childrenOf = (root: number): number[] =>
  readTree(root)
    .filter(({ parent }) => parent === root)
    .map(({ pid }) => pid);

/**
 * CPU time of a process, with all of its threads, in µs. The first number of schedstat is the time on a CPU, in ns
 * (https://docs.kernel.org/scheduler/sched-stats.html).
 */
export function cpuUs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce((sum, task) => {
    const stat = readIfThere(`${tasks}/${task}/schedstat`);
    return stat === undefined ? sum : sum + Number.parseInt(stat, 10) / 1000;
  }, 0);
}

/** Resident memory of a process and all processes that it has started, in megabytes (of a million bytes). */
export function treeResidentMb(root: number): number {
  return readTree(root).reduce((sum, { pid }) => sum + memoryMb(pid, "VmRSS"), 0);
}

/** The most that resident memory of a process came to since it was started, in megabytes. */
export const peakResidentMb = (pid: number): number => memoryMb(pid, "VmHWM");

function readTree(root: number): Stat[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readStat);
  const below = (pid: number): Stat[] =>
    all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(child.pid)]);
  return [...all.filter(({ pid }) => pid === root), ...below(root)];
}

function memoryMb(pid: number, name: "VmRSS" | "VmHWM"): number {
  const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

function readStat(pid: string): Stat[] {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return [];
  // Behind the name, which is in parentheses and may hold anything: state, parent, … user and system time, those of ended children.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return [{ pid: Number(pid), parent: Number(fields[1]), cpuMs: ticks * TICK_MS }];
}

/** What is in a file of /proc; undefined when its process or thread has ended since its folder was read. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
