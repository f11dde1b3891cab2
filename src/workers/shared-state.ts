import { createMemoryLimiter } from "../admission/limits/memory-limiter.ts";
import { createStoredSpend } from "../admission/limits/stored-spend.ts";
import type { Settings } from "../config/settings.ts";
import { createRequestLog } from "../gateway/request-log/request-log.ts";
import { createLateStore } from "../store/late-store.ts";
import type { SqliteSession } from "../store/sqlite/sqlite-session.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createLimitLender, type LimitLender } from "./limit-lender.ts";
import { connectionsOfOne } from "./share.ts";

/** What there is once for all workers, in the primary. Where there is PostgreSQL or Redis, workers use that by themselves, as replicas do. */
export interface SharedState {
  /** Counts the limits of all workers in memory. */
  readonly lender: LimitLender;
  /** Opens the database; the next call tries again where that failed. */
  open(): Promise<Store>;
  /** Begins a worker's session with the built-in database. */
  openSession(): Promise<SqliteSession>;
  /** Writes what is to be written, and lets go of the database. The workers must have ended. */
  close(): Promise<void>;
}

/** Makes it. Nothing is opened before somebody needs it. */
export function createSharedState(settings: Settings, logger: Logger): SharedState {
  const store = createLateStore(settings.store, { maxConnections: connectionsOfOne(settings.workers) });
  const spend = createStoredSpend(store, settings.store.databaseUrl !== undefined);
  // Its rows are the workers': what is left to write here is what was spent.
  const spendLog = createRequestLog({ store, settings: settings.requestLog, logger, spend });
  const limiter = createMemoryLimiter({
    spend: {
      ...spend,
      add(caller, nanoDollars) {
        spend.add(caller, nanoDollars);
        spendLog.wake();
      },
    },
  });
  const lender = createLimitLender({ limiter, spend, workers: settings.workers });
  let opening: Promise<Store> | undefined;

  async function openAlone(): Promise<Store> {
    try {
      const opened = await store.open();
      // Of the workers that there are now, none has begun with a run: what is under way was begun by processes that are gone.
      if (opened.isSole) {
        const { createQueue } = await import("../runs/queue.ts");
        await createQueue(opened, "primary", settings.runs).recover(true);
      }
      return opened;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  }

  const open = (): Promise<Store> => {
    opening ??= openAlone();
    return opening;
  };
  return {
    lender,
    open,
    async openSession() {
      const [{ db }, { createSqliteSession }] = await Promise.all([
        open(),
        import("../store/sqlite/sqlite-session.ts"),
      ]);
      return createSqliteSession(db);
    },
    async close() {
      await limiter.close();
      await spendLog.close();
      await store.close();
    },
  };
}
