import type { Caller } from "../admission/caller.ts";
import type { RunSettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Run } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { isRunUid } from "../lib/ids.ts";
import type { Store } from "../store/store.ts";
import { cancelled } from "./ending.ts";
import { endedValues, told } from "./queue.ts";
import { runNotFound } from "./run-not-found.ts";
import { findRun, hasEnded } from "./run-row.ts";

/** Cancels a run of the caller, and returns it as it is then. */
export async function cancelRun(uid: string, { id }: Caller, store: Store, settings: RunSettings): Promise<Run> {
  if (!isRunUid(uid)) throw runNotFound();
  return store.transact(async (transaction) => {
    const row = await transaction
      .updateTable("runs")
      .set({ cancel_requested: 1 })
      .where("uid", "=", uid)
      .where("owner", "=", id)
      .where("status", "in", ["queued", "running"])
      .returning(["status", "last_sequence"])
      .executeTakeFirst();
    if (row?.status === "running") await store.notify(transaction, "run_cancel", uid);
    if (row?.status === "queued") {
      // Nobody takes it meanwhile: the row is locked.
      const values = endedValues(store, cancelled(), row.last_sequence + 1, settings.retentionMs);
      await transaction.updateTable("runs").set(values).where("uid", "=", uid).execute();
      await told(store, transaction, uid, settings.webhook.secret !== undefined);
    }
    const run = await findRun(transaction, uid, id);
    if (run === undefined) throw runNotFound();
    return run;
  });
}

/** Forgets a run of the caller that has ended. Its events and its webhook go with it. */
export async function deleteRun(uid: string, { id }: Caller, store: Store): Promise<void> {
  if (!isRunUid(uid)) throw runNotFound();
  await store.transact(async (transaction) => {
    const row = await transaction
      .selectFrom("runs")
      .select("status")
      .where("uid", "=", uid)
      .where("owner", "=", id)
      .executeTakeFirst();
    if (row === undefined) throw runNotFound();
    if (!hasEnded(row.status)) {
      throw new GatewayError(Reason.CONFLICT, `the run is ${row.status}; only one that has ended can be deleted`, {
        param: "uid",
      });
    }
    await transaction.deleteFrom("runs").where("uid", "=", uid).execute();
    await store.notify(transaction, "run_changed", uid);
  });
}
