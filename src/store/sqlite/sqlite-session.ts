import { CompiledQuery, type Kysely } from "kysely";
import { GatewayError } from "../../errors/gateway-error.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import type { Schema } from "../schema.ts";
import type { SqliteClient, SqliteResult } from "./sqlite-client.ts";
import { BEGIN, COMMIT, ROLLBACK } from "./sqlite-dialect.ts";

/** How long a transaction may wait for its next statement: all others wait for it. */
const IDLE_MS = 5_000;

/**
 * The statements of one other process, which come one at a time. Between the begin and the end of a transaction nobody else's are run.
 * `close` rolls back what is under way.
 */
export type SqliteSession = SqliteClient;

/** The one connection, for as long as a transaction has it. */
interface Held {
  readonly connection: Kysely<Schema>;
  release(): void;
}

/** Begins a session with a database that this process has open. `idleMs`: the silence after which a transaction is rolled back. */
export function createSqliteSession(db: Kysely<Schema>, idleMs = IDLE_MS): SqliteSession {
  let held: Held | undefined;
  /** Why the transaction that the other process believes in is none any more. */
  let lost: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function begin(): Promise<SqliteResult> {
    const taken = await take(db);
    if (lost !== undefined) {
      taken.release();
      throw rolledBack(lost);
    }
    held = taken;
    try {
      return await run(taken.connection, BEGIN);
    } catch (error) {
      drop(taken);
      throw error;
    }
  }

  async function commit(): Promise<SqliteResult> {
    const ending = held;
    if (ending === undefined) throw rolledBack(lost ?? "it never began");
    const result = await run(ending.connection, COMMIT);
    drop(ending);
    return result;
  }

  async function rollBack(): Promise<SqliteResult> {
    const ending = held;
    if (ending === undefined) return NOTHING;
    try {
      return await run(ending.connection, ROLLBACK);
    } finally {
      drop(ending);
    }
  }

  function drop(ending: Held): void {
    if (held === ending) held = undefined;
    ending.release();
  }

  async function perform(statement: string, parameters: readonly unknown[]): Promise<SqliteResult> {
    if (statement === ROLLBACK) {
      lost = undefined;
      return rollBack();
    }
    if (lost !== undefined) throw rolledBack(lost);
    if (statement === BEGIN) return begin();
    if (statement === COMMIT) return commit();
    return run(held?.connection ?? db, statement, parameters);
  }

  async function lose(why: string): Promise<void> {
    clearTimeout(timer);
    lost = why;
    // Where that fails the database is gone, and the transaction with it.
    await rollBack().catch(() => undefined);
  }

  return {
    async query(statement, parameters) {
      clearTimeout(timer);
      try {
        return await perform(statement, parameters);
      } finally {
        if (held !== undefined) timer = setTimeout(() => void lose("it was silent for too long"), idleMs).unref();
      }
    },
    async close() {
      await lose("its process is gone");
      clearTimeout(timer);
    },
  };
}

const NOTHING: SqliteResult = { kind: "done", rows: [], changes: 0 };

/** Takes the one connection, until it is released. */
async function take(db: Kysely<Schema>): Promise<Held> {
  const got = Promise.withResolvers<Kysely<Schema>>();
  const done = Promise.withResolvers<void>();
  const holding = db.connection().execute((connection) => {
    got.resolve(connection);
    return done.promise;
  });
  holding.catch(got.reject);
  return { connection: await got.promise, release: done.resolve };
}

async function run(
  connection: Kysely<Schema>,
  statement: string,
  parameters: readonly unknown[] = [],
): Promise<SqliteResult> {
  const { rows, numAffectedRows = 0n } = await connection.executeQuery<object>(
    CompiledQuery.raw(statement, [...parameters]),
  );
  return { kind: "done", rows, changes: Number(numAffectedRows) };
}

const rolledBack = (why: string): GatewayError =>
  new GatewayError(Reason.UNAVAILABLE, `the transaction was rolled back: ${why}`, { retryAfterMs: 1_000 });
