import { judgeKeys } from "./judge-keys.ts";
import { judgeRuns } from "./judge-runs.ts";
import { judgeWatches } from "./judge-watches.ts";
import type { Ledger, RunJson } from "./ledger.ts";

/** What is there when all has come to its end. */
export interface Remains {
  /** All runs, as lists have them, by the name of the key that they belong to. */
  readonly listed: ReadonlyMap<string, readonly RunJson[]>;
  /** Ids of all rows of the log of requests. */
  readonly rowIds: ReadonlySet<string>;
}

/** Holds the gateway to what it has told. Returns the promises that are broken, each in words. */
export function judge(ledger: Ledger, remains: Remains): readonly string[] {
  const lost = [...ledger.rows.keys()].filter((id) => !remains.rowIds.has(id));
  return [
    ...ledger.faults,
    ...judgeRuns(ledger, remains.listed),
    ...judgeWatches(ledger),
    ...judgeKeys(ledger),
    ...lost.map((id) => `row ${id} was seen, and is lost`),
  ];
}
