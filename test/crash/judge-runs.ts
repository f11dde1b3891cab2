import { gistOf } from "./fold-json.ts";
import type { Ledger, RunJson, RunStatus, Sighting, WantedRun } from "./ledger.ts";

/** How often workers may be lost with a run before it fails. */
export const MAX_ATTEMPTS = 5;

const FINAL: Readonly<Partial<Record<RunStatus, true>>> = { completed: true, failed: true, cancelled: true };

/** Whether this is how a run is that has ended. */
export const isFinal = (status: RunStatus): boolean => status in FINAL;

/** Of the runs that were acknowledged: there is one for each request, and it ends once, for a reason, with what it was asked for. */
export function judgeRuns(ledger: Ledger, listed: ReadonlyMap<string, readonly RunJson[]>): readonly string[] {
  const byUid = sightingsByUid(ledger);
  return ledger.runs.flatMap((wanted) => {
    const { requestId, owner, uids } = wanted;
    const [uid] = uids;
    // Its actor has said why, where it got no answer.
    if (uid === undefined) return [];
    const sightings = byUid.get(uid) ?? [];
    const faults = [...judgeOrder(sightings), ...judgeEnd(wanted, sightings)];
    const found = (listed.get(owner) ?? []).filter((run) => run.request_id === requestId).map((run) => run.uid);
    const all = new Set([...uids, ...found]);
    if (all.size > 1) faults.push(`one request made the runs ${[...all].join(", ")}`);
    if (found.length !== 1) faults.push(`is listed ${found.length} times`);
    return faults.map((fault) => `run ${uid} of ${requestId}: ${fault}`);
  });
}

/** The last event of a watcher is a sighting, too; but when it became so is not known. */
function sightingsByUid({ sightings, watches }: Ledger): ReadonlyMap<string, readonly Sighting[]> {
  const ends = watches.flatMap(({ by, events }): readonly Sighting[] => {
    const last = events.at(-1);
    if (last?.kind !== "run") return [];
    return [{ from: 0, to: Number.POSITIVE_INFINITY, by, run: JSON.parse(last.json) as RunJson }];
  });
  return Map.groupBy([...sightings, ...ends], ({ run }) => run.uid);
}

/** Once it has been seen ended, nothing of a run changes. */
function judgeOrder(sightings: readonly Sighting[]): string[] {
  const ends = sightings.filter(({ run }) => isFinal(run.status));
  const [end] = ends;
  if (end === undefined) return ["has not ended"];
  const json = JSON.stringify(end.run);
  const other = ends.find(({ run }) => JSON.stringify(run) !== json);
  if (other !== undefined) return [`ended as ${json} by ${end.by}, and as ${JSON.stringify(other.run)} by ${other.by}`];
  const seenAt = Math.min(...ends.map(({ to }) => to));
  const late = sightings.find(({ from, run }) => !isFinal(run.status) && from > seenAt);
  return late === undefined ? [] : [`is ${late.run.status} by ${late.by} after it was seen ${end.run.status}`];
}

/** It ended as it may have. */
function judgeEnd({ model, text, isCancelSent, cancelled }: WantedRun, sightings: readonly Sighting[]): string[] {
  const run = sightings.find((sighting) => isFinal(sighting.run.status))?.run;
  if (run === undefined) return [];
  const { status, response, error, attempts = 0 } = run;
  // One that had ended before is as it was; see judgeOrder().
  if (cancelled !== undefined && !isFinal(cancelled) && status !== "cancelled") {
    return [`is ${status}, though its end was acknowledged when it was ${cancelled}`];
  }
  const isFaulty = model.includes("/fault-");
  switch (status) {
    case "completed": {
      if (!response || error) return [`is completed with ${JSON.stringify({ response, error })}`];
      if (isFaulty) return [`is completed, though ${model} fails`];
      const content = gistOf(response).choices[0]?.content;
      return text === undefined || content === text ? [] : [`was asked for "${text}", and answers "${content}"`];
    }
    case "failed":
      if (response || !error) return [`is failed with ${JSON.stringify({ response, error })}`];
      if (isFaulty || (attempts >= MAX_ATTEMPTS && error["code"] === "worker_lost")) return [];
      return [`is failed without a cause after ${attempts} attempts: ${JSON.stringify(error)}`];
    default:
      return isCancelSent ? [] : [`is ${status}, and nobody asked for that`];
  }
}
