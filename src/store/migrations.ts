import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * All changes of the tables, by name, in the order of their names; schema.ts describes what they make. One that has been published is
 * never changed: another one follows it.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001_begin": {
    async up(db: Kysely<unknown>) {
      await createKeys(db);
      await createRequests(db);
      await createRuns(db);
    },
  },
};

async function createKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("keys")
    .addColumn("id", "text", (it) => it.primaryKey())
    .addColumn("name", "text", (it) => it.notNull())
    .addColumn("hash", "text", (it) => it.notNull().unique())
    .addColumn("hint", "text", (it) => it.notNull())
    .addColumn("scopes", "text", (it) => it.notNull())
    .addColumn("models", "text", (it) => it.notNull())
    .addColumn("limits", "text")
    .addColumn("log_content", "integer", (it) => it.notNull())
    .addColumn("created_at", "bigint", (it) => it.notNull())
    .addColumn("expires_at", "bigint")
    .addColumn("revoked_at", "bigint")
    .execute();
  await db.schema.createIndex("keys_created").on("keys").columns(["created_at", "id"]).execute();
  await db.schema
    .createTable("key_changes")
    .addColumn("id", "integer", (it) => it.primaryKey())
    .addColumn("version", "bigint", (it) => it.notNull())
    .execute();
  await sql`insert into key_changes (id, version) values (1, 0)`.execute(db);
  await db.schema
    .createTable("spend")
    .addColumn("caller", "text", (it) => it.notNull())
    .addColumn("period", "text", (it) => it.notNull())
    .addColumn("nano_dollars", "bigint", (it) => it.notNull())
    .addPrimaryKeyConstraint("spend_primary", ["caller", "period"])
    .execute();
}

async function createRequests(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("requests")
    .addColumn("id", "text", (it) => it.primaryKey())
    .addColumn("at", "bigint", (it) => it.notNull())
    .addColumn("request_id", "text", (it) => it.notNull())
    .addColumn("door", "text", (it) => it.notNull())
    .addColumn("operation", "text", (it) => it.notNull())
    .addColumn("key_id", "text", (it) => it.notNull())
    .addColumn("user_agent", "text", (it) => it.notNull())
    .addColumn("status", "integer", (it) => it.notNull())
    .addColumn("reason", "integer", (it) => it.notNull())
    .addColumn("model", "text", (it) => it.notNull())
    .addColumn("target", "text", (it) => it.notNull())
    .addColumn("attempts", "text", (it) => it.notNull())
    .addColumn("prompt_tokens", "bigint")
    .addColumn("completion_tokens", "bigint")
    .addColumn("cached_tokens", "bigint")
    .addColumn("reasoning_tokens", "bigint")
    .addColumn("cost", "bigint")
    .addColumn("first_chunk_ms", "bigint")
    .addColumn("duration_ms", "bigint", (it) => it.notNull())
    .addColumn("stream", "integer", (it) => it.notNull())
    .addColumn("run_uid", "text", (it) => it.notNull())
    .addColumn("params", "text")
    .addColumn("completion", "text")
    .execute();
  await db.schema.createIndex("requests_at").on("requests").columns(["at", "id"]).execute();
  await db.schema.createIndex("requests_key").on("requests").columns(["key_id", "at", "id"]).execute();
  await db.schema.createIndex("requests_call").on("requests").column("request_id").execute();
}

async function createRuns(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("runs")
    .addColumn("uid", "text", (it) => it.primaryKey())
    .addColumn("owner", "text", (it) => it.notNull())
    .addColumn("caller", "text", (it) => it.notNull())
    .addColumn("request_id", "text")
    .addColumn("request_hash", "text", (it) => it.notNull())
    .addColumn("status", "text", (it) => it.notNull())
    .addColumn("model", "text", (it) => it.notNull())
    .addColumn("request", "text")
    .addColumn("response", "text")
    .addColumn("report", "text")
    .addColumn("error", "text")
    .addColumn("attempt", "integer", (it) => it.notNull().defaultTo(0))
    .addColumn("losses", "integer", (it) => it.notNull().defaultTo(0))
    .addColumn("last_sequence", "bigint", (it) => it.notNull().defaultTo(0))
    .addColumn("run_after", "bigint", (it) => it.notNull())
    .addColumn("lease_until", "bigint")
    .addColumn("worker", "text")
    .addColumn("cancel_requested", "integer", (it) => it.notNull().defaultTo(0))
    .addColumn("timeout_ms", "bigint", (it) => it.notNull())
    .addColumn("created_at", "bigint", (it) => it.notNull())
    .addColumn("started_at", "bigint")
    .addColumn("finished_at", "bigint")
    .addColumn("expires_at", "bigint")
    // Runs without an id of the caller's choice don't disturb each other: no null equals another.
    .addUniqueConstraint("runs_request", ["owner", "request_id"])
    .execute();
  await sql`create index runs_ready on runs (run_after, created_at) where status = 'queued'`.execute(db);
  await sql`create index runs_waiting on runs (owner) where status = 'queued'`.execute(db);
  await sql`create index runs_leases on runs (lease_until) where status = 'running'`.execute(db);
  await sql`create index runs_owner on runs (owner, created_at desc, uid)`.execute(db);
  await sql`create index runs_expiry on runs (expires_at) where expires_at is not null`.execute(db);
  await db.schema
    .createTable("run_events")
    .addColumn("run_uid", "text", (it) => it.notNull().references("runs.uid").onDelete("cascade"))
    .addColumn("first_sequence", "bigint", (it) => it.notNull())
    .addColumn("last_sequence", "bigint", (it) => it.notNull())
    .addColumn("events", "text", (it) => it.notNull())
    .addPrimaryKeyConstraint("run_events_primary", ["run_uid", "first_sequence"])
    .execute();
  await db.schema
    .createTable("webhooks")
    .addColumn("run_uid", "text", (it) => it.primaryKey().references("runs.uid").onDelete("cascade"))
    .addColumn("url", "text", (it) => it.notNull())
    .addColumn("attempts", "integer", (it) => it.notNull().defaultTo(0))
    .addColumn("next_attempt_at", "bigint")
    .addColumn("lease_until", "bigint")
    .addColumn("delivered_at", "bigint")
    .addColumn("error", "text")
    .execute();
  await sql`create index webhooks_due on webhooks (next_attempt_at) where next_attempt_at is not null`.execute(db);
}
