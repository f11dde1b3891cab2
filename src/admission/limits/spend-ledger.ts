import type { Spending } from "../../store/spend.ts";
import { type Clock, MACHINE_CLOCK } from "./clock.ts";
import { periodsAt } from "./period.ts";
import { createSweep } from "./sweep.ts";

/** Money that is being written. Exactly one of the two is to be called, when it is known how that ended. */
export interface SpendBatch {
  /** By caller and period, as the table has them. */
  readonly spendings: readonly Spending[];
  /** It is in the store. */
  stored(): void;
  /** It is not: it is handed out again with the next batch. */
  restore(): void;
}

/**
 * What callers with a budget have spent. It knows the figure of the store as it was last read, and beside it what this process has
 * added since that is not in there; so nothing counts twice, and nothing is forgotten before it is stored.
 */
export interface SpendLedger {
  /** What was spent in a period, as far as this process knows. A promise where the store has to be asked first. */
  spent(caller: string, period: string): number | Promise<number>;
  /** Asks the store again, whatever is known. */
  reread(caller: string, period: string): Promise<number>;
  /** Adds money to the day and to the month that it is now. */
  add(caller: string, nanoDollars: number): void;
  /**
   * Hands out all money that is not in the store, for whoever writes it: `spendings` are added to the table in one transaction,
   * best in that of the log's rows. Undefined: there is none.
   */
  takePending(): SpendBatch | undefined;
}

/** What a ledger is made of. */
export interface SpendLedgerOptions {
  /** Reads the store's figure, in nano-dollars; 0 where there is none. */
  readonly read: (caller: string, period: string) => Promise<number>;
  /** How old a figure may become where other processes write, too; Infinity, the default: none does. */
  readonly refreshMs?: number;
  readonly clock?: Clock;
}

/** Longest wait for the store. After it a call goes on with what is known here, and the figure is taken when it comes. */
const READ_MS = 1_000;
/** Time after a failed read before the next one. */
const RETRY_MS = 1_000;
/** Time after which a figure that nobody asked for is forgotten. */
const IDLE_MS = 600_000;
/** How often a read is repeated because money was written meanwhile. */
const READS = 3;

/** One row of the table, as it is known here. */
interface Entry {
  readonly caller: string;
  readonly period: string;
  /** What the store had; undefined: it could not be read yet. */
  stored: number | undefined;
  /** Added here, and not handed out. */
  pending: number;
  /** Handed out, and neither stored nor restored. */
  writing: number;
  /** Counts the beginnings and ends of writes. */
  writes: number;
  nextReadMs: number;
  usedMs: number;
  reading: Promise<void> | undefined;
}

/** Makes a ledger. It does not fail: while the store can't be read, it knows only what this process has spent. */
export function createSpendLedger({
  read,
  refreshMs = Infinity,
  clock = MACHINE_CLOCK,
}: SpendLedgerOptions): SpendLedger {
  /** The few periods of each caller: a text made of both would cost more than the rest. */
  const callers = new Map<string, Entry[]>();
  const dirty = new Set<Entry>();
  const sweep = createSweep(callers, (entries: Entry[], nowMs) => entries.every((entry) => isOld(entry, nowMs)));

  function entryOf(caller: string, period: string, nowMs: number): Entry {
    let entries = callers.get(caller);
    if (entries === undefined) {
      sweep(nowMs);
      entries = [];
      callers.set(caller, entries);
    }
    for (const entry of entries) {
      if (entry.period !== period) continue;
      entry.usedMs = nowMs;
      return entry;
    }
    const entry = newEntry(caller, period, nowMs);
    callers.set(caller, [...entries.filter((it) => !isOld(it, nowMs)), entry]);
    return entry;
  }

  async function readEntry(entry: Entry): Promise<void> {
    for (let reads = 1; ; reads++) {
      const { writes, writing } = entry;
      const stored = await read(entry.caller, entry.period);
      if (writing === 0 && entry.writes === writes) {
        entry.stored = stored;
        entry.nextReadMs = clock.monotonicMs() + refreshMs;
        return;
      }
      // Money was on its way to the store: the figure may have it or not.
      if (reads === READS) {
        // So the figure may lack what was just written, or count it twice; but only until the next read, which comes soon.
        entry.stored = Math.max(stored, entry.stored ?? 0);
        entry.nextReadMs = clock.monotonicMs() + RETRY_MS;
        return;
      }
    }
  }

  /** Reads one figure, once at a time. */
  function load(entry: Entry): Promise<void> {
    entry.reading ??= readEntry(entry)
      .catch(() => {
        // The store tells by itself that it is away.
        entry.nextReadMs = clock.monotonicMs() + RETRY_MS;
      })
      .finally(() => {
        entry.reading = undefined;
      });
    return entry.reading;
  }

  async function loaded(entry: Entry): Promise<number> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        // Until the figure is there, the next calls need not wait, too.
        entry.nextReadMs = clock.monotonicMs() + RETRY_MS;
        resolve();
      }, READ_MS);
    });
    await Promise.race([load(entry), late]);
    clearTimeout(timer);
    return totalOf(entry);
  }

  /** What was taken and could not be stored is added again, too. */
  function addTo(entry: Entry, nanoDollars: number): void {
    entry.pending += nanoDollars;
    dirty.add(entry);
  }

  return {
    spent(caller, period) {
      const nowMs = clock.monotonicMs();
      const entry = entryOf(caller, period, nowMs);
      if (nowMs >= entry.nextReadMs) {
        if (entry.stored === undefined) return loaded(entry);
        void load(entry);
      }
      return totalOf(entry);
    },
    reread: (caller, period) => loaded(entryOf(caller, period, clock.monotonicMs())),
    add(caller, nanoDollars) {
      const whole = Math.round(nanoDollars);
      if (!(whole > 0)) return;
      const { day, month } = periodsAt(clock.wallMs());
      const nowMs = clock.monotonicMs();
      addTo(entryOf(caller, day.id, nowMs), whole);
      addTo(entryOf(caller, month.id, nowMs), whole);
    },
    takePending() {
      if (dirty.size === 0) return undefined;
      const taken = [...dirty].map((entry) => ({ entry, nanoDollars: entry.pending }));
      dirty.clear();
      for (const { entry, nanoDollars } of taken) {
        entry.pending = 0;
        entry.writing += nanoDollars;
        entry.writes += 1;
      }
      let isOpen = true;
      const close = (end: (entry: Entry, nanoDollars: number) => void): void => {
        if (!isOpen) return;
        isOpen = false;
        for (const { entry, nanoDollars } of taken) {
          entry.writing -= nanoDollars;
          entry.writes += 1;
          end(entry, nanoDollars);
        }
      };
      return {
        spendings: taken.map(({ entry: { caller, period }, nanoDollars }) => ({ caller, period, nanoDollars })),
        stored: () =>
          close((entry, nanoDollars) => {
            if (entry.stored !== undefined) entry.stored += nanoDollars;
          }),
        restore: () => close(addTo),
      };
    },
  };
}

const totalOf = ({ stored = 0, pending, writing }: Entry): number => stored + pending + writing;

const newEntry = (caller: string, period: string, nowMs: number): Entry => ({
  caller,
  period,
  stored: undefined,
  pending: 0,
  writing: 0,
  writes: 0,
  nextReadMs: -Infinity,
  usedMs: nowMs,
  reading: undefined,
});

/** Whether it may be forgotten: nobody asked for it for long, and all of it is in the store. */
const isOld = ({ pending, writing, reading, usedMs }: Entry, nowMs: number): boolean =>
  pending === 0 && writing === 0 && reading === undefined && nowMs - usedMs > IDLE_MS;
