import { create, fromJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { SelectQueryBuilder } from "kysely";
import { ChatCompletionSchema } from "../gen/parley/chat/v1/completion_pb.ts";
import { CallReportSchema } from "../gen/parley/chat/v1/report_pb.ts";
import {
  type Run,
  Run_Status,
  RunErrorSchema,
  RunSchema,
  type RunWebhook,
  RunWebhookSchema,
} from "../gen/parley/runs/v1/runs_service_pb.ts";
import type { RunStatus, Schema } from "../store/schema.ts";
import type { Queries } from "../store/store.ts";

const COLUMNS = [
  "runs.uid",
  "runs.status",
  "runs.model",
  "runs.error",
  "runs.attempt",
  "runs.last_sequence",
  "runs.cancel_requested",
  "runs.request_id",
  "runs.created_at",
  "runs.started_at",
  "runs.finished_at",
  "runs.expires_at",
  "webhooks.url as webhook_url",
  "webhooks.attempts as webhook_attempts",
  "webhooks.delivered_at as webhook_delivered_at",
  "webhooks.next_attempt_at as webhook_next_attempt_at",
  "webhooks.error as webhook_error",
] as const;

/** A run and its webhook, without its answer. */
export interface RunRow {
  readonly uid: string;
  readonly status: RunStatus;
  readonly model: string;
  readonly error: string | null;
  readonly attempt: number;
  readonly last_sequence: number;
  readonly cancel_requested: number;
  readonly request_id: string | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly expires_at: number | null;
  readonly webhook_url: string | null;
  readonly webhook_attempts: number | null;
  readonly webhook_delivered_at: number | null;
  readonly webhook_next_attempt_at: number | null;
  readonly webhook_error: string | null;
  readonly response?: string | null;
  readonly report?: string | null;
}

/** What selects runs, with their webhooks and without their answers. */
export const selectRuns = (queries: Queries): SelectQueryBuilder<Schema, "runs" | "webhooks", RunRow> =>
  queries.selectFrom("runs").leftJoin("webhooks", "webhooks.run_uid", "runs.uid").select(COLUMNS) as SelectQueryBuilder<
    Schema,
    "runs" | "webhooks",
    RunRow
  >;

/** A run with all that is known of it; undefined: there is none, or it belongs to somebody else. */
export async function findRun(queries: Queries, uid: string, owner?: string): Promise<Run | undefined> {
  const query = selectRuns(queries).select(["runs.response", "runs.report"]).where("runs.uid", "=", uid);
  const row = await (owner === undefined ? query : query.where("runs.owner", "=", owner)).executeTakeFirst();
  return row && runOf(row);
}

/** Whether a run has ended. */
export const hasEnded = (status: RunStatus): boolean => status !== "queued" && status !== "running";

/** Makes the message of a row. */
export function runOf(row: RunRow): Run {
  const { uid, model, attempt, response, report, error } = row;
  const run = create(RunSchema, {
    uid,
    model,
    status: STATUSES[row.status],
    createdAt: timestampFromMs(row.created_at),
    attempts: attempt,
    lastSequence: BigInt(row.last_sequence),
    cancelRequested: row.cancel_requested !== 0,
    requestId: row.request_id ?? "",
  });
  if (row.started_at !== null) run.startedAt = timestampFromMs(row.started_at);
  if (row.finished_at !== null) run.finishedAt = timestampFromMs(row.finished_at);
  if (row.expires_at !== null) run.expiresAt = timestampFromMs(row.expires_at);
  if (response) run.response = fromJsonString(ChatCompletionSchema, response);
  if (report) run.report = fromJsonString(CallReportSchema, report);
  if (error !== null) run.error = fromJsonString(RunErrorSchema, error);
  if (row.webhook_url !== null) run.webhook = webhookOf(row.webhook_url, row);
  return run;
}

function webhookOf(url: string, row: RunRow): RunWebhook {
  const webhook = create(RunWebhookSchema, {
    url,
    attempts: row.webhook_attempts ?? 0,
    error: row.webhook_error ?? "",
  });
  if (row.webhook_delivered_at !== null) webhook.deliveredAt = timestampFromMs(row.webhook_delivered_at);
  if (row.webhook_next_attempt_at !== null) webhook.nextAttemptAt = timestampFromMs(row.webhook_next_attempt_at);
  return webhook;
}

/** The states as the contract has them. */
const STATUSES: Readonly<Record<RunStatus, Run_Status>> = {
  queued: Run_Status.QUEUED,
  running: Run_Status.RUNNING,
  completed: Run_Status.COMPLETED,
  failed: Run_Status.FAILED,
  cancelled: Run_Status.CANCELLED,
};

/** A state of the contract as rows have it; undefined for the unset one. */
export const statusOf = (status: Run_Status): RunStatus | undefined =>
  (Object.keys(STATUSES) as RunStatus[]).find((name) => STATUSES[name] === status);
