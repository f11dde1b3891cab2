/** How long things may take, in milliseconds; undefined: no bound. */
export interface GatewayTimeouts {
  /** A call whose client gives no deadline. */
  readonly totalMs: number;
  /** Until a model's first output. */
  readonly firstChunkMs: number | undefined;
  /** Between two outputs of a model. */
  readonly idleMs: number | undefined;
}
