import { sql, type Transaction, type UpdateObject } from "kysely";
import type { RunSettings } from "../config/settings.ts";
import type { RunTable, Schema } from "../store/schema.ts";
import type { Store } from "../store/store.ts";
import { cancelled, type Ending, givenUp } from "./ending.ts";
import { joinEvents } from "./run-event.ts";

/** A run that this process works on. */
export interface ClaimedRun extends Pick<RunTable, "uid" | "owner" | "caller" | "model" | "request" | "timeout_ms"> {
  /** The fence: whoever comes later has a higher one. */
  readonly attempt: number;
  readonly last_sequence: number;
}

/** What is appended to a run, behind the event of this number. */
export interface Append {
  readonly after: number;
  /** ProtoJSON of parley.runs.v1.WatchRunResponse, without its sequence. */
  readonly events: readonly string[];
  /** Set where the run ends with that: it has the number behind the events. */
  readonly ending?: Ending | undefined;
}

/** What a worker's sign of life finds out about a run. */
export type Lease = Pick<ClaimedRun, "uid" | "attempt"> & { readonly cancel_requested: number };

/** The queue, which is the table of runs: who works on what, and what comes of it. */
export interface Queue {
  /** Takes up to that many runs that wait, but for those of some owners. */
  claim(most: number, notOf: readonly string[]): Promise<readonly ClaimedRun[]>;
  /** Keeps runs: those that are told are this worker's still. */
  renew(uids: readonly string[]): Promise<readonly Lease[]>;
  /** Appends to a run, also where it was done before and nobody heard of that; false: the run is somebody else's, or has ended. */
  append(run: ClaimedRun, append: Append): Promise<boolean>;
  /** Puts a run back; false: it is somebody else's, has ended, or was asked to end. */
  putBack(run: ClaimedRun, afterMs: number): Promise<boolean>;
  /** Puts back the runs whose workers are lost, or ends them. `all`: all workers are. */
  recover(all: boolean): Promise<number>;
}

/** Most runs that are recovered in one transaction. */
const RECOVERED_AT_ONCE = 100;

