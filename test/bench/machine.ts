import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { treeCpuMs } from "./process-tree.ts";

const TICK_MS = 10;

/** Watches what else the machine does from now on. */
export function watchMachine(): { describe(): string } {
  const begin = performance.now();
  const before = foreignMs();
  return {
    describe() {
      const cpus = (foreignMs() - before) / (performance.now() - begin);
      const others = `other processes used ${cpus.toFixed(2)} of ${availableParallelism()} CPUs`;
      return `Node ${process.versions.node}. Meanwhile ${others}.`;
    },
  };
}

/** CPU time of all processes but this one and those that it has started, since the machine was started. */
function foreignMs(): number {
  const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
  // User, nice, system, idle, waiting, interrupts.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS - treeCpuMs(process.pid);
}
