import type { SpendBatch, SpendLedger } from "../../admission/limits/spend-ledger.ts";
import type { RequestLogSettings } from "../../config/settings.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { sleep } from "../../lib/sleep.ts";
import { createRequestRows } from "../../store/requests.ts";
import type { RequestTable } from "../../store/schema.ts";
import type { LateStore } from "../../store/store.ts";
import { storeFault } from "../../store/store-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { createRetention, type Retention } from "./retention.ts";
import { RowQueue } from "./row-queue.ts";

/** Where money comes from that callers have spent, and that is not written yet. */
export type PendingSpend = Pick<SpendLedger, "takePending">;

/** What the log of requests is made of. */
export interface RequestLogOptions {
  readonly store: LateStore;
  readonly settings: RequestLogSettings;
  readonly logger: Logger;
  /** Is written in the same transactions as the rows. */
  readonly spend?: PendingSpend;
}

/** The log of requests, as this process writes it. */
export interface RequestLog {
  /** Takes the row of a call that is over. It is written soon, off the call's way; this never fails. */
  record(row: RequestTable): void;
  /** There is something to write besides rows: money that was spent after its call's row was taken. */
  wake(): void;
  /** Resolves when all that was recorded so far is written, or can't be written now. It never rejects. */
  flush(): Promise<void>;
  /** Goes on with other settings. */
  change(settings: RequestLogSettings): void;
  /** Writes what is left, for at most five seconds, and ends. */
  close(): Promise<void>;
  /** How many rows wait to be written. */
  readonly waiting: number;
  /** How many rows were lost since the start. */
  readonly dropped: number;
}

/** What waits for a store that is away: so many rows, with so many characters of contents. */
const BOUNDS = { maxRows: 10_000, maxContent: 64 * 1024 * 1024 };

/** Rows are written when the first of them has waited so long, or when there are so many, or so many characters of contents. */
const BATCH_MS = 1_000;
const BATCH_ROWS = 500;
const BATCH_CONTENT = 8 * 1024 * 1024;

/** How long it waits after a failure: twice as long each time. A store that can't be opened is tried again after the longest time. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** How long closing may take, and how long it waits after a failure meanwhile. */
const CLOSE_MS = 5_000;
const CLOSE_RETRY_MS = 250;

/** Makes the log of requests. It opens the store when there is something to write, and not before. */
export function createRequestLog(options: RequestLogOptions): RequestLog {
  return new Writer(options);
}

/** What is written at once, all or nothing. */
interface Batch {
  readonly rows: readonly RequestTable[];
  readonly spend: SpendBatch | undefined;
}

/** What came of a batch. */
type Outcome = "written" | "nothing" | "failed";

class Writer implements RequestLog {
  readonly #options: RequestLogOptions;
  readonly #queue = new RowQueue(BOUNDS);
  readonly #retention: Retention;
  #settings: RequestLogSettings;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the timer does not wait for more rows. */
  #isUrgent = false;
  /** The batch under way. */
  #writing: Promise<Outcome> | undefined;
  /**
   * What is being written, or may have been: where the store was lost meanwhile, nobody knows. It is written again as it is, because a
   * batch that is there already changes nothing.
   */
  #batch: Batch | undefined;
  /** Becomes smaller where it is not the store that fails, until it is known which row it is. */
  #batchRows = BATCH_ROWS;
  /** 0: the last batch was written. */
  #retryMs = 0;
  /** How many rows were lost when rows could be written last. */
  #droppedBefore = 0;
  #saidLost = false;
  #closed: Promise<void> | undefined;

  constructor(options: RequestLogOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const { store, logger } = options;
    this.#retention = createRetention({ store, logger, retentionMs: () => this.#settings.retentionMs });
  }

