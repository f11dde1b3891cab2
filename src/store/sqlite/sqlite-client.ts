import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { toWellFormed } from "../well-formed.ts";
import type { SqliteOptions, SqliteReply, SqliteRequest, SqliteValue } from "./sqlite-protocol.ts";

/** Rows, or how many of them a statement changed. */
export type SqliteResult = SqliteReply & { readonly kind: "done" };

/** A connection to the thread of SQLite. */
export interface SqliteClient {
  /**
   * Runs one statement, after all that were asked for before. Fails with a SqliteError. Where the first parameter is a list, the second is
   * a number, and the statement is run once for each so many values of the list.
   */
  query(sql: string, parameters: readonly unknown[]): Promise<SqliteResult>;
  /** Closes the database and ends the thread. */
  close(): Promise<void>;
}

/** What SQLite says. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  /** Its number, without what the extended form adds; undefined: it is not from SQLite. */
  readonly code: number | undefined;

  constructor(message: string, code: number | undefined) {
    super(message);
    this.code = code === undefined ? undefined : code & 0xff;
  }
}

/** Another process has the lock. */
export class SqliteLockedError extends Error {
  override readonly name = "SqliteLockedError";
}

/** Starts the thread and opens the database in it. Fails with a SqliteError or a SqliteLockedError. */
export async function openSqlite(options: SqliteOptions): Promise<SqliteClient> {
  const worker = new Worker(new URL(`./sqlite-thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: options,
    name: "parley-sqlite",
    execArgv: loaderOfThread(),
  });
  const waiting: PromiseWithResolvers<SqliteResult>[] = [];
  let ended: Error | undefined;

  const end = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  const ask = (request?: SqliteRequest): Promise<SqliteResult> => {
    if (ended !== undefined) return Promise.reject(ended);
    const answer = Promise.withResolvers<SqliteResult>();
    // What can't be sent throws here, before anybody waits for an answer.
    if (request !== undefined) worker.postMessage(request);
    waiting.push(answer);
    return answer.promise;
  };
  worker.on("message", (reply: SqliteReply) => settle(waiting.shift(), reply));
  worker.on("error", (error: Error) => end(error));
  worker.on("exit", () => end(new SqliteError("the thread of the database has ended", undefined)));
  const exited = once(worker, "exit");

  try {
    await ask();
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    async query(sql, parameters) {
      const [list, width] = parameters;
      const values = Array.isArray(list) ? list : parameters;
      return await ask({
        kind: "query",
        sql,
        parameters: values.map((it) => toValue(toWellFormed(it))),
        width: values === list ? Number(width) : undefined,
      });
    },
    async close() {
      if (ended !== undefined) return;
      await ask({ kind: "close" });
      await exited;
    },
  };
}

/** Node does not run TypeScript in a folder of installed packages by itself. */
const loaderOfThread = (): string[] =>
  /\/node_modules\/.*\.ts$/.test(import.meta.url) ? ["--import", import.meta.resolve("tsx/esm")] : [];

function settle(answer: PromiseWithResolvers<SqliteResult> | undefined, reply: SqliteReply): void {
  switch (reply.kind) {
    case "done":
      answer?.resolve(reply);
      break;
    case "failed":
      answer?.reject(new SqliteError(reply.message, reply.code));
      break;
    case "locked":
      answer?.reject(new SqliteLockedError("another process has the lock"));
      break;
    default:
      reply satisfies never;
  }
}

function toValue(value: unknown): SqliteValue {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
      return value;
    default:
      if (value === null || value instanceof Uint8Array) return value;
      throw new TypeError(`a parameter can't be of type ${typeof value}`);
  }
}
