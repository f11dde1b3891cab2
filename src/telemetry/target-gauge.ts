/** How it stands with one target of calls. */
export interface TargetGauge {
  /** Id of the provider. */
  readonly provider: string;
  /** The provider's own name of the model. */
  readonly model: string;
  /** Whether calls are kept from it: "half_open" lets one through, to see whether it answers again. */
  readonly breaker: "closed" | "half_open" | "open";
  /** How many calls it has now. */
  readonly inFlight: number;
  /** How many calls wait for a place. */
  readonly waiting: number;
}

/** Tells how it stands with all targets that have been called. It is asked whenever metrics are read. */
export type TargetGauges = () => readonly TargetGauge[];
