import { ADMISSIONS, type AdmissionFigures } from "./admission.ts";
import { median } from "./median.ts";
import { MANY_TARGETS, ROUTES, type RoutingFigures } from "./routing.ts";
import type { RunsFigures } from "./runs.ts";
import { formatTable } from "./table.ts";
import type { WorkerShare } from "./worker-share.ts";
import type { WorkersFigures } from "./workers.ts";

/** The table of routing: medians of CPU time in µs, and of what many targets cost more than one in the same round. */
export function formatRouting(figures: readonly RoutingFigures[]): string {
  return formatTable(
    ["CPU µs of a call, without its upstream", "1 target", `${MANY_TARGETS} targets`, "more", "lowest", "highest"],
    figures.map(({ route, one, many }) => {
      const more = many.map((cost, round) => cost - (one[round] as number));
      return [ROUTES[route].title, median(one), median(many), median(more), Math.min(...more), Math.max(...more)];
    }),
  );
}

/**
 * The table of admission: medians of CPU time in µs, the lowest and the highest, how long a call waits, and what it costs beside a PING
 * of as many at once; 0 where there is no Redis.
 */
export function formatAdmission(figures: readonly AdmissionFigures[]): string {
  const costOf = (atOnce: number): number => {
    const ping = figures.find(({ admission }) => admission === (atOnce === 1 ? "ping" : "pings"));
    return ping === undefined ? Infinity : median(ping.costs.map(({ cpu }) => cpu));
  };
  return formatTable(
    ["µs of a call, admitted and settled", "CPU", "lowest", "highest", "waits", "CPU to a PING's"],
    figures.map(({ admission, costs }) => {
      const { title, atOnce } = ADMISSIONS[admission];
      const cpu = costs.map((cost) => cost.cpu);
      const wait = median(costs.map((cost) => cost.wait));
      return [title, median(cpu), Math.min(...cpu), Math.max(...cpu), wait, median(cpu) / costOf(atOnce)];
    }),
  );
}

/** The table of workers: medians over the rounds, and how many calls a second there are beside those of one worker. */
export function formatWorkers(figures: readonly WorkersFigures[]): string {
  const [alone] = figures;
  return formatTable(
    [
      "workers",
      "CPU µs of a call, in all processes",
      "calls a second",
      "to one worker's",
      "CPU µs of a call in the client",
    ],
    figures.map(({ workers, cpuMicros, callsPerSecond, clientMicros }) => {
      const ratio = median(callsPerSecond) / median(alone?.callsPerSecond ?? []);
      return [workers, median(cpuMicros), median(callsPerSecond), ratio, median(clientMicros)];
    }),
  );
}

/**
 * The table of a worker that has a processor to itself: medians of CPU time in µs, and how many calls two of them answer beside one process,
 * where each process has a processor. That is twice as many for workers that need no more for a call, unless the first process can't keep up.
 */
export function formatWorkerShare({ alone, worker, primary }: WorkerShare): string {
  const scale = alone.map((cost, round) =>
    Math.min((2 * cost) / (worker[round] as number), cost / (primary[round] as number)),
  );
  return formatTable(
    ["CPU µs of a call in", "median", "lowest", "highest"],
    [
      ["the only process", ...spreadOf(alone)],
      ["one of two workers", ...spreadOf(worker)],
      ["their first process", ...spreadOf(primary)],
      ["calls of two workers to one process's, each with a processor", ...spreadOf(scale)],
    ],
  );
}

const spreadOf = (costs: readonly number[]): number[] => [median(costs), Math.min(...costs), Math.max(...costs)];

/** The table of runs: medians over the rounds. */
export function formatRuns(figures: readonly RunsFigures[]): string {
  return formatTable(
    ["runs of one process", "runs a second", "to the first event, ms", "99th percentile, ms"],
    figures.map(({ store, runsPerSecond, firstMs, firstMsOfSlowest }) => [
      store,
      runsPerSecond,
      firstMs,
      firstMsOfSlowest,
    ]),
  );
}
