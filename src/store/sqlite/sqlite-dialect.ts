import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { createMutex } from "../mutex.ts";
import type { SqliteClient } from "./sqlite-client.ts";

/** Not `begin`: a transaction that reads first and then writes would fail at once where another process wrote in between. */
export const BEGIN = "begin immediate";
export const COMMIT = "commit";
export const ROLLBACK = "rollback";

/** Kysely's way to the thread of SQLite: one connection, which one query or transaction has at a time. */
export const createSqliteDialect = (client: SqliteClient): Dialect => ({
  createAdapter: () => new ThreadAdapter(),
  createDriver: () => createDriver(client),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
});

class ThreadAdapter extends SqliteAdapter {
  // Kysely's own mutex wakes everybody who waits, each time; the driver has one that does not.
  override get supportsMultipleConnections(): boolean {
    return true;
  }
  // SQLite rolls back tables, too, and `begin immediate` keeps other processes away: no other lock is needed for migrations.
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function createDriver(client: SqliteClient): Driver {
  const mutex = createMutex();
  const connection = createConnection(client);
  const run = async (statement: string): Promise<void> => {
    await connection.executeQuery(CompiledQuery.raw(statement));
  };
  return {
    async init() {
      // The client is open already.
    },
    async acquireConnection() {
      await mutex.lock();
      return connection;
    },
    async releaseConnection() {
      mutex.unlock();
    },
    beginTransaction: () => run(BEGIN),
    commitTransaction: () => run(COMMIT),
    rollbackTransaction: () => run(ROLLBACK),
    async destroy() {
      await mutex.lock();
      await client.close();
    },
  };
}

const createConnection = (client: SqliteClient): DatabaseConnection => ({
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await client.query(sql, parameters);
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  },
  // biome-ignore lint/correctness/useYield: it has nothing to give.
  async *streamQuery() {
    throw new Error("rows are not streamed");
  },
});
