import { Kysely, sql, type Transaction } from "kysely";
import { databaseFile, lockFile, prepareDataFolder, REMEDY } from "../data-folder.ts";
import { createListeners, type Listeners } from "../listeners.ts";
import { migrate } from "../migrate.ts";
import { createReach, type Reach } from "../reach.ts";
import type { Schema } from "../schema.ts";
import type { Channel, Store } from "../store.ts";
import { StoreError } from "../store-error.ts";
import { insertNew } from "./insert-new.ts";
import { openSqlite, type SqliteClient, SqliteError, SqliteLockedError } from "./sqlite-client.ts";
import { createSqliteDialect, ROLLBACK } from "./sqlite-dialect.ts";
import { isAway, wordsOf } from "./sqlite-faults.ts";

/**
 * Opens the built-in database of a folder, which it makes. `shared`: beside a process that serves; otherwise the folder is locked. Throws
 * a StoreError.
 */
export async function openSqliteStore(folder: string, shared: boolean): Promise<Store> {
  prepareDataFolder(folder);
  const reach = createReach();
  const client = guard(await connect(folder, shared), reach);
  const listeners = createListeners();
  const store = createSqliteStore({ client, reach, isSole: !shared, listeners, tell: listeners.tell });
  try {
    await migrate(store.db);
    return store;
  } catch (error) {
    await client.close();
    throw explain(error, folder);
  }
}

async function connect(folder: string, shared: boolean): Promise<SqliteClient> {
  try {
    return await openSqlite({ file: databaseFile(folder), lockFile: shared ? undefined : lockFile(folder) });
  } catch (error) {
    if (!(error instanceof SqliteLockedError)) throw explain(error, folder);
    throw new StoreError(
      `another process of Parley uses the folder ${folder}: stop it, or give this one another folder by PARLEY_DATA_DIR, ` +
        "or let both share a PostgreSQL database by DATABASE_URL",
      { cause: error },
    );
  }
}

function explain(error: unknown, folder: string): unknown {
  const cause = error instanceof Error && error.cause instanceof SqliteError ? error.cause : error;
  if (!(cause instanceof SqliteError)) return error;
  return new StoreError(`the database in the folder ${folder} can't be opened: ${wordsOf(cause)}; ${REMEDY}`, {
    cause,
  });
}

/** Tells errors of a database that can't be used from faults of ours. */
const guard = (client: SqliteClient, reach: Reach): SqliteClient => ({
  async query(text, parameters) {
    try {
      const result = await client.query(text, parameters);
      // That nothing was done is no sign that something can be.
      if (text !== ROLLBACK) reach.found();
      return result;
    } catch (error) {
      throw isAway(error) ? reach.lost(error) : error;
    }
  },
  close: () => client.close(),
});

/** What a store of SQLite is made of. */
export interface SqliteStoreParts extends Pick<Store, "isSole"> {
  /** The way to the database. */
  readonly client: SqliteClient;
  readonly reach: Reach;
  /** Who listens in this process. */
  readonly listeners: Listeners;
  /** Tells all who listen, wherever they are. */
  tell(channel: Channel, payload: string): void;
}

/** Makes a store of a way to SQLite. Its tables have to be brought up to date by `migrate`. */
export function createSqliteStore({ client, reach, isSole, listeners, tell: tellAll }: SqliteStoreParts): Store {
  const db = new Kysely<Schema>({ dialect: createSqliteDialect(client) });
  /** What the transactions under way will tell. */
  const untold = new WeakMap<object, (() => void)[]>();

  async function transact<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> {
    const tellings: (() => void)[] = [];
    const result = await db.transaction().execute((transaction) => {
      untold.set(transaction, tellings);
      return work(transaction);
    });
    for (const tell of tellings) queueMicrotask(tell);
    return result;
  }

  return {
    engine: "sqlite",
    db,
    now: sql<number>`cast(round(unixepoch('subsec') * 1000) as integer)`,
    isSole,
    get isAway() {
      return reach.isAway;
    },
    transact,
    insertNew,
    lockRows: (query) => query,
    async notify(queries, channel: Channel, payload) {
      const tell = (): void => tellAll(channel, payload);
      if (!queries.isTransaction) {
        queueMicrotask(tell);
        return;
      }
      const tellings = untold.get(queries);
      if (tellings === undefined) throw new TypeError("only transactions of `transact` can notify");
      tellings.push(tell);
    },
    listen: listeners.add,
    close: () => db.destroy(),
  };
}
