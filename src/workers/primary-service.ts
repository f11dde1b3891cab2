import type { SqliteSession } from "../store/sqlite/sqlite-session.ts";
import type { ReadMetrics } from "../telemetry/merge-metrics.ts";
import type { Channel } from "./channel.ts";
import type { PrimaryService, WorkerService } from "./protocol.ts";
import type { SharedState } from "./shared-state.ts";

/** What a worker is served with. */
export interface ServiceParts {
  readonly shared: SharedState;
  /** Are told of its connections. */
  readonly door: Pick<PrimaryService, "taken" | "closed">;
  /** Has the worker give back what it holds ahead of a caller's calls. */
  recall(caller: string): Promise<void>;
  /** The other workers that there are now. */
  others(): readonly Channel<WorkerService>[];
  /** Reads the metrics of all workers. */
  readMetrics(): Promise<ReadMetrics>;
}

/** The service of the primary for one worker. */
export interface WorkerDesk {
  readonly service: PrimaryService;
  /** The worker is gone: gives back what it held. */
  close(): Promise<void>;
}

/** Makes the service for a worker. */
export function createWorkerDesk({ shared, door, recall, others, readMetrics }: ServiceParts): WorkerDesk {
  const limits = shared.lender.open(recall);
  let opening: Promise<SqliteSession> | undefined;
  let isClosed = false;

  const open = async (): Promise<SqliteSession> => {
    try {
      const session = await shared.openSession();
      if (isClosed) await session.close();
      return session;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  const session = (): Promise<SqliteSession> => {
    opening ??= open();
    return opening;
  };
  const { reserve, settle, undo, standing } = limits;
  return {
    service: {
      ...door,
      reserve,
      settle,
      undo,
      standing,
      openStore: async () => void (await session()),
      query: async (statement, parameters) => (await session()).query(statement, parameters),
      notify(channel, payload) {
        for (const other of others()) other.tell("heard", channel, payload);
      },
      keep(memory) {
        for (const other of others()) other.tell("remember", memory);
      },
      readMetrics,
      flushRequestLogs: async () => {
        // One that can't has said so in its log.
        await Promise.allSettled(others().map((other) => other.ask("flushRequestLog")));
      },
    },
    async close() {
      isClosed = true;
      limits.close();
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
    },
  };
}
