import type { Quota } from "./quota.ts";

/** What a call asks for. */
export interface Ask {
  /** Tokens that it may take, at most roughly. */
  readonly tokens: number;
  readonly stream: boolean;
}

/** How it stands with an allowance that refills. */
export interface Allowance {
  /** A minute's worth. */
  readonly limit: number;
  /** How much is left, rounded down; never negative. */
  readonly remaining: number;
  /** Milliseconds until all of it is there again. */
  readonly resetMs: number;
}

/** How it stands with the allowances of a caller; undefined: there is no such limit. */
export interface Standing {
  readonly requests: Allowance | undefined;
  readonly tokens: Allowance | undefined;
}

/** What a call took. */
export interface Use {
  readonly tokens: number;
  /** 0 where it is not known. */
  readonly nanoDollars: number;
}

/** A call that may be made. */
export interface Grant {
  readonly granted: true;
  readonly standing: Standing;
  /** The call is over, and took this. To be called once, however it ended; it never fails, and what can't be told now is told later. */
  settle(use: Use): void;
}

/** A call that may not be made now. Nothing was taken for it. */
export interface Refusal {
  readonly granted: false;
  readonly standing: Standing;
  readonly limit: "requests" | "tokens" | "concurrent" | "concurrent_streams" | "budget";
  /** The least time after which the same call may be granted, in milliseconds. */
  readonly retryAfterMs: number;
}

/** Holds callers to their limits. */
export interface Limiter {
  /**
   * Takes what a call asks for, all of it or nothing. Places, streams, requests, tokens and budget are looked at before any is taken.
   * Answers at once where all that is known is in this process. It does not fail: without the server that is shared, each process
   * grants its share.
   */
  reserve(caller: string, quota: Quota, ask: Ask): Grant | Refusal | Promise<Grant | Refusal>;
  /** How it stands with a caller now; nothing is taken. It does not fail. */
  standing(caller: string, quota: Quota): Standing | Promise<Standing>;
  /** Whether limits that should be shared are not now. */
  readonly isLocal: boolean;
  /** Lets go of the shared server, when what was settled is told. */
  close(): Promise<void>;
}
