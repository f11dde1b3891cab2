import type { Logger } from "../telemetry/logger.ts";
import type { Execution } from "./execution.ts";
import type { Queue } from "./queue.ts";

/** What a keeper is made of. */
export interface KeeperParts {
  readonly queue: Queue;
  /** What this process works on. */
  readonly executions: ReadonlySet<Execution>;
  readonly leaseMs: number;
  readonly logger: Logger;
  /** Runs of lost workers have ended, or wait again. */
  readonly onRecovered: () => void;
}

/** Keeps the leases of this process, and recovers the runs of lost ones. Returns what ends it. */
export function startKeeper({ queue, executions, leaseMs, logger, onRecovered }: KeeperParts): () => Promise<void> {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let turning: Promise<void> = Promise.resolve();

  /** Own leases first: what could not be kept while the store was away is not to be recovered by its own worker. */
  const turn = async (): Promise<void> => {
    try {
      await renew(queue, executions);
      if ((await queue.recover(false)) > 0) onRecovered();
    } catch (thrown) {
      logger.warn({ err: thrown }, "leases of runs could not be kept");
    }
    if (!isStopped) plan();
  };
  const plan = (): void => {
    timer = setTimeout(() => {
      turning = turn();
    }, leaseMs / 3);
  };
  plan();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await turning;
  };
}

async function renew(queue: Queue, executions: ReadonlySet<Execution>): Promise<void> {
  const asked = [...executions];
  if (asked.length === 0) return;
  const leases = new Map((await queue.renew(asked.map(({ run }) => run.uid))).map((lease) => [lease.uid, lease]));
  for (const execution of asked) {
    const lease = leases.get(execution.run.uid);
    if (lease?.attempt !== execution.run.attempt) execution.lost();
    else if (lease.cancel_requested !== 0) execution.cancel();
  }
}
