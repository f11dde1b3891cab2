import type { Run } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { isRunUid } from "../lib/ids.ts";
import type { Store } from "../store/store.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { runNotFound } from "./run-not-found.ts";
import { findRun, hasEnded } from "./run-row.ts";
import { WATCH_POLL_MS } from "./watch-run.ts";

/** A run of the owner when it has ended, or as it is after that many milliseconds. */
export async function waitForRun(
  uid: string,
  owner: string,
  waitMs: number,
  { store, feed }: { readonly store: Store; readonly feed: ChangeFeed },
  signal: AbortSignal,
): Promise<Run> {
  if (!isRunUid(uid)) throw runNotFound();
  const end = performance.now() + waitMs;
  const follower = feed.follow(uid);
  try {
    for (;;) {
      const { version } = follower;
      const leftMs = end - performance.now();
      if (leftMs <= 0 || (await isOver(store, uid, owner))) {
        const run = await findRun(store.db, uid, owner);
        if (run === undefined) throw runNotFound();
        return run;
      }
      await follower.changed(version, Math.min(leftMs, WATCH_POLL_MS), signal);
    }
  } finally {
    follower.close();
  }
}

async function isOver({ db }: Store, uid: string, owner: string): Promise<boolean> {
  const query = db.selectFrom("runs").select("status").where("uid", "=", uid).where("owner", "=", owner);
  const row = await query.executeTakeFirst();
  return row === undefined || hasEnded(row.status);
}
