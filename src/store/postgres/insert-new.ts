import { sql, type Transaction } from "kysely";
import type { Schema } from "../schema.ts";
import type { NewRows } from "../store.ts";
import { toWellFormed } from "../well-formed.ts";

/** U+0000 and half characters, as JSON has them. Where it finds what only looks so, no harm is done. */
const NOT_WELL_FORMED = /\\u(?:0000|d[89a-f])/;

/** Inserts rows, those that are not there yet, and returns how many. They are one parameter: a list, in JSON. */
export async function insertNew<Table extends keyof Schema>(
  transaction: Transaction<Schema>,
  { table, columns, rows }: NewRows<Table>,
): Promise<number> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  const { numAffectedRows = 0n } = await sql`
    insert into ${sql.table(table)} (${names})
    select ${names} from json_populate_recordset(null::${sql.table(table)}, cast(${jsonOf(rows)} as text)::json)
    on conflict do nothing
  `.execute(transaction);
  return Number(numAffectedRows);
}

function jsonOf(rows: readonly object[]): string {
  const json = JSON.stringify(rows);
  return NOT_WELL_FORMED.test(json) ? JSON.stringify(rows, (_key, value: unknown) => toWellFormed(value)) : json;
}
