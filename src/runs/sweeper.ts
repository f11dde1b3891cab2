import type { Store } from "../store/store.ts";
import type { Logger } from "../telemetry/logger.ts";

/** How often is looked for runs that have expired; each pause is up to a fifth shorter or longer, so that replicas take turns. */
const EVERY_MS = 60_000;

/** Most runs that are deleted in one transaction. */
const BATCH = 200;

/** Deletes runs that have expired, with all that they gave. Returns what ends it. */
export function startSweeper(store: Store, logger: Logger): () => Promise<void> {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> = Promise.resolve();
  const plan = (): void => {
    timer = setTimeout(
      () => {
        sweeping = turn();
      },
      EVERY_MS * (0.8 + Math.random() * 0.4),
    );
  };
  const turn = async (): Promise<void> => {
    try {
      while (!isStopped && (await sweep(store)) === BATCH);
    } catch (thrown) {
      logger.warn({ err: thrown }, "expired runs could not be deleted");
    }
    if (!isStopped) plan();
  };
  plan();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await sweeping;
  };
}

/** Deletes some of the runs that have expired, and returns how many. */
export function sweep(store: Store): Promise<number> {
  return store.transact(async (transaction) => {
    const expired = transaction.selectFrom("runs").select("uid").where("expires_at", "<", store.now).limit(BATCH);
    const uids = (await store.lockRows(expired).execute()).map(({ uid }) => uid);
    if (uids.length === 0) return 0;
    // Their events and webhooks go with them.
    await transaction.deleteFrom("runs").where("uid", "in", uids).execute();
    for (const uid of uids) await store.notify(transaction, "run_changed", uid);
    return uids.length;
  });
}
