import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSpendLedger, type SpendBatch } from "../../../src/admission/limits/spend-ledger.ts";
import { createFakeClock } from "./stage.ts";

const DAY = "2026-01-31";

/** A store of one figure, which is read when it is told. */
function createShelf() {
  let stored = 0;
  const reads: (() => void)[] = [];
  return {
    read: () =>
      new Promise<number>((resolve) => {
        reads.push(() => resolve(stored));
      }),
    get open() {
      return reads.length;
    },
    answer: () => reads.shift()?.(),
    write: (batch: SpendBatch | undefined) => {
      stored += batch?.spendings.find(({ period }) => period === DAY)?.nanoDollars ?? 0;
    },
  };
}

/** Lets what waits for a promise go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("createSpendLedger()", () => {
  it("asks the store once for a caller and a period, and adds what is spent here", async () => {
    const asked: string[] = [];
    const ledger = createSpendLedger({
      clock: createFakeClock(),
      read: async (caller, period) => {
        asked.push(`${caller} ${period}`);
        return 100;
      },
    });
    expect(await Promise.all([ledger.spent("a", DAY), ledger.spent("a", DAY)])).toEqual([100, 100]);
    ledger.add("a", 5);
    expect(ledger.spent("a", DAY)).toBe(105);
    expect(asked).toEqual([`a ${DAY}`]);
  });

  it("hands out money once, for the day and for the month", () => {
    const ledger = createSpendLedger({ clock: createFakeClock(), read: async () => 0 });
    ledger.add("a", 5);
    ledger.add("a", 7);
    ledger.add("b", 0);
    ledger.add("b", Number.NaN);
    expect(ledger.takePending()?.spendings).toEqual([
      { caller: "a", period: DAY, nanoDollars: 12 },
      { caller: "a", period: "2026-01", nanoDollars: 12 },
    ]);
    expect(ledger.takePending()).toBeUndefined();
  });

  it("hands out again what could not be stored, and never what was", () => {
    const ledger = createSpendLedger({ clock: createFakeClock(), read: async () => 0 });
    ledger.add("a", 5);
    const failed = ledger.takePending();
    ledger.add("a", 1);
    failed?.restore();
    const batch = ledger.takePending();
    expect(batch?.spendings[0]).toEqual({ caller: "a", period: DAY, nanoDollars: 6 });
    batch?.stored();
    batch?.restore();
    failed?.restore();
    expect(ledger.takePending()).toBeUndefined();
  });

  it("counts money once that was stored while the store was asked", async () => {
    const shelf = createShelf();
    const ledger = createSpendLedger({ clock: createFakeClock(), read: shelf.read });
    ledger.add("a", 5);
    const spent = ledger.spent("a", DAY);
    const batch = ledger.takePending();
    shelf.write(batch);
    shelf.answer();
    await settle();
    batch?.stored();
    // The first figure could have it or not, and the second one too: it was read before it was known that it is stored.
    shelf.answer();
    await settle();
    shelf.answer();
    expect(await spent).toBe(5);
    expect(shelf.open).toBe(0);
  });

  it("always knows what this process has spent, whatever is stored when", async () => {
    const actions = fc.array(fc.constantFrom("add", "take", "store", "lose", "answer", "ask", "pass"), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(actions, async (sequence) => {
        const shelf = createShelf();
        const clock = createFakeClock();
        const ledger = createSpendLedger({ clock, read: shelf.read, refreshMs: 5_000 });
        const batches: SpendBatch[] = [];
        let total = 0;
        const first = ledger.spent("a", DAY);
        shelf.answer();
        await first;
        for (const action of sequence) {
          if (action === "add") {
            ledger.add("a", 1);
            total += 1;
          }
          if (action === "pass") clock.passMs(10_000);
          if (action === "ask") expect(ledger.spent("a", DAY)).toBeGreaterThanOrEqual(total);
          if (action === "answer") shelf.answer();
          if (action === "take") batches.push(...[ledger.takePending()].filter((it) => it !== undefined));
          const batch = action === "store" || action === "lose" ? batches.shift() : undefined;
          if (action === "store") {
            shelf.write(batch);
            batch?.stored();
          } else batch?.restore();
          await settle();
        }
        for (const batch of batches) batch.restore();
        clock.passMs(10_000);
        void ledger.spent("a", DAY);
        while (shelf.open > 0) {
          shelf.answer();
          await settle();
        }
        clock.passMs(10_000);
        void ledger.spent("a", DAY);
        shelf.answer();
        await settle();
        expect(ledger.spent("a", DAY)).toBe(total);
      }),
      { numRuns: 100 },
    );
  });

  it("sees what other processes spend, some time later", async () => {
    const clock = createFakeClock();
    let stored = 10;
    const ledger = createSpendLedger({ clock, read: async () => stored, refreshMs: 5_000 });
    expect(await ledger.spent("a", DAY)).toBe(10);
    stored = 50;
    clock.passMs(4_999);
    expect(ledger.spent("a", DAY)).toBe(10);
    clock.passMs(1);
    // It does not make calls wait.
    expect(ledger.spent("a", DAY)).toBe(10);
    await settle();
    expect(ledger.spent("a", DAY)).toBe(50);
  });

  it("goes on with what it knows while the store is away", async () => {
    const clock = createFakeClock();
    let isAway = true;
    const ledger = createSpendLedger({
      clock,
      read: () => (isAway ? Promise.reject(new Error("away")) : Promise.resolve(40)),
    });
    expect(await ledger.spent("a", DAY)).toBe(0);
    ledger.add("a", 2);
    expect(ledger.spent("a", DAY)).toBe(2);
    isAway = false;
    clock.passMs(1_000);
    expect(await ledger.spent("a", DAY)).toBe(42);
  });

  it("does not wait for a store that says nothing", async () => {
    const ledger = createSpendLedger({ read: () => new Promise(() => undefined) });
    expect(await ledger.spent("a", DAY)).toBe(0);
  });

  it("forgets figures that nobody asks for, when they are stored", async () => {
    const clock = createFakeClock();
    let reads = 0;
    const ledger = createSpendLedger({
      clock,
      read: async () => {
        reads += 1;
        return 0;
      },
    });
    for (let caller = 0; caller < 100; caller++) await ledger.spent(`old ${caller}`, DAY);
    ledger.add("kept", 3);
    clock.passMs(600_001);
    for (let caller = 0; caller < 200; caller++) await ledger.spent(`new ${caller}`, DAY);
    expect(reads).toBe(300);
    await ledger.spent("old 7", DAY);
    expect(reads).toBe(301);
    expect(ledger.takePending()?.spendings.map(({ caller }) => caller)).toEqual(["kept", "kept"]);
  });
});
