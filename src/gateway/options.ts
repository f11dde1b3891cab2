/** How long things may take, in milliseconds, and how often they are tried; undefined: no bound. */
export interface GatewayOptions {
  /** A call whose client gives no deadline. */
  readonly totalMs: number;
  /** Until a model's first output. */
  readonly firstChunkMs: number | undefined;
  /** Between two outputs of a model. */
  readonly idleMs: number | undefined;
  /** For one target's answer in one piece, while there is another target to ask; undefined: a fair share of the time that is left. */
  readonly attemptMs: number | undefined;
  /** How often a call asks one target again. */
  readonly maxRetries: number;
  /** How long it waits, all in all, for targets to take it again. */
  readonly maxWaitMs: number;
}

/** The same, for one call. */
export interface RoutingOptions extends GatewayOptions {
  /** How long the first target may be silent before the next one is asked, too; undefined: one is asked at a time. */
  readonly hedgeAfterMs?: number;
}
