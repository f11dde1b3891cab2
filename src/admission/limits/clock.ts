/** The two times that limits need. */
export interface Clock {
  /** Milliseconds by a clock that never jumps: allowances refill by it. */
  monotonicMs(): number;
  /** Unix milliseconds: days and months of budgets go by it. */
  wallMs(): number;
}

/** The clocks of the machine. */
export const MACHINE_CLOCK: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
