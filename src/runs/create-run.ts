import { createHash } from "node:crypto";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { sql } from "kysely";
import type { Caller } from "../admission/caller.ts";
import type { RunSettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type CreateRunRequest, CreateRunRequestSchema, type Run } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { runUid } from "../lib/ids.ts";
import type { Queries, Store } from "../store/store.ts";
import { encodeCaller } from "./caller-json.ts";
import { findRun, runOf } from "./run-row.ts";

/** Time after which a caller whose queue is full may try again. */
const FULL_RETRY_MS = 1_000;

/** Stores a run, or finds the one that the same request has made before. */
export async function createRun(
  request: CreateRunRequest,
  caller: Caller,
  store: Store,
  settings: RunSettings,
): Promise<Run> {
  const kept = withoutKind(request);
  const hash = createHash("sha256").update(toBinary(CreateRunRequestSchema, kept)).digest("hex");
  const text = textOf(kept);
  const { requestId, webhookUrl } = request;

  const insert = async (queries: Queries): Promise<Run> => {
    const known = await findRepeated(queries, requestId, caller.id, hash);
    if (known !== undefined) return known;
    await checkRoom(queries, caller.id, settings.maxQueued);
    const uid = runUid();
    const row = await queries
      .insertInto("runs")
      .values({
        uid,
        owner: caller.id,
        caller: encodeCaller(caller),
        request_id: requestId === "" ? null : requestId,
        request_hash: hash,
        status: "queued",
        model: request.params?.model ?? "",
        request: text,
        run_after: store.now,
        timeout_ms: request.timeout === undefined ? settings.timeoutMs : Math.ceil(durationMs(request.timeout)),
        created_at: store.now,
      })
      .onConflict((conflict) => conflict.columns(["owner", "request_id"]).doNothing())
      .returning(["uid", "request_id", "model", "status", "created_at"])
      .executeTakeFirst();
    if (row === undefined) {
      // Another one with the same id was quicker.
      const other = await findRepeated(queries, requestId, caller.id, hash);
      if (other !== undefined) return other;
      throw conflict("a run of this request_id has just been deleted; try again", true);
    }
    if (webhookUrl !== "") await queries.insertInto("webhooks").values({ run_uid: uid, url: webhookUrl }).execute();
    return runOf({ ...NEW, ...row, webhook_url: webhookUrl === "" ? null : webhookUrl });
  };

  if (requestId !== "" || webhookUrl !== "") {
    return store.transact(async (transaction) => {
      const run = await insert(transaction);
      await store.notify(transaction, "runs_ready", "");
      return run;
    });
  }
  // One statement that changes anything needs no transaction, which would be most of the work.
  const run = await insert(store.db);
  // Whoever is not told looks by itself before long; the run is kept.
  await store.notify(store.db, "runs_ready", "").catch(() => undefined);
  return run;
}

/** What is the same for every run that has just been queued. */
const NEW = {
  error: null,
  attempt: 0,
  last_sequence: 0,
  cancel_requested: 0,
  started_at: null,
  finished_at: null,
  expires_at: null,
  webhook_attempts: 0,
  webhook_delivered_at: null,
  webhook_next_attempt_at: null,
  webhook_error: null,
};

/** The request as it is stored. Fails with INVALID_VALUE for what JSON can't say, which only binary doors let in. */
function textOf(request: CreateRunRequest): string {
  try {
    return toJsonString(CreateRunRequestSchema, request);
  } catch (cause) {
    throw new GatewayError(Reason.INVALID_VALUE, "the request has a number in it that is none", {
      param: "extra",
      cause,
    });
  }
}

/** Whether the answer is streamed, and that it is queued, says nothing about what is asked. */
function withoutKind(request: CreateRunRequest): CreateRunRequest {
  const { stream: _, async: __, ...params } = request.params ?? create(ChatCompletionParamsSchema);
  return { ...request, params };
}

/** The run of a request that is repeated. Fails with CONFLICT where it was another request. */
async function findRepeated(
  queries: Queries,
  requestId: string,
  owner: string,
  hash: string,
): Promise<Run | undefined> {
  if (requestId === "") return undefined;
  const row = await queries
    .selectFrom("runs")
    .select(["uid", "request_hash"])
    .where("owner", "=", owner)
    .where("request_id", "=", requestId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.request_hash !== hash) throw conflict("this request_id was used before, for another request", false);
  return findRun(queries, row.uid);
}

async function checkRoom(queries: Queries, owner: string, maxQueued: number): Promise<void> {
  // Whether there is a last one that may wait, and no further.
  const last = await queries
    .selectFrom("runs")
    .select("uid")
    .where("owner", "=", owner)
    .where("status", "=", sql.lit("queued"))
    .limit(1)
    .offset(maxQueued - 1)
    .executeTakeFirst();
  if (last === undefined) return;
  throw new GatewayError(
    Reason.RATE_LIMIT_EXCEEDED,
    `${maxQueued} runs wait already, which is the most that one key may have`,
    { retryAfterMs: FULL_RETRY_MS },
  );
}

const conflict = (message: string, retryable: boolean): GatewayError =>
  new GatewayError(Reason.CONFLICT, message, { param: "request_id", retryable });
