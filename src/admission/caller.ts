import type { KeyLimits } from "../gen/parley/keys/v1/limits_pb.ts";
import { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";

/** Somebody who calls, as the gateway knows them. */
export interface Caller {
  /** Id of the key, "jwt:" and the token's subject, or "open" where nobody has to say who they are. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Patterns of models that may be used; empty: all. */
  readonly models: readonly string[];
  /** Undefined: none. The default ones are filled in. */
  readonly limits: KeyLimits | undefined;
  /** Whether prompts and answers are kept in the log of requests. */
  readonly logContent: boolean;
}

/** The caller where nobody has to say who they are: it may do everything. */
export const OPEN_CALLER: Caller = {
  id: "open",
  scopes: new Set([Scope.CHAT, Scope.MODELS, Scope.RUNS, Scope.REQUESTS, Scope.ADMIN]),
  models: [],
  limits: undefined,
  logContent: false,
};
