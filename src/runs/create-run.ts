import { createHash } from "node:crypto";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { sql, type Transaction } from "kysely";
import type { Caller } from "../admission/caller.ts";
import type { RunSettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type CreateRunRequest, CreateRunRequestSchema, type Run } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { runUid } from "../lib/ids.ts";
import type { Schema } from "../store/schema.ts";
import type { Store } from "../store/store.ts";
import { encodeCaller } from "./caller-json.ts";
import { findRun } from "./run-row.ts";

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
  const text = toJsonString(CreateRunRequestSchema, kept);
  return store.transact(async (transaction) => {
    const known = await findRepeated(transaction, request.requestId, caller.id, hash);
    if (known !== undefined) return known;
    await checkRoom(transaction, caller.id, settings.maxQueued);
    const uid = runUid();
    const row = await transaction
      .insertInto("runs")
      .values({
        uid,
        owner: caller.id,
        caller: encodeCaller(caller),
        request_id: request.requestId === "" ? null : request.requestId,
        request_hash: hash,
        status: "queued",
        model: request.params?.model ?? "",
        request: text,
        run_after: store.now,
        timeout_ms: request.timeout === undefined ? settings.timeoutMs : Math.ceil(durationMs(request.timeout)),
        created_at: store.now,
      })
      .onConflict((conflict) => conflict.columns(["owner", "request_id"]).doNothing())
      .returning("uid")
      .executeTakeFirst();
    if (row === undefined) {
      // Another one with the same id was quicker.
      const other = await findRepeated(transaction, request.requestId, caller.id, hash);
      if (other !== undefined) return other;
      throw conflict("a run of this request_id has just been deleted; try again", true);
    }
    if (request.webhookUrl !== "") {
      await transaction.insertInto("webhooks").values({ run_uid: uid, url: request.webhookUrl }).execute();
    }
    await store.notify(transaction, "runs_ready", "");
    return (await findRun(transaction, uid)) as Run;
  });
}

/** Whether the answer is streamed, and that it is queued, says nothing about what is asked. */
function withoutKind(request: CreateRunRequest): CreateRunRequest {
  const { stream: _, async: __, ...params } = request.params ?? create(ChatCompletionParamsSchema);
  return { ...request, params };
}

/** The run of a request that is repeated. Fails with CONFLICT where it was another request. */
async function findRepeated(
  transaction: Transaction<Schema>,
  requestId: string,
  owner: string,
  hash: string,
): Promise<Run | undefined> {
  if (requestId === "") return undefined;
  const row = await transaction
    .selectFrom("runs")
    .select(["uid", "request_hash"])
    .where("owner", "=", owner)
    .where("request_id", "=", requestId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.request_hash !== hash) throw conflict("this request_id was used before, for another request", false);
  return findRun(transaction, row.uid);
}

async function checkRoom(transaction: Transaction<Schema>, owner: string, maxQueued: number): Promise<void> {
  // Whether there is a last one that may wait, and no further.
  const last = await transaction
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
