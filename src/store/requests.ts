import type { Selectable } from "kysely";
import type { RequestTable } from "./schema.ts";
import { addSpending, type Spending } from "./spend.ts";
import type { Store } from "./store.ts";

/** A request as it is kept. */
export type RequestRow = Selectable<RequestTable>;

/** The same without contents, as lists have it. */
export type RequestLine = Omit<RequestRow, "params" | "completion">;

/** Which requests; undefined does not choose. Times are Unix milliseconds. */
export interface RequestFilter {
  readonly keyId?: string | undefined;
  readonly model?: string | undefined;
  readonly door?: string | undefined;
  readonly operation?: string | undefined;
  readonly status?: number | undefined;
  readonly failed?: boolean | undefined;
  /** At this time or later. */
  readonly since?: number | undefined;
  /** Before this time. */
  readonly until?: number | undefined;
  readonly requestId?: string | undefined;
}

/** The log of requests. */
export interface RequestRows {
  /**
   * Writes rows down, and what was spent meanwhile, all or nothing. A batch can be written again where it is not known whether it was:
   * one whose rows are all there already changes nothing.
   */
  insert(rows: readonly RequestRow[], spendings?: readonly Spending[]): Promise<void>;
  /** At most so many, the newest first; `after`: time and id of the last one of the page before. */
  list(filter: RequestFilter, limit: number, after?: readonly [at: number, id: string]): Promise<RequestLine[]>;
  get(id: string): Promise<RequestRow | undefined>;
  /** Removes all that came before a time, some at a time so that nobody waits for long, until the signal is aborted. Returns how many. */
  deleteBefore(at: number, signal?: AbortSignal): Promise<number>;
}

/** Rows that one statement removes. */
const REMOVED_AT_ONCE = 500;

const LINE = [
  "id",
  "at",
  "request_id",
  "door",
  "operation",
  "key_id",
  "user_agent",
  "status",
  "reason",
  "model",
  "target",
  "attempts",
  "prompt_tokens",
  "completion_tokens",
  "cached_tokens",
  "reasoning_tokens",
  "cost",
  "first_chunk_ms",
  "duration_ms",
  "stream",
  "run_uid",
] as const satisfies readonly (keyof RequestLine)[];

const ROW = [...LINE, "params", "completion"] as const satisfies readonly (keyof RequestRow)[];

/** Makes the queries of the log of requests. */
export function createRequestRows({ db, transact, insertNew }: Store): RequestRows {
  async function deleteSome(at: number): Promise<number> {
    const { numDeletedRows } = await db
      .deleteFrom("requests")
      .where("id", "in", (it) =>
        it.selectFrom("requests").select("id").where("at", "<", at).orderBy("at").orderBy("id").limit(REMOVED_AT_ONCE),
      )
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  return {
    insert(rows, spendings = []) {
      return transact(async (transaction) => {
        const inserted =
          rows.length === 0 ? 0 : await insertNew(transaction, { table: "requests", columns: ROW, rows });
        if (rows.length === 0 || inserted > 0) await addSpending(transaction, spendings);
      });
    },
    async list({ keyId, model, door, operation, status, failed, since, until, requestId }, limit, after) {
      let query = db.selectFrom("requests").select(LINE);
      if (keyId !== undefined) query = query.where("key_id", "=", keyId);
      if (model !== undefined) query = query.where("model", "=", model);
      if (door !== undefined) query = query.where("door", "=", door);
      if (operation !== undefined) query = query.where("operation", "=", operation);
      if (status !== undefined) query = query.where("status", "=", status);
      if (failed !== undefined) query = query.where("reason", failed ? "<>" : "=", 0);
      if (since !== undefined) query = query.where("at", ">=", since);
      if (until !== undefined) query = query.where("at", "<", until);
      if (requestId !== undefined) query = query.where("request_id", "=", requestId);
      if (after !== undefined)
        query = query.where(({ eb, refTuple, tuple }) => eb(refTuple("at", "id"), "<", tuple(...after)));
      return await query.orderBy("at", "desc").orderBy("id", "desc").limit(limit).execute();
    },
    get: (id) => db.selectFrom("requests").selectAll().where("id", "=", id).executeTakeFirst(),
    async deleteBefore(at, signal) {
      let deleted = 0;
      while (signal?.aborted !== true) {
        const some = await deleteSome(at);
        deleted += some;
        if (some < REMOVED_AT_ONCE) break;
      }
      return deleted;
    },
  };
}
