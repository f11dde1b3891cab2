import { describe, expect, it } from "vitest";
import type { GatewayError } from "../../../src/errors/gateway-error.ts";
import { createProvider, plan } from "./support.ts";

const error = (type: string, message: string): string =>
  JSON.stringify({ type: "error", error: { type, message }, request_id: "req_1" });

function decode(status: number, body: string, headers: Record<string, string> = {}): GatewayError {
  return createProvider().decodeError({
    status,
    body,
    header: (name) => headers[name],
    receivedAt: Date.parse("2026-01-01T00:00:00Z"),
  });
}

describe("decodeError()", () => {
  it.each<[number, string, string, number, string, object]>([
    [400, error("invalid_request_error", "bad"), "INVALID_REQUEST", 400, "anthropic: bad", {}],
    [
      400,
      error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
      "CONTEXT_LENGTH_EXCEEDED",
      400,
      "anthropic: prompt is too long: 210000 tokens > 200000 maximum",
      { param: "messages" },
    ],
    [
      400,
      error("invalid_request_error", "Your credit balance is too low to access the API"),
      "UPSTREAM_QUOTA_EXHAUSTED",
      502,
      "anthropic refused the call: the budget of the gateway's account there is used up",
      {},
    ],
    [
      400,
      error(
        "invalid_request_error",
        "You have reached your specified API usage limits. Access comes back on 2026-02-01.",
      ),
      "UPSTREAM_QUOTA_EXHAUSTED",
      502,
      "anthropic refused the call: the budget of the gateway's account there is used up",
      {},
    ],
    [
      400,
      error("invalid_request_error", "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000"),
      "CONTEXT_LENGTH_EXCEEDED",
      400,
      "anthropic: input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000",
      { param: "messages" },
    ],
    [
      401,
      error("authentication_error", "invalid x-api-key sk-ant-api03-secret"),
      "UPSTREAM_AUTHENTICATION_FAILED",
      502,
      "anthropic refused the credentials that the gateway has for it",
      {},
    ],
    [
      402,
      error("billing_error", "pay"),
      "UPSTREAM_QUOTA_EXHAUSTED",
      502,
      "anthropic refused the call: the budget of the gateway's account there is used up",
      {},
    ],
    [403, error("permission_error", "not this model"), "PERMISSION_DENIED", 403, "anthropic: not this model", {}],
    [404, error("not_found_error", "model: x"), "MODEL_NOT_FOUND", 404, "anthropic: model: x", { param: "model" }],
    [413, error("request_too_large", "too large"), "REQUEST_TOO_LARGE", 413, "anthropic: too large", {}],
    [
      429,
      error("rate_limit_error", "would exceed your organization's rate limit (org: org-1234567890)"),
      "RATE_LIMIT_EXCEEDED",
      429,
      "anthropic takes no more calls now: a rate limit is reached",
      { quota: "provider:anthropic" },
    ],
    [500, error("api_error", "Internal"), "UPSTREAM_ERROR", 500, "anthropic failed (HTTP 500)", {}],
    [500, error("overloaded_error", "Overloaded"), "OVERLOADED", 503, "anthropic is overloaded", {}],
    [
      502,
      "<html><h1>Bad gateway</h1></html>",
      "UPSTREAM_INVALID_RESPONSE",
      502,
      "anthropic could not be reached behind its own edge (HTTP 502)",
      {},
    ],
    [504, error("timeout_error", "slow"), "DEADLINE_EXCEEDED", 504, "anthropic did not answer in time", {}],
    [529, error("overloaded_error", "Overloaded"), "OVERLOADED", 503, "anthropic is overloaded", {}],
    [529, "", "OVERLOADED", 503, "anthropic is overloaded", {}],
  ])("says %i %s as %s", (status, body, reasonName, httpStatus, message, details) => {
    const decoded = decode(status, body);
    expect(decoded).toMatchObject({ name: "GatewayError", reasonName, message, details });
    expect(decoded.row.httpStatus).toBe(httpStatus);
  });

  it.each<[string, Record<string, string>, number | undefined, boolean]>([
    ["retry-after", { "retry-after": "7" }, 7000, true],
    [
      "the reset of an exhausted limit",
      {
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-01-01T00:00:03Z",
      },
      3000,
      true,
    ],
    ["x-should-retry: false", { "x-should-retry": "false" }, undefined, false],
    ["x-should-retry: true", { "x-should-retry": "true" }, undefined, true],
  ])("goes by %s", (_what, headers, retryAfterMs, retryable) => {
    const decoded = decode(429, error("rate_limit_error", "slow down"), headers);
    expect(decoded.details.retryAfterMs).toBe(retryAfterMs);
    expect(decoded.retryable).toBe(retryable);
  });

  it.each([
    ["overloaded_error", "OVERLOADED"],
    ["rate_limit_error", "RATE_LIMIT_EXCEEDED"],
    ["invalid_request_error", "INVALID_REQUEST"],
    ["authentication_error", "UPSTREAM_AUTHENTICATION_FAILED"],
    ["billing_error", "UPSTREAM_QUOTA_EXHAUSTED"],
    ["permission_error", "PERMISSION_DENIED"],
    ["not_found_error", "MODEL_NOT_FOUND"],
    ["conflict_error", "CONFLICT"],
    ["request_too_large", "REQUEST_TOO_LARGE"],
    ["timeout_error", "DEADLINE_EXCEEDED"],
    ["api_error", "UPSTREAM_ERROR"],
    ["of_tomorrow", "UPSTREAM_ERROR"],
  ])("says %s within a success as %s", (type, reasonName) => {
    const data = error(type, "x");
    const thrown = expect.objectContaining({ name: "GatewayError", reasonName });
    expect(() => plan().createStreamDecoder().push({ event: "error", data })).toThrow(thrown);
    expect(() => plan().decodeResponse(data)).toThrow(thrown);
  });
});
