import type { IncomingHttpHeaders } from "node:http";
import type { AuthSettings, ConfigKeySettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { KeyRow } from "../store/keys.ts";
import { invalid, readBearer } from "./bearer.ts";
import { type Caller, OPEN_CALLER } from "./caller.ts";
import { readKeyLimits, readKeyModels, readKeyScopes } from "./key-row.ts";
import { hashSecret, isSecret } from "./secret.ts";
import type { StoredKeys } from "./stored-keys.ts";
import { createTokens, isToken, type TokensOptions } from "./tokens.ts";

/** Knows who calls. */
export interface Identity {
  /** Whether everybody may call, because there are no keys and no tokens. False, too, where nobody knows whether there are. */
  readonly isOpen: boolean;
  /**
   * Finds out who calls, by `Authorization: Bearer …`. Fails with INVALID_API_KEY, and with UNAVAILABLE where what it takes to find out
   * is away. Answers at once where the caller is known from before, and throws at once where the header has no key.
   */
  authenticate(headers: IncomingHttpHeaders): Caller | Promise<Caller>;
  /**
   * Finds a caller by its id, for work that goes on without a request: a key as it is now, undefined where it was revoked, has expired
   * or is gone. `before`: the caller as it was, which is returned for one that is no key.
   */
  recall(before: Caller): Promise<Caller | undefined>;
}

/** What an identity works with. */
export interface IdentityOptions extends Omit<TokensOptions, "settings" | "defaultLimits"> {
  readonly auth: AuthSettings;
  /** The keys of the store, which outlive these settings. */
  readonly stored: StoredKeys;
  /** Whether everybody may call where there are no keys: only where just this machine can reach the port. */
  readonly mayBeOpen: boolean;
}

/** Makes what knows who calls, by these settings. */
export function createIdentity({ auth, stored, mayBeOpen, now = Date.now, ...options }: IdentityOptions): Identity {
  const { jwt, defaultLimits } = auth;
  const tokens = jwt === undefined ? undefined : createTokens({ settings: jwt, defaultLimits, now, ...options });
  const configured = auth.keys.map((key) => [key.sha256, callerOfConfig(key, auth)] as const);
  const byHash = new Map(configured);
  const byId = new Map(configured.map(([, caller]) => [caller.id, caller]));
  const isConfigured = byHash.size > 0 || tokens !== undefined;
  /** One caller for each key, as long as that is not read again: what is made of a caller is made once. */
  const callers = new WeakMap<KeyRow, Caller>();

  function callerOf(row: KeyRow): Caller {
    let caller = callers.get(row);
    if (caller === undefined) {
      caller = callerOfRow(row, auth);
      callers.set(row, caller);
    }
    return caller;
  }

  const hasEnded = ({ expires_at: expiresAt }: KeyRow): boolean => expiresAt !== null && expiresAt <= now();

  function admit(row: KeyRow | undefined): Caller {
    if (row === undefined) throw invalid("the key is not one that this gateway knows");
    // Only who has the secret sees these.
    if (row.revoked_at !== null) throw invalid("the key was revoked");
    if (hasEnded(row)) throw invalid("the key has expired");
    return callerOf(row);
  }

  const isOpen = (): boolean => mayBeOpen && !isConfigured && stored.any === false;

  return {
    get isOpen() {
      return isOpen();
    },
    authenticate(headers) {
      if (isOpen()) return OPEN_CALLER;
      if (!isConfigured && stored.any === undefined) {
        throw new GatewayError(
          Reason.UNAVAILABLE,
          "nobody can be let in now, because the database with the keys is away",
          {
            retryAfterMs: 1_000,
          },
        );
      }
      const text = readBearer(headers);
      const hash = hashSecret(text);
      // What is compared are hashes, which nobody can choose: the time that it takes tells nothing of a secret.
      const known = byHash.get(hash);
      if (known !== undefined) return known;
      if (isSecret(text)) {
        const row = stored.find(hash);
        return row instanceof Promise ? row.then(admit) : admit(row);
      }
      if (tokens !== undefined && isToken(text)) return tokens.verify(text, hash);
      return admit(undefined);
    },
    async recall(before) {
      if (before.id === OPEN_CALLER.id || before.id.startsWith("jwt:")) return before;
      if (!before.id.startsWith("key_")) return byId.get(before.id);
      const row = await stored.get(before.id);
      return row === undefined || row.revoked_at !== null || hasEnded(row) ? undefined : callerOf(row);
    },
  };
}

const callerOfConfig = (key: ConfigKeySettings, { defaultLimits }: AuthSettings): Caller => ({
  id: key.id,
  scopes: new Set(key.scopes),
  models: key.models,
  limits: key.limits ?? defaultLimits,
  logContent: key.logContent,
});

const callerOfRow = (row: KeyRow, { defaultLimits }: AuthSettings): Caller => ({
  id: row.id,
  scopes: new Set(readKeyScopes(row)),
  models: readKeyModels(row),
  limits: readKeyLimits(row) ?? defaultLimits,
  logContent: row.log_content !== 0,
});
