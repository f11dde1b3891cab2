import { GatewayError } from "../errors/gateway-error.ts";
import type { Endpoint } from "../providers/provider.ts";
import { hiddenValues, REDACTED } from "../telemetry/redaction.ts";

/** What secrets are sent in. */
type Secretive = Pick<Endpoint, "secretHeaders" | "query">;

/** Shorter values are words of other texts, too: a header that names a team, say. */
const SHORTEST = 8;

/** A text of a provider's without the secrets that are sent to it, in headers or in the query, whatever they look like. */
export function withoutSecrets({ secretHeaders, query }: Secretive, text: string): string {
  const values = Object.values(secretHeaders).map((value) => value.replace(/^(?:Bearer|Basic)\s+/i, ""));
  let clean = text;
  for (const secret of [...values, ...hiddenValues(query)])
    if (secret.length >= SHORTEST) clean = clean.replaceAll(secret, REDACTED);
  return clean;
}

/** What was thrown, but for the secrets in what a caller would see of it. */
export function faultWithoutSecrets(endpoint: Secretive, thrown: unknown): unknown {
  if (!(thrown instanceof GatewayError)) return thrown;
  const { reason, details } = thrown;
  const message = withoutSecrets(endpoint, thrown.message);
  const param = details.param === undefined ? undefined : withoutSecrets(endpoint, details.param);
  if (message === thrown.message && param === details.param) return thrown;
  return new GatewayError(reason, message, { ...details, param });
}
