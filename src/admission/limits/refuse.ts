import { GatewayError } from "../../errors/gateway-error.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import type { Refusal } from "./limiter.ts";
import type { Quota } from "./quota.ts";

/** Makes the error of a call that may not be made now: whose limit it is, which, how high, and when it may be made. */
export function refuse({ limit, retryAfterMs }: Refusal, caller: string, quota: Quota): GatewayError {
  const details = { retryAfterMs, quota: `key:${caller}` };
  if (limit !== "budget") {
    const message = `the limit of this key is reached: ${nameLimit(limit, quota)}`;
    return new GatewayError(Reason.RATE_LIMIT_EXCEEDED, message, details);
  }
  const dollars = (quota.budget?.nanoDollars ?? 0) / 1e9;
  const message = `the budget of this key is used up: ${dollars} US dollars per ${quota.budget?.per ?? "month"}`;
  return new GatewayError(Reason.INSUFFICIENT_QUOTA, message, details);
}

function nameLimit(limit: Exclude<Refusal["limit"], "budget">, quota: Quota): string {
  switch (limit) {
    case "requests":
      return `requests per minute: ${quota.requestsPerMinute}`;
    case "tokens":
      return `tokens per minute: ${quota.tokensPerMinute}`;
    case "concurrent":
      return `calls at once: ${quota.concurrent}`;
    case "concurrent_streams":
      return `streams at once: ${quota.concurrentStreams}`;
    default:
      return limit satisfies never;
  }
}
