import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from "kysely";
import type { RequestTable, Schema } from "./schema.ts";
import type { Queries } from "./store.ts";

/** Which requests; what is undefined does not matter. */
export interface RequestFilter {
  readonly keyId?: string | undefined;
  readonly model?: string | undefined;
  readonly door?: string | undefined;
  /** Names of rpcs. */
  readonly operations?: readonly string[] | undefined;
  readonly status?: number | undefined;
  /** Whether it failed, with a reason or with a status alone. */
  readonly failed?: boolean | undefined;
  /** The first time, and the first one that is too late. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly requestId?: string | undefined;
}

/** Where a row stands in the list. */
export type RequestPlace = Pick<RequestTable, "at" | "id">;

/** A row without contents. */
export type RequestRow = Omit<RequestTable, "params" | "completion">;

/** What is summed apart. */
export interface UsageDimensions {
  readonly key: boolean;
  readonly model: boolean;
  readonly day: boolean;
}

/** Sums over requests. */
export interface UsageSum {
  /** These are undefined where they are not summed apart. */
  readonly keyId: string | undefined;
  readonly model: string | undefined;
  /** Days since 1970 began, UTC. */
  readonly day: number | undefined;
  readonly requests: number;
  readonly failed: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: number;
}

const COLUMNS = [
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
] as const;

/** Writes rows. Those that are there already, because the answer to an earlier try was lost, stay as they are. */
export async function insertRequests(queries: Queries, rows: readonly RequestTable[]): Promise<void> {
  await queries
    .insertInto("requests")
    .values([...rows])
    .onConflict((it) => it.column("id").doNothing())
    .execute();
}

/** The newest rows after a place, without contents. */
export async function listRequests(
  queries: Queries,
  filter: RequestFilter,
  after: RequestPlace | undefined,
  limit: number,
): Promise<RequestRow[]> {
  return await queries
    .selectFrom("requests")
    .select(COLUMNS)
    .where((eb) => eb.and(conditions(eb, filter)))
    .$if(after !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) => eb(refTuple("at", "id"), "<", tuple(after?.at ?? 0, after?.id ?? ""))),
    )
    .orderBy("at", "desc")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}

/** The row of that id; `keyId`: only where it is of that key. */
export async function findRequest(queries: Queries, id: string, keyId?: string): Promise<RequestTable | undefined> {
  return await queries
    .selectFrom("requests")
    .selectAll()
    .where("id", "=", id)
    .$if(keyId !== undefined, (query) => query.where("key_id", "=", keyId ?? ""))
    .executeTakeFirst();
}

/** Deletes so many rows from before a time. Returns how many it were. */
export async function deleteRequestsBefore(queries: Queries, before: number, limit: number): Promise<number> {
  const old = queries.selectFrom("requests").select("id").where("at", "<", before).orderBy("at").limit(limit);
  const { numDeletedRows } = await queries.deleteFrom("requests").where("id", "in", old).executeTakeFirst();
  return Number(numDeletedRows);
}

/** Sums over requests, by day, key and model. Without dimensions it is one sum, also of nothing. */
export async function sumUsage(
  queries: Queries,
  filter: RequestFilter,
  by: UsageDimensions,
  limit: number,
): Promise<UsageSum[]> {
  // Whole numbers divide to a whole number on both engines.
  const day = sql<number>`at / 86400000`;
  const rows = await queries
    .selectFrom("requests")
    .select(({ fn }) => [
      fn.countAll<number>().as("requests"),
      total(sql`case when reason <> 0 or status >= 400 then 1 else 0 end`).as("failed"),
      total(sql.ref("prompt_tokens")).as("prompt_tokens"),
      total(sql.ref("completion_tokens")).as("completion_tokens"),
      total(sql.ref("cost")).as("cost"),
    ])
    .where((eb) => eb.and(conditions(eb, filter)))
    .$if(by.day, (query) => query.select(day.as("day")).groupBy(day).orderBy(day))
    .$if(by.key, (query) => query.select("key_id").groupBy("key_id").orderBy("key_id"))
    .$if(by.model, (query) => query.select("model").groupBy("model").orderBy("model"))
    .limit(limit)
    .execute();
  return rows.map(({ day, key_id, model, requests, failed, prompt_tokens, completion_tokens, cost }) => ({
    keyId: key_id,
    model,
    day,
    requests,
    failed,
    promptTokens: prompt_tokens,
    completionTokens: completion_tokens,
    cost,
  }));
}

/** The sum of whole numbers as one; PostgreSQL makes a decimal of it. */
const total = (value: ReturnType<typeof sql>) => sql<number>`cast(coalesce(sum(${value}), 0) as bigint)`;

function conditions(
  eb: ExpressionBuilder<Schema, "requests">,
  filter: RequestFilter,
): ExpressionWrapper<Schema, "requests", SqlBool>[] {
  const { keyId, model, door, operations, status, failed, since, until, requestId } = filter;
  const hasFailed = eb.or([eb("reason", "<>", 0), eb("status", ">=", 400)]);
  return [
    keyId === undefined ? undefined : eb("key_id", "=", keyId),
    model === undefined ? undefined : eb("model", "=", model),
    door === undefined ? undefined : eb("door", "=", door),
    operations === undefined ? undefined : eb("operation", "in", [...operations]),
    status === undefined ? undefined : eb("status", "=", status),
    failed === undefined ? undefined : failed ? hasFailed : eb.not(hasFailed),
    since === undefined ? undefined : eb("at", ">=", since),
    until === undefined ? undefined : eb("at", "<", until),
    requestId === undefined ? undefined : eb("request_id", "=", requestId),
  ].filter((it) => it !== undefined);
}