/** The queue as one worker sees it. */
export function createQueue(
  store: Store,
  worker: string,
  { leaseMs, retentionMs, maxAttempts, webhook }: RunSettings,
): Queue {
  const { db, now } = store;
  const leased = sql<number>`${now} + ${leaseMs}`;
  const hasWebhooks = webhook.secret !== undefined;
  const recoverSome = (all: boolean): Promise<number> =>
    store.transact(async (transaction) => {
      const running = transaction
        .selectFrom("runs")
        .select(["uid", "losses", "cancel_requested", "last_sequence"])
        .where("status", "=", sql.lit("running"))
        .limit(RECOVERED_AT_ONCE);
      const query = all ? running : running.where("lease_until", "<", now);
      const rows = await store.lockRows(query).execute();
      for (const { uid, cancel_requested, ...row } of rows) {
        const losses = row.losses + 1;
        const ending = endingOfLost(cancel_requested !== 0, losses, maxAttempts);
        const lastSequence = row.last_sequence + 1;
        const values = ending === undefined ? waiting(now) : endedValues(store, ending, lastSequence, retentionMs);
        await transaction
          .updateTable("runs")
          .set({ ...values, losses })
          .where("uid", "=", uid)
          .execute();
        if (ending === undefined) await store.notify(transaction, "runs_ready", "");
        else await told(store, transaction, uid, hasWebhooks);
      }
      return rows.length;
    });

  return {
    async claim(most, notOf) {
      const next = db
        .selectFrom("runs")
        .select("uid")
        // Literally, for the index that has no other runs.
        .where("status", "=", sql.lit("queued"))
        .where("run_after", "<=", now)
        .orderBy("run_after")
        .limit(most);
      return db
        .with("next", () => store.lockRows(notOf.length === 0 ? next : next.where("owner", "not in", notOf)))
        .updateTable("runs")
        .set(({ ref }) => ({
          status: "running",
          worker,
          attempt: sql<number>`${ref("attempt")} + 1`,
          lease_until: leased,
          started_at: sql<number>`coalesce(${ref("started_at")}, ${now})`,
        }))
        .where("uid", "in", (query) => query.selectFrom("next").select("uid"))
        .returning(["uid", "owner", "caller", "model", "request", "timeout_ms", "attempt", "last_sequence"])
        .execute();
    },

    renew: (uids) =>
      db
        .updateTable("runs")
        .set({ lease_until: leased })
        .where("uid", "in", uids)
        .where("worker", "=", worker)
        .where("status", "=", "running")
        .returning(["uid", "attempt", "cancel_requested"])
        .execute(),

    append: (run, { after, events, ending }) =>
      store.transact(async (transaction) => {
        const last = after + events.length;
        const values =
          ending === undefined
            ? { last_sequence: last, lease_until: leased }
            : endedValues(store, ending, last + 1, retentionMs);
        const row = await transaction
          .updateTable("runs")
          .set(values)
          .where("uid", "=", run.uid)
          .where("attempt", "=", run.attempt)
          .where("status", "=", "running")
          .where("last_sequence", "=", after)
          .returning("cancel_requested")
          .executeTakeFirst();
        if (row === undefined) return wasAppended(transaction, run, values.last_sequence, ending);
        if (ending !== undefined && row.cancel_requested !== 0) {
          // Whoever asked for it was told so, however the call ended meanwhile.
          const cancelled = { status: "cancelled", response: null, error: null } as const;
          await transaction.updateTable("runs").set(cancelled).where("uid", "=", run.uid).execute();
        }
        if (events.length > 0) {
          await transaction
            .insertInto("run_events")
            .values({
              run_uid: run.uid,
              first_sequence: after + 1,
              last_sequence: last,
              events: joinEvents(events),
            })
            .execute();
        }
        await told(store, transaction, run.uid, hasWebhooks && ending !== undefined);
        return true;
      }),

    putBack: (run, afterMs) =>
      store.transact(async (transaction) => {
        const row = await transaction
          .updateTable("runs")
          .set(waiting(sql<number>`${now} + ${Math.ceil(afterMs)}`))
          .where("uid", "=", run.uid)
          .where("attempt", "=", run.attempt)
          .where("status", "=", "running")
          .where("cancel_requested", "=", 0)
          .returning("uid")
          .executeTakeFirst();
        if (row === undefined) return false;
        if (afterMs === 0) await store.notify(transaction, "runs_ready", "");
        return true;
      }),

    async recover(all) {
      let sum = 0;
      for (let some = RECOVERED_AT_ONCE; some === RECOVERED_AT_ONCE; sum += some) some = await recoverSome(all);
      return sum;
    },
  };
}

/** How a run ends whose worker was lost; undefined: it does not. */
function endingOfLost(isCancelled: boolean, losses: number, maxAttempts: number): Ending | undefined {
  if (isCancelled) return cancelled();
  return losses >= maxAttempts ? givenUp(losses) : undefined;
}

const waiting = (runAfter: Store["now"]) =>
  ({ status: "queued", run_after: runAfter, lease_until: null, worker: null }) as const;

/** The columns of a run that ends. What was asked is not kept longer than it is needed. */
export function endedValues(
  { now }: Store,
  { status, response, report, error }: Ending,
  lastSequence: number,
  retentionMs: number,
): UpdateObject<Schema, "runs"> & { readonly last_sequence: number } {
  return {
    status,
    request: null,
    response: response ?? null,
    report: report ?? null,
    error: error ?? null,
    last_sequence: lastSequence,
    lease_until: null,
    worker: null,
    finished_at: now,
    expires_at: sql<number>`${now} + ${retentionMs}`,
  };
}

/** Tells that a run has changed; `isDue`: its webhook, where it has one, is due with that. */
export async function told(store: Store, transaction: Transaction<Schema>, uid: string, isDue: boolean): Promise<void> {
  if (isDue) {
    await transaction.updateTable("webhooks").set({ next_attempt_at: store.now }).where("run_uid", "=", uid).execute();
  }
  await store.notify(transaction, "run_changed", uid);
}

/** Whether the same was appended before, by a transaction whose end was not heard of: its connection was lost. */
async function wasAppended(
  transaction: Transaction<Schema>,
  { uid, attempt }: ClaimedRun,
  lastSequence: number,
  ending: Ending | undefined,
): Promise<boolean> {
  const row = await transaction
    .selectFrom("runs")
    .select("uid")
    .where("uid", "=", uid)
    .where("attempt", "=", attempt)
    .where("status", "in", ending === undefined ? ["running"] : [ending.status, "cancelled"])
    .where("last_sequence", "=", lastSequence)
    .executeTakeFirst();
  return row !== undefined;
}
