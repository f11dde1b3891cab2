import type { Ask, Refusal, Standing } from "../admission/limits/limiter.ts";
import type { Quota } from "../admission/limits/quota.ts";
import type { Settings } from "../config/settings.ts";
import type { Address } from "../lib/address.ts";
import type { SqliteResult } from "../store/sqlite/sqlite-client.ts";
import type { Channel as StoreChannel } from "../store/store.ts";
import type { ReadMetrics } from "../telemetry/merge-metrics.ts";
import type { Member } from "../telemetry/resource.ts";
import type { Memory } from "../upstream/recollection.ts";

/**
 * Whether a call may be made. One that may is settled by the number that it was reserved under. `ahead`: so many more like it may be made,
 * under the numbers that follow.
 */
export type Verdict = Refusal | { readonly granted: true; readonly standing: Standing; readonly ahead: number };

/** What is wanted besides a call. */
export interface Ahead {
  /** So many more calls at most. */
  readonly count: number;
  /** The tokens of each. */
  readonly tokens: number;
}

/** What became of a call: its number, its tokens and its nano-dollars. */
export type Settled = readonly [call: number, tokens: number, nanoDollars: number];

/** What is said in data that JSON does not take. */
export const CLONED: ReadonlySet<string> = new Set(["start", "prepare", "keep", "remember", "readMetrics"]);

/** What the primary does for a worker. */
export interface PrimaryService {
  /** The worker has the connection of that number. */
  readonly taken: (id: number) => void;
  /** One of the connections that the worker had is closed. */
  readonly closed: () => void;
  /** Reserves a call, and more like it where there is plenty. */
  readonly reserve: (call: number, caller: string, quota: Quota, ask: Ask, ahead: Ahead) => Verdict | Promise<Verdict>;
  readonly settle: (calls: readonly Settled[]) => void;
  /** Gives back what was reserved for calls that were never made. */
  readonly undo: (calls: readonly number[]) => void;
  readonly standing: (caller: string, quota: Quota) => Standing | Promise<Standing>;
  /** Opens the built-in database, where it is not open. */
  readonly openStore: () => Promise<void>;
  /** Runs a statement in the worker's session. */
  readonly query: (statement: string, parameters: readonly unknown[]) => Promise<SqliteResult>;
  /** Tells the other workers what was told in this one, once its transaction was done. */
  readonly notify: (channel: StoreChannel, payload: string) => void;
  /** Has the other workers keep what this one keeps. */
  readonly keep: (memory: Memory) => void;
  /** The metrics of all workers as one. */
  readonly readMetrics: () => Promise<ReadMetrics>;
  /** Has the other workers write their part of the log of requests. */
  readonly flushRequestLogs: () => Promise<void>;
}

/** What a worker does for the primary. */
export interface WorkerService {
  /** Starts the gateway: resolves when it takes connections. */
  readonly start: (order: StartOrder) => Promise<Started>;
  /** Makes ready for other settings: resolves when nothing can refuse them any more. They come into force, or not, by `decide`. */
  readonly prepare: (settings: Settings) => Promise<void>;
  /** Puts what was made ready into force, or drops it. Resolves when that is done. */
  readonly decide: (isAgreed: boolean) => Promise<void>;
  /** Gives back what it has reserved ahead of a caller's calls, and tells what became of those that are over. */
  readonly recall: (caller: string) => Promise<void>;
  readonly recordReload: (outcome: "ok" | "refused") => void;
  readonly heard: (channel: StoreChannel, payload: string) => void;
  readonly remember: (memory: Memory) => void;
  readonly readMetrics: () => Promise<ReadMetrics>;
  readonly flushRequestLog: () => Promise<void>;
  /** Drains, and ends the process. */
  readonly stop: () => void;
}

/** What a worker is started with. */
export interface StartOrder {
  readonly member: Member;
  readonly settings: Settings;
  /** Where the primary listens. */
  readonly address: Address;
}

/** A worker that takes connections. */
export interface Started {
  readonly url: string;
  /** Whether everybody on this machine may call. */
  readonly isOpen: boolean;
}
