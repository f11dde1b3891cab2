import { formatTable } from "../bench/table.ts";
import type { CrashResult } from "./crash.ts";
import { isFinal } from "./judge-runs.ts";
import { type RunJson, STATUSES } from "./ledger.ts";

/** The figures, as tables. */
export function formatResult({ broken, kills, ledger, requests, ms }: CrashResult): string {
  const { runs, sightings, watches, keys, keyUses, rows } = ledger;
  const ended = new Map<string, RunJson>();
  for (const { run } of sightings) if (isFinal(run.status)) ended.set(run.uid, run);
  const all = [...ended.values()];
  const restarts = new Set(
    watches.flatMap(({ uid, events }) =>
      events.filter(({ kind }) => kind === "restart").map(({ sequence }) => `${uid} ${sequence}`),
    ),
  );
  return [
    formatTable(
      ["runs", "count"],
      [
        ["acknowledged", runs.filter(({ uids }) => uids.size > 0).length],
        ...STATUSES.map((status): [string, number] => [
          status,
          all.filter((run) => run.status === status).length,
        ]).filter(([, count]) => count > 0),
        ["begun more than once", all.filter(({ attempts = 0 }) => attempts > 1).length],
        ["restart events", restarts.size],
        ["cancels acknowledged", runs.filter(({ cancelled }) => cancelled !== undefined).length],
      ],
    ),
    formatTable(
      ["figure", "count"],
      [
        ["kills", kills],
        ["requests", requests.requests],
        ["requests that were cut, and made again", requests.cuts],
        ["requests answered with 503, and made again", requests.unavailable],
        ["watchers", watches.length],
        ["events that they saw", watches.reduce((sum, { events }) => sum + events.length, 0)],
        ["times that they went on over another connection", watches.reduce((sum, { resumes }) => sum + resumes, 0)],
        ["keys", keys.length],
        ["revokes", keys.filter(({ revokedAt }) => revokedAt !== undefined).length],
        ["uses of keys", keyUses.length],
        ["rows of the log", rows.size],
        ["broken promises", broken.length],
        ["seconds", Math.round(ms / 1_000)],
      ],
    ),
  ].join("\n\n");
}
