import { sql } from "kysely";
import type { RunSettings } from "../config/settings.ts";
import { type Run, Run_Status, RunSchema } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { createAlarm } from "../lib/alarm.ts";
import { encodeJson } from "../openai-json/encode.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../telemetry/logger.ts";
import { findRun } from "./run-row.ts";
import type { Sent, WebhookSender } from "./webhook-sender.ts";

/** What the sending of webhooks is made of. */
export interface WebhookParts {
  readonly store: Store;
  readonly settings: RunSettings["webhook"];
  readonly sender: WebhookSender;
  readonly logger: Logger;
  /** Times after which one is tried again, the last one over and over, in milliseconds. */
  readonly delaysMs?: readonly number[] | undefined;
}

/** Sends the messages of runs that have ended. */
export interface Webhooks {
  /** One may be due now. */
  wake(): void;
  /** Begins with no more. Those under way may end until the signal is aborted, and are sent again later then. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** About a day, all in all. */
const DELAYS_MS = [5_000, 30_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000];

/** How often is looked for those that are due. */
const POLL_MS = 5_000;

/** Most that are under way at once. */
const PLACES = 16;

/** Longer than a try takes: whoever has not told by then how it went is lost. */
const LEASE_SLACK_MS = 30_000;

interface DueWebhook {
  readonly run_uid: string;
  readonly url: string;
  /** This one included. It is the fence, too. */
  readonly attempts: number;
}

/** Starts to send. */
export function startWebhooks(parts: WebhookParts): Webhooks {
  const { store, sender, logger } = parts;
  const alarm = createAlarm();
  const cut = new AbortController();
  let underWay = 0;
  let isStopping = false;

  const deliver = async (due: DueWebhook): Promise<void> => {
    const run = await findRun(store.db, due.run_uid);
    if (run === undefined) return;
    try {
      const sent = await sender.send({ url: due.url, id: due.run_uid, payload: payloadOf(run) }, cut.signal);
      const againMs = await keep(parts, due, sent);
      if (againMs !== undefined) alarm.ringIn(againMs);
      if (sent.kind !== "delivered") logger.info({ runUid: due.run_uid, error: sent.error }, "webhook not delivered");
    } catch (thrown) {
      if (!cut.signal.aborted) throw thrown;
      await putBack(store, due);
    }
  };

  const work = async (due: DueWebhook): Promise<void> => {
    underWay += 1;
    try {
      await deliver(due);
    } catch (thrown) {
      logger.warn({ runUid: due.run_uid, err: thrown }, "how a webhook went could not be stored");
    } finally {
      underWay -= 1;
      alarm.ring();
    }
  };

  const loop = async (): Promise<void> => {
    while (!isStopping) {
      try {
        const due = underWay < PLACES ? await claim(parts, PLACES - underWay) : [];
        for (const webhook of due) void work(webhook);
      } catch (thrown) {
        logger.warn({ err: thrown }, "no webhook could be looked for");
      }
      await alarm.sleep(POLL_MS);
    }
  };
  const looping = loop();

  return {
    wake: () => alarm.ring(),
    async stop(deadline) {
      isStopping = true;
      alarm.ring();
      await looping;
      const end = (): void => cut.abort(new Error("the server is going down"));
      if (deadline.aborted) end();
      deadline.addEventListener("abort", end);
      while (underWay > 0) await alarm.sleep(POLL_MS);
      deadline.removeEventListener("abort", end);
    },
  };
}

/** Takes those that are due. */
async function claim({ store, settings }: WebhookParts, most: number): Promise<readonly DueWebhook[]> {
  const { db, now } = store;
  const next = db
    .selectFrom("webhooks")
    .select("run_uid")
    .where("next_attempt_at", "<=", now)
    .where(({ eb, or }) => or([eb("lease_until", "is", null), eb("lease_until", "<", now)]))
    .orderBy("next_attempt_at")
    .limit(most);
  return db
    .with("next", () => store.lockRows(next))
    .updateTable("webhooks")
    .set(({ ref }) => ({
      attempts: sql<number>`${ref("attempts")} + 1`,
      lease_until: sql<number>`${now} + ${settings.timeoutMs + LEASE_SLACK_MS}`,
    }))
    .where("run_uid", "in", (query) => query.selectFrom("next").select("run_uid"))
    .returning(["run_uid", "url", "attempts"])
    .execute();
}

/** Stores how a try went. Returns after how many milliseconds there is another one; undefined: there is none. */
async function keep(
  { store, settings, delaysMs = DELAYS_MS }: WebhookParts,
  { run_uid, attempts }: DueWebhook,
  sent: Sent,
): Promise<number | undefined> {
  const { db, now } = store;
  const delayMs = Math.ceil((delaysMs[Math.min(attempts, delaysMs.length) - 1] ?? 0) * (0.9 + Math.random() / 5));
  const againMs = sent.kind === "failed" && attempts < settings.maxAttempts ? delayMs : undefined;
  await db
    .updateTable("webhooks")
    .set({
      lease_until: null,
      delivered_at: sent.kind === "delivered" ? now : null,
      error: sent.kind === "delivered" ? null : sent.error,
      next_attempt_at: againMs === undefined ? null : sql<number>`${now} + ${againMs}`,
    })
    .where("run_uid", "=", run_uid)
    .where("attempts", "=", attempts)
    .execute();
  return againMs;
}

/** A try that this process had no time for does not count. */
async function putBack({ db }: Store, { run_uid, attempts }: DueWebhook): Promise<void> {
  await db
    .updateTable("webhooks")
    .set({ lease_until: null, attempts: attempts - 1 })
    .where("run_uid", "=", run_uid)
    .where("attempts", "=", attempts)
    .execute();
}

const TYPES: Readonly<Partial<Record<Run_Status, string>>> = {
  [Run_Status.COMPLETED]: "run.completed",
  [Run_Status.FAILED]: "run.failed",
  [Run_Status.CANCELLED]: "run.cancelled",
};

/** The message about a run that has ended. */
function payloadOf({ webhook: _, ...run }: Run): string {
  const { seconds = 0n, nanos = 0 } = run.finishedAt ?? {};
  return JSON.stringify({
    type: TYPES[run.status],
    timestamp: new Date(Number(seconds) * 1000 + nanos / 1e6).toISOString(),
    data: encodeJson(RunSchema, run, { without: "response" }),
  });
}
