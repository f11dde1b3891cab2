import { CompiledQuery, type Transaction } from "kysely";
import type { Schema } from "../schema.ts";
import type { NewRows } from "../store.ts";

/** Inserts rows, those that are not there yet, and returns how many. All values go to the thread at once; it inserts row by row. */
export async function insertNew<Table extends keyof Schema>(
  transaction: Transaction<Schema>,
  { table, columns, rows }: NewRows<Table>,
): Promise<number> {
  // An array that grows is copied again and again.
  const values = new Array<unknown>(rows.length * columns.length);
  let at = 0;
  for (const row of rows) for (const column of columns) values[at++] = row[column as keyof typeof row];
  const names = columns.map((column) => `"${column}"`).join(", ");
  const places = columns.map(() => "?").join(", ");
  const statement = `insert into "${table}" (${names}) values (${places}) on conflict do nothing`;
  const { numAffectedRows = 0n } = await transaction.executeQuery(
    CompiledQuery.raw(statement, [values, columns.length]),
  );
  return Number(numAffectedRows);
}
