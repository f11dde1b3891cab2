/**
 * Workers: processes that serve as one, on one port and with one state. The primary starts them and replaces those that die; it listens,
 * gives each connection to one of them, and keeps what there can be only one of: the built-in database and limits that are counted in
 * memory. It serves no call itself.
 *
 * This file is what a gateway sees of the others when it is one of several.
 */
import type { Limiter } from "../admission/limits/limiter.ts";
import type { ConnectionSource } from "../server/options.ts";
import type { Store } from "../store/store.ts";
import type { ReadMetrics } from "../telemetry/merge-metrics.ts";
import type { Membership } from "../telemetry/metrics.ts";
import type { Sharing } from "../upstream/recollection.ts";

/** What a worker has of the primary, and through it of the other workers. */
export interface Crew extends Membership {
  /** The connections that this worker is given. */
  readonly connections: ConnectionSource;
  /** Opens the built-in database, which the primary has open. */
  openStore(): Promise<Store>;
  /** The limits of all workers, which the primary counts. */
  readonly limiter: Limiter;
  /** What providers must get back is kept by all. */
  readonly sharing: Sharing;
  /** Resolves when the other workers have written what they had for the log of requests. It never rejects. */
  flushRequestLogs(): Promise<void>;
  /** Tells what the others may ask of this worker. */
  join(parts: CrewParts): void;
}

/** What the others may ask of a worker. */
export interface CrewParts {
  readMetrics(): Promise<ReadMetrics>;
  flushRequestLog(): Promise<void>;
}
