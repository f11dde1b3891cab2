import { readdirSync, readFileSync } from "node:fs";

/** Length of a clock tick of /proc: Linux reports times to all programs in hundredths of a second. */
const TICK_MS = 10;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
}

/** CPU time of a process and all processes that it has started, in milliseconds, to 10 ms. Reads /proc, so it works on Linux alone. */
export function treeCpuMs(root: number): number {
  return readTree(root).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** Resident memory of a process and all processes that it has started, in megabytes (of a million bytes). */
export function treeResidentMb(root: number): number {
  return readTree(root).reduce((sum, { pid }) => sum + residentMb(pid), 0);
}

function readTree(root: number): Stat[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readStat);
  const below = (pid: number): Stat[] =>
    all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(child.pid)]);
  return [...all.filter(({ pid }) => pid === root), ...below(root)];
}

function residentMb(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

function readStat(pid: string): Stat[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return []; // It has ended since the folder was read.
  }
  // Behind the name, which is in parentheses and may hold anything: state, parent, … user and system time, those of ended children.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return [{ pid: Number(pid), parent: Number(fields[1]), cpuMs: ticks * TICK_MS }];
}
