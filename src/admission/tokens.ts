import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import { LRUCache } from "lru-cache";
import type { JwtSettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { KeyLimits } from "../gen/parley/keys/v1/limits_pb.ts";
import { invalid } from "./bearer.ts";
import type { Caller } from "./caller.ts";
import { createIssuerKeys, type IssuerKeysOptions } from "./issuer-keys.ts";
import { callerOfToken } from "./token-caller.ts";

/** Most tokens that are known to be good. */
const MAX_KNOWN = 10_000;
/** How long a token is taken for good: an issuer may take back the key that signed it. */
const KNOWN_MS = 300_000;

/** What tokens are checked by. */
export interface TokensOptions extends Omit<IssuerKeysOptions, "url"> {
  readonly settings: JwtSettings;
  /** For those that have no limits of their own. */
  readonly defaultLimits: KeyLimits | undefined;
  /** Unix milliseconds. */
  readonly now?: () => number;
}

/** Checks tokens of an issuer. */
export interface Tokens {
  /**
   * Finds out whose token it is: at once where it was found good before. `hash`: its SHA-256. Fails with INVALID_API_KEY, and with
   * UNAVAILABLE where the issuer's keys can't be read.
   */
  verify(token: string, hash: string): Caller | Promise<Caller>;
}

interface Known {
  readonly caller: Caller;
  readonly until: number;
}

/** Whether a text could be a token: three parts with dots between. */
export const isToken = (text: string): boolean => /^[^.]+\.[^.]+\.[^.]+$/.test(text);

/** Makes the check of one issuer's tokens. What it takes is loaded when the first one comes. */
export function createTokens(options: TokensOptions): Tokens {
  const { settings, defaultLimits, now = Date.now } = options;
  const known = new LRUCache<string, Known>({ max: MAX_KNOWN });
  const asked = new Map<string, Promise<Caller>>();
  let keys: Promise<JWTVerifyGetKey> | undefined;

  async function check(token: string, hash: string): Promise<Caller> {
    keys ??= createIssuerKeys({ url: settings.jwksUrl, ...options });
    const claims = await verifyToken(token, await keys, {
      issuer: settings.issuer,
      audience: settings.audience,
      algorithms: [...settings.algorithms],
      clockTolerance: settings.clockToleranceMs / 1000,
      requiredClaims: ["exp", "sub"],
      currentDate: new Date(now()),
    });
    const caller = await callerOfToken(claims, settings, defaultLimits);
    const endsAt = Number(claims.exp) * 1000 + settings.clockToleranceMs;
    known.set(hash, { caller, until: Math.min(endsAt, now() + KNOWN_MS) });
    return caller;
  }

  return {
    verify(token, hash) {
      const found = known.get(hash);
      if (found !== undefined && now() < found.until) return found.caller;
      let asking = asked.get(hash);
      if (asking === undefined) {
        asking = check(token, hash).finally(() => asked.delete(hash));
        asked.set(hash, asking);
      }
      return asking;
    },
  };
}

/** Verifies signature and claims. What jose says of a token may quote it, so none of that is told or kept. */
async function verifyToken(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  const { jwtVerify, errors } = await import("jose");
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw refusal(error);
    // A token that does not name its key may be signed by any that its algorithm suits.
    for await (const key of error) {
      const payload = await jwtVerify(token, key, options).then(
        (verified) => verified.payload,
        (failure: unknown) => {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw refusal(failure);
        },
      );
      if (payload !== undefined) return payload;
    }
    throw refusal(new errors.JWSSignatureVerificationFailed());
  }
}

/** What is said of a claim that is not as it must be. */
const CLAIMS: Readonly<Record<string, string>> = {
  iss: "is not of the issuer that this gateway knows (iss)",
  aud: "is for somebody else (aud)",
  exp: "has no end (exp)",
  nbf: "is not valid yet (nbf)",
  sub: "has no subject (sub)",
};

/** What is said of a token, by jose's code for it. */
const FAULTS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: "has expired",
  ERR_JOSE_ALG_NOT_ALLOWED: "is signed by an algorithm that this gateway does not take",
  ERR_JOSE_NOT_SUPPORTED: "is signed by an algorithm that this gateway does not take",
  ERR_JWKS_NO_MATCHING_KEY: "is signed by a key that its issuer does not have",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "has a wrong signature",
};

function refusal(error: unknown): GatewayError {
  const { code, claim } = error as { readonly code?: unknown; readonly claim?: unknown };
  const what = code === "ERR_JWT_CLAIM_VALIDATION_FAILED" ? CLAIMS[String(claim)] : FAULTS[String(code)];
  return invalid(`the token ${what ?? "is not well-formed"}`);
}
