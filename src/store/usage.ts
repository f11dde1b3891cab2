import type { ExpressionBuilder, ExpressionWrapper } from "kysely";
import type { Schema } from "./schema.ts";
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

type Row = ExpressionBuilder<Schema, "requests">;

// A number in the statement's text: PostgreSQL does not see that two parameters are the same.
const dayOf = ({ eb, lit }: Row) => eb("at", "/", lit(DAY_MS));

/** PostgreSQL makes fractions of whole numbers when it sums them. */
const total = (eb: Row, column: "prompt_tokens" | "completion_tokens" | "cost"): Whole =>
  whole(eb, eb.fn.coalesce(eb.fn.sum<number>(column), eb.lit(0)));

const failures = (eb: Row): Whole =>
  whole(eb, eb.fn.coalesce(eb.fn.sum<number>(eb.case().when("reason", "=", 0).then(0).else(1).end()), eb.lit(0)));

type Whole = ExpressionWrapper<Schema, "requests", number>;

const whole = (eb: Row, expression: Parameters<Row["cast"]>[0] & object): Whole =>
  eb.cast<number>(expression, "bigint");

/** Sums over the log of requests, by day, key and model. One sum of all is there also where there is no request. */
export async function sumUsage({ db }: Store, query: UsageQuery): Promise<UsageSum[]> {
  const { by, since, until, keyId, model, operations, limit } = query;
  let rows = db
    .selectFrom("requests")
    .select((eb) => [
      eb.fn.countAll<number>().as("requests"),
      failures(eb).as("failed"),
      total(eb, "prompt_tokens").as("prompt_tokens"),
      total(eb, "completion_tokens").as("completion_tokens"),
      total(eb, "cost").as("nano_dollars"),
    ])
    .where("at", ">=", since)
    .where("at", "<", until)
    .limit(limit);
  if (keyId !== undefined) rows = rows.where("key_id", "=", keyId);
  if (model !== undefined) rows = rows.where("model", "=", model);
  if (operations !== undefined) rows = rows.where("operation", "in", operations);
  const grouped = rows
    .$if(by.has("day"), (it) =>
      it
        .select((eb) => dayOf(eb).as("day"))
        .groupBy(dayOf)
        .orderBy(dayOf),
    )
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