  get waiting(): number {
    return this.#queue.size + (this.#batch?.rows.length ?? 0);
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  record(row: RequestTable): void {
    if (this.#settings.enabled) {
      this.#queue.add(row);
      this.#sayLost();
    }
    this.wake();
  }

  wake(): void {
    const isFull = this.#queue.size >= this.#batchRows || this.#queue.content >= BATCH_CONTENT;
    const isIdle = this.#retryMs === 0 && this.#writing === undefined;
    if (isFull && isIdle && !this.#isUrgent) this.#arm(0);
    else if (this.#timer === undefined) this.#arm(this.#retryMs || BATCH_MS);
  }

  async flush(): Promise<void> {
    const { added } = this.#queue;
    while (this.#queue.added - this.waiting < added) if ((await this.#write()) === "failed") return;
  }

  change(settings: RequestLogSettings): void {
    this.#settings = settings;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #arm(afterMs: number): void {
    if (this.#closed !== undefined) return;
    clearTimeout(this.#timer);
    this.#isUrgent = afterMs === 0;
    this.#timer = setTimeout(() => void this.#tick(), afterMs).unref();
  }

  async #tick(): Promise<void> {
    this.#timer = undefined;
    this.#isUrgent = false;
    const outcome = await this.#write();
    if (outcome === "failed") this.#arm(this.#retryMs);
    // Once more than there are rows: what a call has spent may be told after its row.
    else if (outcome === "written") this.#arm(this.#queue.size >= this.#batchRows ? 0 : BATCH_MS);
  }

  #write(): Promise<Outcome> {
    this.#writing ??= this.#writeBatch().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeBatch(): Promise<Outcome> {
    this.#batch ??= this.#nextBatch();
    if (this.#batch === undefined) return "nothing";
    const { rows, spend } = this.#batch;
    try {
      const store = await this.#options.store.open();
      await createRequestRows(store).insert(rows, spend?.spendings);
    } catch (thrown) {
      this.#failed(this.#batch, GatewayError.from(thrown));
      return "failed";
    }
    this.#batch = undefined;
    spend?.stored();
    this.#succeeded();
    return "written";
  }

  #nextBatch(): Batch | undefined {
    const rows = this.#queue.take(this.#batchRows);
    const spend = this.#options.spend?.takePending();
    return rows.length === 0 && spend === undefined ? undefined : { rows, spend };
  }

  #failed(batch: Batch, error: GatewayError): void {
    const { store, logger } = this.#options;
    const isOpen = store.opened !== undefined;
    if (this.#retryMs === 0) {
      const why = storeFault(error) ?? error.message;
      logger.error({ err: error }, `the log of requests can't be written now, and it is tried again: ${why}`);
    }
    this.#retryMs = isOpen ? Math.min(Math.max(FIRST_RETRY_MS, this.#retryMs * 2), LAST_RETRY_MS) : LAST_RETRY_MS;
    if (!isOpen || error.reason !== Reason.UNAVAILABLE) this.#takeApart(batch, isOpen);
    this.#sayLost();
  }

  /** Takes a batch back that was certainly not written; `isRefused`: because of something that is in it. */
  #takeApart({ rows, spend }: Batch, isRefused: boolean): void {
    this.#batch = undefined;
    spend?.restore();
    // No other row is to wait for one that can't be written.
    if (isRefused && rows.length === 1) this.#queue.drop(1);
    else this.#queue.putBack(rows);
    if (isRefused) this.#batchRows = Math.max(1, Math.floor(rows.length / 2));
  }

  #succeeded(): void {
    this.#batchRows = Math.min(this.#batchRows * 2, BATCH_ROWS);
    const lost = this.dropped - this.#droppedBefore;
    this.#droppedBefore = this.dropped;
    this.#saidLost = false;
    if (this.#retryMs === 0) return;
    this.#retryMs = 0;
    this.#options.logger.info({ lost }, "the log of requests is written again");
  }

  /** Says, once until rows are written again, that there are too many to keep. */
  #sayLost(): void {
    if (this.#saidLost || this.dropped === this.#droppedBefore) return;
    this.#saidLost = true;
    this.#options.logger.error({ waiting: this.waiting }, "rows of the log of requests are lost");
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#retention.close();
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(), CLOSE_MS);
    await Promise.race([this.#writeAll(end.signal), aborted(end.signal)]);
    clearTimeout(timer);
    if (this.waiting === 0) return;
    this.#options.logger.error(
      { lost: this.waiting },
      "rows of the log of requests could not be written before the end",
    );
  }

  /** Writes until there is nothing left. */
  async #writeAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const outcome = await this.#write();
      if (outcome === "nothing") return;
      if (outcome === "written") continue;
      // What could not be opened until now will not be in a moment.
      if (this.#options.store.opened === undefined) return;
      await sleep(CLOSE_RETRY_MS, signal).catch(() => undefined);
    }
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
