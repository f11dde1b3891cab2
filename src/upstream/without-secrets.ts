import { GatewayError } from "../errors/gateway-error.ts";
import type { Endpoint } from "../providers/provider.ts";
import { REDACTED } from "../telemetry/redaction.ts";

/** Shorter values are words of other texts, too: a header that names a team, say. */
const SHORTEST = 8;

/** A text of a provider's without the secrets that are sent to it, whatever they look like. */
export function withoutSecrets({ secretHeaders }: Pick<Endpoint, "secretHeaders">, text: string): string {
  let clean = text;
  for (const value of Object.values(secretHeaders)) {
    const secret = value.replace(/^(?:Bearer|Basic)\s+/i, "");
    if (secret.length >= SHORTEST) clean = clean.replaceAll(secret, REDACTED);
  }
  return clean;
}

/** What was thrown, but for the secrets in what a caller would see of it. */
export function faultWithoutSecrets(endpoint: Pick<Endpoint, "secretHeaders">, thrown: unknown): unknown {
  if (!(thrown instanceof GatewayError)) return thrown;
  const { reason, details } = thrown;
  const message = withoutSecrets(endpoint, thrown.message);
  const param = details.param === undefined ? undefined : withoutSecrets(endpoint, details.param);
  if (message === thrown.message && param === details.param) return thrown;
  return new GatewayError(reason, message, { ...details, param });
}
