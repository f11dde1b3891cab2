import { createAlarm } from "../lib/alarm.ts";
import type { Store } from "../store/store.ts";
import { Execution, type ExecutionParts } from "./execution.ts";
import { createLimitedOwners } from "./limited-owners.ts";
import type { ClaimedRun } from "./queue.ts";

/** What a worker is made of. */
export interface WorkerParts extends ExecutionParts {
  readonly store: Store;
  /** How many runs it works on at once; 0: none. */
  readonly places: number;
  /** A run has ended, or waits again. */
  readonly onSettled: () => void;
}

/** Takes runs from the queue and executes them. */
export interface Worker {
  /** The executions that are under way. */
  readonly executions: ReadonlySet<Execution>;
  /** Takes no more. Those under way may end by themselves until the signal is aborted, and are put back then. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** How often it looks without having been told: for runs that had to wait, and where nobody could tell. */
const POLL_MS = 1_000;

/** Starts a worker. */
export function startWorker(parts: WorkerParts): Worker {
  const { store, queue, places, options } = parts;
  const executions = new Set<Execution>();
  const limited = createLimitedOwners();
  const alarm = createAlarm();
  let isStopping = false;

  const wake = (): void => alarm.ring();
  const unlisten = [
    store.listen("runs_ready", wake, wake),
    store.listen("run_cancel", (uid) => {
      for (const execution of executions) if (execution.run.uid === uid) execution.cancel();
    }),
  ];

  const work = async (run: ClaimedRun): Promise<void> => {
    let execution: Execution | undefined;
    try {
      execution = new Execution(run, parts);
      executions.add(execution);
      const outcome = await execution.execute();
      if (outcome.kind === "put_back") {
        const { afterMs, isLimited } = outcome.delay;
        if (isLimited) limited.add(run.owner, afterMs);
        alarm.ringIn(afterMs);
      }
    } catch (thrown) {
      options.logger.error({ runUid: run.uid, err: thrown }, "what came of a run could not be stored");
    } finally {
      if (execution !== undefined) executions.delete(execution);
      parts.onSettled();
      wake();
    }
  };

  const claim = async (): Promise<void> => {
    const free = places - executions.size;
    if (free <= 0) return;
    try {
      for (const run of await queue.claim(free, limited.list())) void work(run);
    } catch (thrown) {
      options.logger.warn({ err: thrown }, "no run could be taken from the queue");
    }
  };

  const loop = async (): Promise<void> => {
    while (!isStopping) {
      await claim();
      await alarm.sleep(POLL_MS);
    }
  };
  const looping = places > 0 ? loop() : Promise.resolve();

  return {
    executions,
    async stop(deadline) {
      isStopping = true;
      wake();
      await looping;
      const interrupt = (): void => {
        for (const execution of executions) execution.interrupt();
      };
      if (deadline.aborted) interrupt();
      deadline.addEventListener("abort", interrupt);
      while (executions.size > 0) await alarm.sleep(POLL_MS);
      deadline.removeEventListener("abort", interrupt);
      for (const end of unlisten) end();
    },
  };
}
