import type { WatchRunResponse } from "../gen/parley/runs/v1/runs_service_pb.ts";
import type { Store } from "../store/store.ts";
import type { Follower } from "./change-feed.ts";
import { decodeEvents, runEvent } from "./run-event.ts";
import { findRun, hasEnded } from "./run-row.ts";

/** What stands behind an event of a run. */
export type Reading =
  /** `isLast`: the last of them is the one with which the run has ended. */
  | { readonly kind: "events"; readonly events: readonly WatchRunResponse[]; readonly isLast: boolean }
  /** Nothing, so far or for ever; `last`: number of the last event that there is. */
  | { readonly kind: "nothing"; readonly last: number; readonly isEnded: boolean }
  /** There is no such run any more. */
  | { readonly kind: "gone" };

/** Reads what runs have given. */
export interface EventReader {
  /** What stands behind an event. Whoever asks for the same at once shares one answer, so a run can have many watchers. */
  read(uid: string, follower: Pick<Follower, "version">, after: number): Promise<Reading>;
}

/** Most rows of one page; each holds what was written at once. */
const PAGE_ROWS = 8;

/** Makes a reader. */
export function createEventReader({ db }: Store): EventReader {
  const reading = new Map<string, Promise<Reading>>();

  const find = async (uid: string, after: number): Promise<Reading> => {
    const rows = await db
      .selectFrom("runs")
      .leftJoin("run_events", (join) =>
        join.onRef("run_events.run_uid", "=", "runs.uid").on("run_events.last_sequence", ">", after),
      )
      .select(["runs.status", "runs.last_sequence", "run_events.first_sequence", "run_events.events"])
      .where("runs.uid", "=", uid)
      .orderBy("run_events.first_sequence")
      .limit(PAGE_ROWS)
      .execute();
    const [run] = rows;
    if (run === undefined) return { kind: "gone" };
    const events = rows.flatMap(({ first_sequence, events }) =>
      first_sequence === null || events === null ? [] : decodeEvents(events, first_sequence, after),
    );
    const isEnded = hasEnded(run.status);
    const reached = after + events.length;
    // Only the last event is in no row: it is the run itself.
    if (isEnded && run.last_sequence === reached + 1) return readEnd(uid, events, run.last_sequence);
    if (events.length > 0) return { kind: "events", events, isLast: false };
    return { kind: "nothing", last: run.last_sequence, isEnded };
  };

  const readEnd = async (uid: string, events: readonly WatchRunResponse[], sequence: number): Promise<Reading> => {
    const run = await findRun(db, uid);
    if (run === undefined) return { kind: "gone" };
    // How its message goes is told by the run itself: an event never changes.
    delete run.webhook;
    return { kind: "events", events: [...events, runEvent(sequence, { case: "run", value: run })], isLast: true };
  };

  return {
    read(uid, { version }, after) {
      // By the version, nobody gets what was read before the change that they heard of.
      const key = `${uid} ${after} ${version}`;
      const known = reading.get(key);
      if (known !== undefined) return known;
      const found = find(uid, after).finally(() => reading.delete(key));
      reading.set(key, found);
      return found;
    },
  };
}
