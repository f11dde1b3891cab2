import type { Generated } from "kysely";

/**
 * The tables, in the part of SQL that both engines have: text, whole numbers (also for booleans: 0 and 1) and JSON as text. Times are
 * Unix milliseconds, money is nano-dollars. What migrations.ts makes is this.
 */
export interface Schema {
  readonly keys: KeyTable;
  readonly key_changes: KeyChangeTable;
  readonly requests: RequestTable;
  readonly spend: SpendTable;
  readonly runs: RunTable;
  readonly run_events: RunEventTable;
  readonly webhooks: WebhookTable;
}

/** Keys, the revoked ones too. */
export interface KeyTable {
  /** "key_…". */
  id: string;
  name: string;
  /** SHA-256 of the secret: 64 hexadecimal digits in lower case. */
  hash: string;
  /** How the secret begins. */
  hint: string;
  /** JSON: numbers of parley.scopes.v1.Scope. */
  scopes: string;
  /** JSON: patterns. */
  models: string;
  /** ProtoJSON of parley.keys.v1.KeyLimits; null: the default ones. */
  limits: string | null;
  log_content: number;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

/** One row, which counts the changes of keys: who keeps keys in memory sees by it that they are out of date. */
export interface KeyChangeTable {
  /** Always 1. */
  id: number;
  version: number;
}

/** The log of requests; see parley.requests.v1.RequestRecord. */
export interface RequestTable {
  /** "log_…". */
  id: string;
  at: number;
  request_id: string;
  door: string;
  operation: string;
  key_id: string;
  user_agent: string;
  status: number;
  /** Number of parley.errors.v1.Reason; 0: it did not fail. */
  reason: number;
  model: string;
  target: string;
  /** JSON: a list of texts. */
  attempts: string;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  cached_tokens: number | null;
  reasoning_tokens: number | null;
  cost: number | null;
  first_chunk_ms: number | null;
  duration_ms: number;
  stream: number;
  run_uid: string;
  /** JSON in OpenAI's form. */
  params: string | null;
  completion: string | null;
}

/** What was spent. */
export interface SpendTable {
  /** Id of the caller: a key's, or "jwt:…". */
  caller: string;
  /** The day, "2026-01-31", or the month, "2026-01"; UTC. */
  period: string;
  nano_dollars: number;
}

/** Runs, which are the queue, too. */
export interface RunTable {
  /** "run_…". */
  uid: string;
  /** Id of the caller that it belongs to. */
  owner: string;
  /** JSON: the caller as it was when it queued the run. */
  caller: string;
  request_id: string | null;
  /** SHA-256 of the request, to tell whether a repeated one is the same. */
  request_hash: string;
  status: RunStatus;
  model: string;
  /** ProtoJSON of parley.runs.v1.CreateRunRequest; null once the run has ended. */
  request: string | null;
  /** ProtoJSON of parley.chat.v1.ChatCompletion. */
  response: string | null;
  /** ProtoJSON of parley.chat.v1.CallReport. */
  report: string | null;
  /** ProtoJSON of parley.runs.v1.RunError. */
  error: string | null;
  /** How often a worker has begun with it. Only who knows the present number may write: it is the fence. */
  attempt: Generated<number>;
  /** How often a worker was lost with it. */
  losses: Generated<number>;
  /** Of its last event. */
  last_sequence: Generated<number>;
  /** Not before this time. */
  run_after: number;
  lease_until: number | null;
  worker: string | null;
  cancel_requested: Generated<number>;
  timeout_ms: number;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  expires_at: number | null;
}

export type RunStatus = "queued" | "running" | "completed" | "failed" | "cancelled";

/** Events of runs, as many in a row as were written at once. The last event of a run, which is the run itself, is not among them. */
export interface RunEventTable {
  run_uid: string;
  first_sequence: number;
  last_sequence: number;
  /** JSON: a list of ProtoJSON of parley.runs.v1.WatchRunResponse, without their sequence. */
  events: string;
}

/** Messages about runs that have ended, or will. */
export interface WebhookTable {
  run_uid: string;
  url: string;
  attempts: Generated<number>;
  /** Null: not before the run has ended, or not any more. */
  next_attempt_at: number | null;
  lease_until: number | null;
  delivered_at: number | null;
  error: string | null;
}
