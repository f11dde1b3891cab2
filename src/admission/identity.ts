import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "./caller.ts";

/** Knows who calls. */
export interface Identity {
  /** Whether everybody may call, because there are no keys and no tokens. */
  readonly isOpen: boolean;
  /**
   * Finds out who calls, by `Authorization: Bearer …`. Fails with INVALID_API_KEY, and with UNAVAILABLE where what it takes to find out
   * is away. Answers at once where the caller is known from before.
   */
  authenticate(headers: IncomingHttpHeaders): Caller | Promise<Caller>;
  /**
   * Finds a caller by its id, for work that goes on without a request: a key as it is now, undefined where it was revoked, has expired
   * or is gone. `before`: the caller as it was, which is returned for one that is no key.
   */
  recall(before: Caller): Promise<Caller | undefined>;
}
