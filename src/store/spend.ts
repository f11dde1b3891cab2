import type { Queries, Store } from "./store.ts";

/** What somebody spent. */
export interface Spending {
  /** Id of the caller. */
  readonly caller: string;
  /** The day, "2026-01-31", or the month, "2026-01"; UTC. */
  readonly period: string;
  readonly nanoDollars: number;
}

/** What has been spent, by caller and period. */
export interface SpendRows {
  /** Adds to what was spent. */
  add(spendings: readonly Spending[]): Promise<void>;
  /** What a caller has spent in a period. */
  read(caller: string, period: string): Promise<number>;
}

/** Makes the queries of what was spent. */
export const createSpendRows = ({ db, transact }: Store): SpendRows => ({
  add: (spendings) => transact((transaction) => addSpending(transaction, spendings)),
  async read(caller, period) {
    const row = await db
      .selectFrom("spend")
      .select("nano_dollars")
      .where("caller", "=", caller)
      .where("period", "=", period)
      .executeTakeFirst();
    return row?.nano_dollars ?? 0;
  },
});

/** Rows of one statement: the engines take a limited number of parameters. */
const AT_ONCE = 1000;

/** Adds to what was spent, as a part of something bigger. */
export async function addSpending(queries: Queries, spendings: readonly Spending[]): Promise<void> {
  const rows = sum(spendings);
  for (let at = 0; at < rows.length; at += AT_ONCE)
    await queries
      .insertInto("spend")
      .values(rows.slice(at, at + AT_ONCE))
      .onConflict((it) =>
        it.columns(["caller", "period"]).doUpdateSet(({ ref, eb }) => ({
          nano_dollars: eb(ref("spend.nano_dollars"), "+", ref("excluded.nano_dollars")),
        })),
      )
      .execute();
}

/** One row for each caller and period, as a statement can't touch one twice; in one order, so that no two wait for each other. */
function sum(spendings: readonly Spending[]): { caller: string; period: string; nano_dollars: number }[] {
  const sums = new Map<string, { caller: string; period: string; nano_dollars: number }>();
  for (const { caller, period, nanoDollars } of spendings) {
    // A period has no blank in it.
    const key = `${period} ${caller}`;
    const row = sums.get(key);
    if (row === undefined) sums.set(key, { caller, period, nano_dollars: nanoDollars });
    else row.nano_dollars += nanoDollars;
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
