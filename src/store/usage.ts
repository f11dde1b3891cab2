import { sql } from "kysely";
import type { Store } from "./store.ts";

/** What to sum. Times are Unix milliseconds. */
export interface UsageQuery {
  /** For each combination of these there is a sum; none: one sum of all. */
  readonly by: ReadonlySet<"key" | "model" | "day">;
  /** At this time or later. */
  readonly since: number;
  /** Before this time. */
  readonly until: number;
  readonly keyId?: string | undefined;
  readonly model?: string | undefined;
  /** Only requests of these operations; undefined: of all. */
  readonly operations?: readonly string[] | undefined;
  /** Most sums. */
  readonly limit: number;
}

/** A sum over requests. Empty texts: it is not summed by that. */
export interface UsageSum {
  readonly keyId: string;
  readonly model: string;
  /** "2026-01-31", UTC. */
  readonly day: string;
  readonly requests: number;
  readonly failed: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly nanoDollars: number;
}

const DAY_MS = 86_400_000;
// As text in the statement: PostgreSQL does not see that two parameters are the same.
const DAY = sql<number>`at / ${sql.lit(DAY_MS)}`;

/** Sums over the log of requests, by day, key and model. One sum of all is there also where there is no request. */
export async function sumUsage({ db }: Store, query: UsageQuery): Promise<UsageSum[]> {
  const { by, since, until, keyId, model, operations, limit } = query;
  // Whole numbers of PostgreSQL become fractions when they are summed, which come as text.
  const total = (column: "prompt_tokens" | "completion_tokens" | "cost") =>
    sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`;
  let rows = db
    .selectFrom("requests")
    .select([
      sql<number>`count(*)`.as("requests"),
      sql<number>`cast(coalesce(sum(case when reason = 0 then 0 else 1 end), 0) as bigint)`.as("failed"),
      total("prompt_tokens").as("prompt_tokens"),
      total("completion_tokens").as("completion_tokens"),
      total("cost").as("nano_dollars"),
    ])
    .where("at", ">=", since)
    .where("at", "<", until)
    .limit(limit);
  if (keyId !== undefined) rows = rows.where("key_id", "=", keyId);
  if (model !== undefined) rows = rows.where("model", "=", model);
  if (operations !== undefined) rows = rows.where("operation", "in", operations);
  const grouped = rows
    .$if(by.has("day"), (it) => it.select(DAY.as("day")).groupBy(DAY).orderBy(DAY))
    .$if(by.has("key"), (it) => it.select("key_id").groupBy("key_id").orderBy("key_id"))
    .$if(by.has("model"), (it) => it.select("model").groupBy("model").orderBy("model"));
  return (await grouped.execute()).map((row) => ({
    keyId: row.key_id ?? "",
    model: row.model ?? "",
    day: row.day === undefined ? "" : new Date(row.day * DAY_MS).toISOString().slice(0, 10),
    requests: row.requests,
    failed: row.failed,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    nanoDollars: row.nano_dollars,
  }));
}
