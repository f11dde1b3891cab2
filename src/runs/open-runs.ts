import { randomText } from "../lib/ids.ts";
import type { Store } from "../store/store.ts";
import { openChangeFeed } from "./change-feed.ts";
import { createEventReader } from "./event-reader.ts";
import { startKeeper } from "./keeper.ts";
import type { RunsOptions } from "./options.ts";
import { createQueue } from "./queue.ts";
import { createRunService, type RunService } from "./run-service.ts";
import { startSweeper } from "./sweeper.ts";
import type { Webhooks } from "./webhooks.ts";
import { startWorker } from "./worker.ts";

/** Runs whose store is open. */
export interface OpenRuns {
  readonly service: RunService;
  /** How many runs this process works on. */
  readonly running: number;
  /** Takes no more work. What is under way may end until the signal is aborted, and is put back then. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** Time for what has to be put back, when the time to end is over; and for queries that can't be ended, after that. */
const LAST_WRITES_MS = 2_000;
const LAST_ANSWERS_MS = 1_000;

/** Opens the store, and begins to work. */
export async function openRuns(options: RunsOptions): Promise<OpenRuns> {
  const { settings, logger } = options;
  const store = await options.store.open();
  const queue = createQueue(store, `worker_${randomText(16)}`, settings);
  const hurry = new AbortController();
  if (store.isSole) await queue.recover(true);
  const webhooks = await openWebhooks(store, options);
  const wakeWebhooks = (): void => webhooks?.wake();
  const feed = openChangeFeed(store);
  const worker = startWorker({
    store,
    queue,
    options,
    hurry: hurry.signal,
    places: settings.workers,
    onSettled: wakeWebhooks,
  });
  const { executions } = worker;
  const stopKeeper = startKeeper({ queue, executions, leaseMs: settings.leaseMs, logger, onRecovered: wakeWebhooks });
  const stopSweeper = startSweeper(store, logger);
  return {
    service: createRunService({ store, feed, reader: createEventReader(store), options, onEnded: wakeWebhooks }),
    get running() {
      return executions.size;
    },
    async stop(deadline) {
      const late = Promise.withResolvers<void>();
      const prevent = [
        onceAfter(deadline, LAST_WRITES_MS, () => hurry.abort(new Error("the server is going down"))),
        // What a store that is away still owes is found by its leases.
        onceAfter(deadline, LAST_WRITES_MS + LAST_ANSWERS_MS, late.resolve),
      ];
      const done = Promise.all([worker.stop(deadline), webhooks?.stop(deadline), stopSweeper()]).then(stopKeeper);
      await Promise.race([done, late.promise]);
      for (const it of prevent) it();
      feed.close();
    },
  };
}

/** What it takes to send is loaded only where it is needed. */
async function openWebhooks(store: Store, options: RunsOptions): Promise<Webhooks | undefined> {
  const { settings, logger, webhookDelaysMs } = options;
  const { secret, timeoutMs } = settings.webhook;
  if (secret === undefined) return undefined;
  const [{ createWebhookSender }, { startWebhooks }] = await Promise.all([
    import("./webhook-sender.ts"),
    import("./webhooks.ts"),
  ]);
  const sender = createWebhookSender({ secret, timeoutMs }, options);
  return startWebhooks({ store, settings: settings.webhook, sender, logger, delaysMs: webhookDelaysMs });
}

/** Does something that many milliseconds after a signal. Returns what prevents it. */
function onceAfter(signal: AbortSignal, ms: number, work: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(work, ms);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", begin);
  };
}
