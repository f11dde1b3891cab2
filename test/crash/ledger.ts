/** The ledger: what the gateway has told its clients, which it is held to however often it is killed. Times are those of `performance.now()`. */

/** An object of the gateway's JSON. */
export type Json = Readonly<Record<string, unknown>>;

export const STATUSES = ["queued", "running", "completed", "failed", "cancelled"] as const;
export type RunStatus = (typeof STATUSES)[number];

/** A run as the gateway tells of it. */
export interface RunJson extends Json {
  readonly uid: string;
  readonly status: RunStatus;
  /** Unset: never. */
  readonly attempts?: number;
  /** Unset: 0. */
  readonly last_sequence?: number | string;
  readonly request_id?: string;
  /** Left out of lists, as `error` is not. */
  readonly response?: Json | null;
  readonly error?: Json | null;
}

/** A run that was asked for. */
export interface WantedRun {
  /** Its Idempotency-Key, which no other has. */
  readonly requestId: string;
  /** Name of the key that it was asked for with. */
  readonly owner: string;
  readonly model: string;
  /** What the answer says, where the model is one that repeats. */
  readonly text: string | undefined;
  /** Each uid that it was acknowledged with; a gateway that keeps its word gives one. */
  readonly uids: Set<string>;
  /** Whether somebody asked for its end, and how it was when that was acknowledged. */
  isCancelSent: boolean;
  cancelled: RunStatus | undefined;
}

/** A run as somebody saw it by a request of that time. */
export interface Sighting {
  readonly from: number;
  readonly to: number;
  /** Such as "GET on alpha". */
  readonly by: string;
  readonly run: RunJson;
}

/** An event that a watcher saw. */
export interface SeenEvent {
  readonly sequence: number;
  readonly kind: "chunk" | "restart" | "run";
  /** Its JSON as REST has it. */
  readonly json: string;
}

/** What one watcher saw of a run, over all its connections. */
export interface Watch {
  readonly uid: string;
  /** Such as "SSE 2". */
  readonly by: string;
  readonly events: SeenEvent[];
  /** How often it went on, over another connection, behind what it had seen. */
  resumes: number;
  /** Whether it came to the end of the run. */
  isEnded: boolean;
}

/** A key that was acknowledged. */
export interface MadeKey {
  readonly id: string;
  readonly secret: string;
  revokeSentAt: number | undefined;
  revokedAt: number | undefined;
}

/** How a request with a key was answered. */
export interface KeyUse {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly by: string;
  readonly status: number;
}

/** All that clients know. */
export interface Ledger {
  readonly runs: WantedRun[];
  readonly sightings: Sighting[];
  readonly watches: Watch[];
  readonly keys: MadeKey[];
  readonly keyUses: KeyUse[];
  /** Rows of the log of requests, as they were first seen, by their id. */
  readonly rows: Map<string, string>;
  /** What no client should ever have been told. */
  readonly faults: string[];
  /** Notes rows that were read; one that has changed since it was first seen is a fault. */
  seeRows(rows: readonly Json[], by: string): void;
}

/** Makes an empty one. */
export function createLedger(): Ledger {
  const rows = new Map<string, string>();
  const faults: string[] = [];
  return {
    runs: [],
    sightings: [],
    watches: [],
    keys: [],
    keyUses: [],
    rows,
    faults,
    seeRows(read, by) {
      for (const row of read) {
        const id = String(row["id"]);
        const json = JSON.stringify(row);
        const before = rows.get(id);
        if (before === undefined) rows.set(id, json);
        else if (before !== json) faults.push(`row ${id} was ${before}, and is ${json} by ${by}`);
      }
    },
  };
}
