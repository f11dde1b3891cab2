import { createKeyRows, type KeyRows } from "../store/keys.ts";
import type { LateStore, Store } from "../store/store.ts";
import type { Logger } from "../telemetry/logger.ts";
import { within } from "./within.ts";

/** How often it is looked whether keys have changed, in milliseconds: a change has to be felt within a second. */
const LOOK_MS = 400;

/** How old a look may be that what is in memory is used by, and how long a call waits for one. */
const FRESH_MS = 1_000;

/** How long what was seen last holds while the database is away: keys that are known go on, and so does a gateway without any. */
export const AWAY_MS = 60_000;

/** How long it takes to try again to open a database that could not be opened. */
const REOPEN_MS = 2_000;

/** Knows whether what is in memory of the store's keys is as it is in the store. */
export interface KeyWatch {
  /**
   * Whether the store has any key, the revoked ones too; undefined: nobody knows, because it did not answer yet, or not for a minute.
   * Once it has one, it always has.
   */
  readonly hasKeys: boolean | undefined;
  /** Counts changes: what was read at another count is out of date. */
  readonly changes: number;
  /** Whether it was looked within the last second. */
  readonly isFresh: boolean;
  /** Whether the last look failed. */
  readonly isAway: boolean;
  /** Milliseconds since the last look that succeeded. */
  readonly ageMs: number;
  /** The keys; opens the store. */
  rows(): Promise<KeyRows>;
  /** Begins to look, and looks once where there is a store. Rejects where that fails; it goes on looking then. */
  start(): Promise<void>;
  /** Waits for a look, for a second at most. Never rejects: `isAway` tells how it went. */
  look(): Promise<void>;
  /** The same, with a look that begins now: what was done before is seen. */
  lookAgain(): Promise<void>;
  /** Looks no more. */
  close(): void;
}

/** What a watch works with. */
export interface KeyWatchOptions {
  readonly store: LateStore;
  /** Is told once when the keys can't be read, and once when they can be again. */
  readonly logger?: Pick<Logger, "warn" | "info"> | undefined;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsed?: () => number;
}

/** Makes a watch that has not looked yet. */
export function createKeyWatch({ store, logger, elapsed = () => performance.now() }: KeyWatchOptions): KeyWatch {
  let rows: { readonly of: Store; readonly rows: KeyRows; unlisten(): void } | undefined;
  let version: number | undefined;
  /** Whether there was no store when that was looked at last. */
  let isMissing = false;
  let changes = 0;
  let seenAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let isAway = false;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function open(): Promise<KeyRows> {
    const opened = await store.open();
    if (rows?.of !== opened) {
      rows?.unlisten();
      const hear = (): void => void lookAgain();
      rows = { of: opened, rows: createKeyRows(opened), unlisten: opened.listen("keys", hear, hear) };
      if (isClosed) rows.unlisten();
    }
    return rows.rows;
  }

  /** Its answer is as old as the question. */
  async function readVersion(): Promise<void> {
    const askedAt = elapsed();
    try {
      const found = await (await open()).version();
      if (found !== version) changes += 1;
      version = found;
      isMissing = false;
      seenAt = askedAt;
      if (isAway) logger?.info("keys can be read again");
      isAway = false;
    } catch (error) {
      failed(error);
      throw error;
    } finally {
      looking = undefined;
    }
  }

  function failed(error: unknown): void {
    failedAt = elapsed();
    if (!isAway && !isClosed) logger?.warn({ err: error }, "keys can't be read");
    isAway = true;
    // There is one now, whatever is in it.
    isMissing = false;
  }

  function readShared(): Promise<void> {
    looking ??= readVersion();
    return looking;
  }

  async function look(): Promise<void> {
    const late = (): Error => {
      const error = new Error("the database did not answer within a second");
      failed(error);
      return error;
    };
    // It has told how it went.
    await within(readShared(), FRESH_MS, late).catch(() => undefined);
  }

  async function lookAgain(): Promise<void> {
    // One that is under way may have been answered already.
    if (looking !== undefined) await look();
    await look();
  }

  /** A look that is due. Without a store, that there are no keys is all that there is to know. */
  function tick(): void {
    if (store.opened === undefined && !store.exists) return;
    if (store.opened === undefined && elapsed() - failedAt < REOPEN_MS) return;
    // Why it failed was logged.
    readShared().catch(() => undefined);
  }

  return {
    get hasKeys() {
      if (version === undefined) return isMissing ? false : undefined;
      if (version > 0) return true;
      return isAway && elapsed() - seenAt > AWAY_MS ? undefined : false;
    },
    get changes() {
      return changes;
    },
    get isFresh() {
      return elapsed() - seenAt < FRESH_MS;
    },
    get isAway() {
      return isAway;
    },
    get ageMs() {
      return elapsed() - seenAt;
    },
    rows: open,
    async start() {
      timer ??= setInterval(tick, LOOK_MS).unref();
      isMissing = !store.exists;
      if (!isMissing) await readShared();
    },
    look,
    lookAgain,
    close() {
      isClosed = true;
      clearInterval(timer);
      rows?.unlisten();
    },
  };
}
