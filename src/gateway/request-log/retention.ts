import { createRequestRows } from "../../store/requests.ts";
import type { LateStore } from "../../store/store.ts";
import type { Logger } from "../../telemetry/logger.ts";

/** What deletes rows that are too old. */
export interface RetentionOptions {
  readonly store: LateStore;
  readonly logger: Logger;
  /** How long rows are kept, at this time. */
  retentionMs(): number;
  /** How often it looks whether it is time, and whether the store is open; unset: about every 30 seconds. */
  readonly lookMs?: number;
}

/** Deletes rows that are too old, from time to time. */
export interface Retention {
  /** Deletes no more. */
  close(): void;
}

const LOOK_MS = 30_000;
const HOUR_MS = 3_600_000;

/**
 * Begins to delete what is too old: soon after the store was opened, which it does not do itself, and then about once an hour. Replicas do
 * it at different times.
 */
export function createRetention({ store, logger, retentionMs, lookMs = LOOK_MS }: RetentionOptions): Retention {
  const end = new AbortController();
  let next = 0;
  const look = async (): Promise<void> => {
    const { opened } = store;
    const now = Date.now();
    if (opened === undefined || now < next) return;
    next = now + HOUR_MS * (0.9 + Math.random() * 0.2);
    try {
      await createRequestRows(opened).deleteBefore(now - retentionMs(), end.signal);
    } catch (error) {
      logger.warn({ err: error }, "old rows of the log of requests could not be deleted; it is tried again");
    }
  };
  const timer = setInterval(() => void look(), lookMs * (0.8 + Math.random() * 0.4)).unref();
  return {
    close() {
      end.abort();
      clearInterval(timer);
    },
  };
}
