import { type Dialect, Kysely, PostgresDialect, sql, type Transaction } from "kysely";
import { GatewayError } from "../../errors/gateway-error.ts";
import { migrate } from "../migrate.ts";
import { createReach, type Reach } from "../reach.ts";
import type { Schema } from "../schema.ts";
import type { Store } from "../store.ts";
import { StoreError } from "../store-error.ts";
import { createDrainingDialect } from "./draining-dialect.ts";
import { insertNew } from "./insert-new.ts";
import { isLostRace, wordsOf } from "./postgres-faults.ts";
import { channelName, type PostgresListener, startListener } from "./postgres-listener.ts";
import { createPool } from "./postgres-pool.ts";

/** How often a transaction is run again that lost a race. */
const MAX_RACES = 5;

/** Opens a database of PostgreSQL. Throws a StoreError. */
export async function openPostgresStore(url: string, maxConnections?: number): Promise<Store> {
  const reach = createReach();
  let listener: PostgresListener | undefined;
  let store: Store | undefined;
  try {
    listener = await startListener(url, reach);
    store = createPostgresStore(new PostgresDialect({ pool: createPool(url, reach, maxConnections) }), listener, reach);
    await migrate(store.db);
    return store;
  } catch (error) {
    await (store ?? listener)?.close();
    throw explain(error);
  }
}

function explain(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const cause = error instanceof GatewayError ? error.cause : error;
  const words = `the PostgreSQL database of DATABASE_URL can't be used: ${wordsOf(cause)}`;
  // The error of an address that can't be read has the address in it.
  return cause instanceof TypeError ? new StoreError(words) : new StoreError(words, { cause });
}

/** Makes a store of a way to PostgreSQL. Its tables have to be brought up to date by `migrate`. */
export function createPostgresStore(dialect: Dialect, listener: PostgresListener, reach: Reach): Store {
  const db = new Kysely<Schema>({ dialect: createDrainingDialect(dialect) });

  async function transact<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> {
    for (let races = 0; ; races += 1) {
      try {
        return await transactOnce(db, work);
      } catch (error) {
        if (!isLostRace(error) || races === MAX_RACES) throw error;
      }
    }
  }

  return {
    engine: "postgres",
    db,
    now: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
    isSole: false,
    get isAway() {
      return reach.isAway;
    },
    transact,
    insertNew,
    lockRows: (query) => query.forUpdate().skipLocked(),
    async notify(queries, channel, payload) {
      await sql`select pg_notify(${channelName(channel)}, ${payload})`.execute(queries);
    },
    listen: listener.listen,
    async close() {
      await db.destroy();
      await listener.close();
    },
  };
}

/** Fails with what the work failed with, also where the transaction can't be rolled back any more. */
async function transactOnce<T>(db: Kysely<Schema>, work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> {
  let failure: { readonly error: unknown } | undefined;
  try {
    return await db.transaction().execute(async (transaction) => {
      try {
        return await work(transaction);
      } catch (error) {
        failure = { error };
        throw error;
      }
    });
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  }
}
