/**
 * The thread that SQLite runs in, so that a flush to the disk holds up nothing else. Node runs this file as it is, without the loader of
 * the program: only what it can erase, and only types from files of ours.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { SqliteOptions, SqliteReply, SqliteRequest, SqliteValue } from "./sqlite-protocol.ts";

/** How long a statement waits for another process that writes. */
const BUSY_MS = 5000;
/** How long a start waits for the process before it to end. */
const LOCK_MS = 1000;
const SQLITE_BUSY = 5;
/** More than the program has. */
const MAX_STATEMENTS = 500;
/** Longer ones write many rows at once, each time another number of them. */
const MAX_KEPT_LENGTH = 4000;

if (parentPort === null) throw new Error("this is no program of its own");
const port = parentPort;
const { file, lockFile } = workerData as SqliteOptions;
const statements = new Map<string, StatementSync>();

const reply = (message: SqliteReply): void => port.postMessage(message);

/** The error of SQLite's own number, in its extended form where there is one. */
function failed(error: unknown): SqliteReply {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : undefined;
  return { kind: "failed", message: error instanceof Error ? error.message : String(error), code };
}

/** Takes the lock, which the system takes back when the process ends, however it ends. */
function takeLock(path: string): DatabaseSync {
  const held = new DatabaseSync(path, { timeout: LOCK_MS });
  // The journal would be a file of its own.
  held.exec("pragma journal_mode = memory; begin exclusive");
  return held;
}

function prepared(database: DatabaseSync, sql: string): StatementSync {
  const known = statements.get(sql);
  if (known !== undefined) return known;
  const statement = database.prepare(sql);
  if (sql.length > MAX_KEPT_LENGTH) return statement;
  if (statements.size === MAX_STATEMENTS) statements.clear();
  statements.set(sql, statement);
  return statement;
}

function query(database: DatabaseSync, { sql, parameters, width }: SqliteRequest & { kind: "query" }): SqliteReply {
  // Some errors, such as that of a full disk, have ended the transaction already.
  if (sql === "rollback" && !database.isTransaction) return { kind: "done", rows: [], changes: 0 };
  const statement = prepared(database, sql);
  if (width !== undefined) return { kind: "done", rows: [], changes: runEach(statement, parameters, width) };
  if (statement.columns().length > 0) return { kind: "done", rows: statement.all(...parameters), changes: 0 };
  return { kind: "done", rows: [], changes: Number(statement.run(...parameters).changes) };
}

/** Runs a statement for each so many parameters: half of the work of one statement for many rows, which is prepared each time. */
function runEach(statement: StatementSync, parameters: readonly SqliteValue[], width: number): number {
  let changes = 0;
  for (let at = 0; at < parameters.length; at += width)
    changes += Number(statement.run(...parameters.slice(at, at + width)).changes);
  return changes;
}

function serve(database: DatabaseSync, lock: DatabaseSync | undefined): void {
  port.on("message", (request: SqliteRequest) => {
    try {
      if (request.kind === "query") {
        reply(query(database, request));
        return;
      }
      statements.clear();
      database.close();
      lock?.close();
      reply({ kind: "done", rows: [], changes: 0 });
      port.close();
    } catch (error) {
      reply(failed(error));
    }
  });
  reply({ kind: "done", rows: [], changes: 0 });
}

function start(): void {
  let lock: DatabaseSync | undefined;
  try {
    if (lockFile !== undefined) lock = takeLock(lockFile);
  } catch (error) {
    const reason = failed(error);
    reply(reason.kind === "failed" && reason.code === SQLITE_BUSY ? { kind: "locked" } : reason);
    return;
  }
  try {
    const database = new DatabaseSync(file, { timeout: BUSY_MS });
    // FULL: what was acknowledged outlives the power, too.
    database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory");
    serve(database, lock);
  } catch (error) {
    lock?.close();
    reply(failed(error));
  }
}

start();
