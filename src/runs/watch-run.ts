import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { WatchRunRequest, WatchRunResponse } from "../gen/parley/runs/v1/runs_service_pb.ts";
import { isRunUid } from "../lib/ids.ts";
import type { Store } from "../store/store.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { EventReader } from "./event-reader.ts";
import { runNotFound } from "./run-not-found.ts";

/** What watching needs. */
export interface WatchParts {
  readonly store: Store;
  readonly feed: ChangeFeed;
  readonly reader: EventReader;
}

/** How often a watcher looks without having been told. */
export const WATCH_POLL_MS = 5_000;

/** Streams what a run of the owner gives. It holds no more than one page, however slow its reader is. */
export async function* watchRun(
  { uid, afterSequence }: WatchRunRequest,
  owner: string,
  { store, feed, reader }: WatchParts,
  signal: AbortSignal,
): AsyncGenerator<readonly WatchRunResponse[]> {
  await checkOwner(store, uid, owner);
  // No run has so many events, and no engine compares with more.
  let after = Math.min(Number(afterSequence), Number.MAX_SAFE_INTEGER);
  const follower = feed.follow(uid);
  try {
    for (let isFirst = true; ; isFirst = false) {
      const { version } = follower;
      const reading = await reader.read(uid, follower, after);
      signal.throwIfAborted();
      switch (reading.kind) {
        case "gone":
          throw runNotFound();
        case "events":
          yield reading.events;
          if (reading.isLast) return;
          after += reading.events.length;
          break;
        case "nothing":
          if (reading.isEnded) return;
          if (isFirst) checkReached(after, reading.last);
          await follower.changed(version, WATCH_POLL_MS, signal);
          break;
        default:
          reading satisfies never;
      }
    }
  } finally {
    follower.close();
  }
}

/** Fails with NOT_FOUND where there is no such run, or it is somebody else's. */
export async function checkOwner({ db }: Store, uid: string, owner: string): Promise<void> {
  const query = db.selectFrom("runs").select("uid").where("uid", "=", uid).where("owner", "=", owner);
  if (!isRunUid(uid) || (await query.executeTakeFirst()) === undefined) throw runNotFound();
}

function checkReached(after: number, last: number): void {
  if (after <= last) return;
  throw new GatewayError(Reason.INVALID_VALUE, `after_sequence is ${after}, but the run has ${last} events so far`, {
    param: "after_sequence",
  });
}
