import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { MIGRATIONS } from "./migrations.ts";
import type { Schema } from "./schema.ts";
import { StoreError } from "./store-error.ts";

const TABLE = "parley_migration";

/**
 * Brings the tables up to date: all of it in one transaction and under a lock, so that of several processes one does it. Throws a
 * StoreError for a database that a newer version has been at.
 */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => MIGRATIONS },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const unknown = await unknownMigration(db);
  if (unknown === undefined) throw error;
  throw new StoreError(
    `the database is of a newer version of Parley (this one does not know its migration "${unknown}"); ` +
      "use that version, or another database",
    { cause: error },
  );
}

/** A migration that was done by a program that knows more than this one; undefined: there is none, or it can't be told. */
async function unknownMigration(db: Kysely<Schema>): Promise<string | undefined> {
  try {
    const rows = await db.withTables<{ [TABLE]: { name: string } }>().selectFrom(TABLE).select("name").execute();
    return rows.map(({ name }) => name).find((name) => !(name in MIGRATIONS));
  } catch {
    return undefined; // What kept it from being migrated tells more.
  }
}
