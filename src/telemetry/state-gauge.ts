/** How it stands with what is kept, and with what replicas share. */
export interface StateGauge {
  /** How many rows of the log of requests wait to be written. */
  readonly requestsWaiting: number;
  /** How many rows of it were lost since the start. */
  readonly requestsDropped: number;
  /** Whether limits that should be shared are not now. */
  readonly areLimitsLocal: boolean;
  /** Whether the store can't be reached now. */
  readonly isStoreAway: boolean;
}

/** Where nothing is kept, and nothing is shared. */
export const NO_STATE: StateGauge = {
  requestsWaiting: 0,
  requestsDropped: 0,
  areLimitsLocal: false,
  isStoreAway: false,
};
