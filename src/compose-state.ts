/** The part of the composition root that outlives every reload: what is kept, and who is held to what. */
import { createLimiter } from "./admission/limits/create-limiter.ts";
import type { Limiter } from "./admission/limits/limiter.ts";
import { createStoredSpend } from "./admission/limits/stored-spend.ts";
import { createStoredKeys, type StoredKeys } from "./admission/stored-keys.ts";
import type { Settings } from "./config/settings.ts";
import { createRequestLog, type RequestLog } from "./gateway/request-log/request-log.ts";
import { createLateStore } from "./store/late-store.ts";
import type { LateStore } from "./store/store.ts";
import { storeFault } from "./store/store-error.ts";
import type { Logger } from "./telemetry/logger.ts";
import type { StateGauge } from "./telemetry/state-gauge.ts";
import type { Crew } from "./workers/crew.ts";
import { connectionsOfOne } from "./workers/share.ts";

/** What is kept between calls, for as long as the process lives. */
export interface State {
  readonly store: LateStore;
  readonly keys: StoredKeys;
  readonly limiter: Limiter;
  readonly requestLog: RequestLog;
  /** Writes what has been recorded so far, by all workers. It never rejects. */
  flushRequestLogs(): Promise<void>;
  /** For metrics. */
  gauge(): StateGauge;
  /** What is away, and what the gateway does without it; empty: nothing. */
  degraded(): Readonly<Record<string, string>>;
  /** Writes what is to be written, and lets go of database and Redis. Calls must have ended. */
  close(): Promise<void>;
}

/**
 * Opens what is kept: a database that is there already at once, and a new one when it is first needed. Rejects with a StoreError where the
 * database can't be used as it is; one that is only away is waited for. `crew`: of a worker, which keeps with the others what can be kept
 * once only.
 */
export async function openState(settings: Settings, logger: Logger, crew?: Crew): Promise<State> {
  const { redisUrl } = settings;
  const store = openStore(settings, crew);
  const keys = createStoredKeys({ store, logger });
  const isShared = settings.store.databaseUrl !== undefined || settings.workers > 1;
  const spend = createStoredSpend(store, isShared);
  const requestLog = createRequestLog({ store, settings: settings.requestLog, logger, spend });
  const limiter =
    crew === undefined || redisUrl !== undefined ? await createLimiter({ redisUrl, spend, logger }) : crew.limiter;
  try {
    await keys.start();
  } catch (error) {
    const fault = storeFault(error);
    if (fault !== undefined) {
      keys.close();
      await limiter.close();
      await store.close();
      throw error;
    }
    logger.warn({ err: error }, "the database is away; it is tried again");
  }
  return {
    store,
    keys,
    limiter,
    requestLog,
    flushRequestLogs: async () => void (await Promise.all([requestLog.flush(), crew?.flushRequestLogs()])),
    gauge: () => ({
      requestsWaiting: requestLog.waiting,
      requestsDropped: requestLog.dropped,
      areLimitsLocal: limiter.isLocal,
      isStoreAway: store.isAway,
    }),
    degraded: () => ({
      ...(store.isAway ? { database: "keys that are known go on; runs and the log of requests wait" } : {}),
      ...(limiter.isLocal ? { redis: "each replica grants its share of the limits" } : {}),
    }),
    async close() {
      keys.close();
      // What was settled last is money to be written.
      await limiter.close();
      await requestLog.close();
      await store.close();
    },
  };
}

/** PostgreSQL is each process's own to connect to; the built-in database is the primary's. */
function openStore({ store, workers }: Settings, crew: Crew | undefined): LateStore {
  if (crew !== undefined && store.databaseUrl === undefined)
    return createLateStore(store, { openStore: () => crew.openStore() });
  return createLateStore(store, { maxConnections: connectionsOfOne(workers) });
}
