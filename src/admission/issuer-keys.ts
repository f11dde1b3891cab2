import type { FetchImplementation, FlattenedJWSInput, JWTHeaderParameters, JWTVerifyGetKey } from "jose";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Logger } from "../telemetry/logger.ts";

/** How old keys may become before they are read again, beside the calls, in milliseconds. */
const REFRESH_MS = 600_000;
/** The same where that failed. */
const REFRESH_RETRY_MS = 30_000;
/** How old they may become while they can't be read. */
const MAX_AGE_MS = 3_600_000;
/** Least time after a reading before a key that is not among them is looked for again. */
const COOLDOWN_MS = 5_000;
/** Least time between two tries that fail. */
const RETRY_MS = 1_000;
const TIMEOUT_MS = 5_000;

/** What the issuer's keys are read by. */
export interface IssuerKeysOptions {
  /** Address of the JWKS. */
  readonly url: string;
  /** Is told when they can't be read. */
  readonly logger?: Pick<Logger, "warn"> | undefined;
  /** Least time after a reading before a key that is not among them is looked for again, in milliseconds. Default: 5 s. */
  readonly cooldownMs?: number | undefined;
}

type FetchOptions = Parameters<FetchImplementation>[1];

/** jose's own errors that the finding of a key may end with, and that are about the token. */
const OF_THE_TOKEN: ReadonlySet<unknown> = new Set([
  "ERR_JWKS_NO_MATCHING_KEY",
  "ERR_JWKS_MULTIPLE_MATCHING_KEYS",
  "ERR_JOSE_NOT_SUPPORTED",
]);

/**
 * Makes what finds the public key of a token's signature by its header's `kid` and `alg`, and by nothing else that a token says of itself.
 * Keys are read when they are first needed. It fails with UNAVAILABLE where they can't be read.
 */
export async function createIssuerKeys({
  url,
  logger,
  cooldownMs = COOLDOWN_MS,
}: IssuerKeysOptions): Promise<JWTVerifyGetKey> {
  const jose = await import("jose");
  let triedAt = Number.NEGATIVE_INFINITY;
  /** What the last try ended with, where it failed. */
  let failure: GatewayError | undefined;

  const keys = jose.createRemoteJWKSet(new URL(url), {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: cooldownMs,
    cacheMaxAge: MAX_AGE_MS,
    [jose.customFetch]: async (address: string, options: FetchOptions) => {
      // An issuer that does not answer is not asked by each token.
      if (failure !== undefined && performance.now() - triedAt < RETRY_MS) throw failure;
      triedAt = performance.now();
      failure = undefined;
      return fetch(address, options);
    },
  });

  function failed(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error;
    logger?.warn({ err: error }, "the keys of the issuer of tokens can't be read");
    const message = "tokens can't be checked now, because their issuer's keys can't be read";
    failure = new GatewayError(Reason.UNAVAILABLE, message, { retryAfterMs: RETRY_MS, cause: error });
    return failure;
  }

  /** Reads them again once they are old, while the old ones serve. The first time is the caller's. */
  function refresh(): void {
    const age = performance.now() - triedAt;
    if (age === Number.POSITIVE_INFINITY || age < (failure === undefined ? REFRESH_MS : REFRESH_RETRY_MS)) return;
    if (keys.reloading) return;
    keys.reload().catch(failed);
  }

  return async (header?: JWTHeaderParameters, token?: FlattenedJWSInput) => {
    refresh();
    try {
      return await keys(header, token);
    } catch (error) {
      if (error instanceof Error && "code" in error && OF_THE_TOKEN.has(error.code)) throw error;
      throw failed(error);
    }
  };
}
