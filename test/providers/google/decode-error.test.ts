import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { google } from "./support.ts";

const rpc = (name: string, more: JsonObject): JsonObject => ({
  "@type": `type.googleapis.com/google.rpc.${name}`,
  ...more,
});
const error = (status: string, message: string, ...details: JsonObject[]) => ({
  error: { code: 0, message, status, details },
});

interface Row {
  readonly name: string;
  readonly status: number;
  readonly body: JsonValue | string;
  readonly headers?: Record<string, string>;
  readonly expected: readonly [reason: string, http: number, code: string | null, retryAfterMs?: number];
}

const ROWS: Row[] = [
  {
    name: "a bad argument",
    status: 400,
    body: error("INVALID_ARGUMENT", "Bad."),
    expected: ["INVALID_REQUEST", 400, null],
  },
  {
    name: "a wrong place",
    status: 400,
    body: error("FAILED_PRECONDITION", "User location is not supported for the API use."),
    expected: ["FAILED_PRECONDITION", 400, null],
  },
  {
    name: "too long a prompt",
    status: 400,
    body: error(
      "INVALID_ARGUMENT",
      "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    expected: ["CONTEXT_LENGTH_EXCEEDED", 400, "context_length_exceeded"],
  },
  {
    name: "a bad key, as a bad argument",
    status: 400,
    body: error("INVALID_ARGUMENT", "API key not valid.", rpc("ErrorInfo", { reason: "API_KEY_INVALID" })),
    expected: ["UPSTREAM_AUTHENTICATION_FAILED", 502, "upstream_authentication_failed"],
  },
  {
    name: "a key for something else",
    status: 403,
    body: error(
      "PERMISSION_DENIED",
      "Requests to this API are blocked.",
      rpc("ErrorInfo", { reason: "API_KEY_SERVICE_BLOCKED" }),
    ),
    expected: ["UPSTREAM_AUTHENTICATION_FAILED", 502, "upstream_authentication_failed"],
  },
  {
    name: "no key",
    status: 401,
    body: error("UNAUTHENTICATED", "x"),
    expected: ["UPSTREAM_AUTHENTICATION_FAILED", 502, "upstream_authentication_failed"],
  },
  {
    name: "what is not allowed",
    status: 403,
    body: error("PERMISSION_DENIED", "No."),
    expected: ["PERMISSION_DENIED", 403, "permission_denied"],
  },
  {
    name: "no such model",
    status: 404,
    body: error("NOT_FOUND", "models/x is not found"),
    expected: ["MODEL_NOT_FOUND", 404, "model_not_found"],
  },
  { name: "a conflict", status: 409, body: error("ABORTED", "x"), expected: ["CONFLICT", 409, "conflict"] },
  {
    name: "too large a body",
    status: 413,
    body: "<html>413</html>",
    expected: ["REQUEST_TOO_LARGE", 413, "request_too_large"],
  },
  {
    name: "a limit of the minute",
    status: 429,
    body: error(
      "RESOURCE_EXHAUSTED",
      "You exceeded your current quota, please check your plan and billing details. Please retry in 48.9s.",
      rpc("QuotaFailure", { violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel" }] }),
      rpc("RetryInfo", { retryDelay: "34.4s" }),
    ),
    expected: ["RATE_LIMIT_EXCEEDED", 429, "rate_limit_exceeded", 34_400],
  },
  {
    name: "a delay in a header",
    status: 429,
    body: error("RESOURCE_EXHAUSTED", "x", rpc("RetryInfo", { retryDelay: "9s" })),
    headers: { "retry-after": "2" },
    expected: ["RATE_LIMIT_EXCEEDED", 429, "rate_limit_exceeded", 2000],
  },
  {
    name: "a delay in the message",
    status: 429,
    body: error("RESOURCE_EXHAUSTED", "Please retry in 1.5s."),
    expected: ["RATE_LIMIT_EXCEEDED", 429, "rate_limit_exceeded", 1500],
  },
  {
    name: "a delay of days",
    status: 429,
    body: error("RESOURCE_EXHAUSTED", "x", rpc("RetryInfo", { retryDelay: "86400s" })),
    expected: ["RATE_LIMIT_EXCEEDED", 429, "rate_limit_exceeded", 3_600_000],
  },
  {
    name: "a quota of the day",
    status: 429,
    body: error(
      "RESOURCE_EXHAUSTED",
      "x",
      rpc("QuotaFailure", { violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel" }] }),
      rpc("RetryInfo", { retryDelay: "34s" }),
    ),
    expected: ["INSUFFICIENT_QUOTA", 429, "insufficient_quota"],
  },
  {
    name: "a fault inside",
    status: 500,
    body: error("INTERNAL", "x"),
    expected: ["UPSTREAM_ERROR", 500, "upstream_error"],
  },
  {
    name: "what is not built",
    status: 501,
    body: error("UNIMPLEMENTED", "x"),
    expected: ["NOT_IMPLEMENTED", 501, "not_implemented"],
  },
  {
    name: "an overload, in a list",
    status: 503,
    body: [error("UNAVAILABLE", "The model is overloaded. Please try again later.")],
    expected: ["OVERLOADED", 503, "overloaded"],
  },
  {
    name: "a deadline",
    status: 504,
    body: error("DEADLINE_EXCEEDED", "x"),
    expected: ["DEADLINE_EXCEEDED", 504, "timeout"],
  },
  {
    name: "an edge's page",
    status: 502,
    body: "<html><style>a</style>Bad gateway</html>",
    expected: ["UPSTREAM_INVALID_RESPONSE", 502, "upstream_invalid_response"],
  },
  { name: "nothing", status: 400, body: "", expected: ["INVALID_REQUEST", 400, null] },
  { name: "JSON that was cut", status: 400, body: '{"error":{"mess', expected: ["INVALID_REQUEST", 400, null] },
];

describe("decodeError()", () => {
  it.each(ROWS)("reads $name", ({ status, body, headers = {}, expected }) => {
    const found = google().decodeError({
      status,
      header: (name) => headers[name],
      body: typeof body === "string" ? body : JSON.stringify(body),
      receivedAt: 0,
    });
    const [reason, http, code, delay] = expected;
    expect([found.reasonName, found.row.httpStatus, found.code, found.details.retryAfterMs]).toEqual([
      reason,
      http,
      code,
      delay,
    ]);
  });

  it("shows no key", () => {
    const body = JSON.stringify(error("INVALID_ARGUMENT", "Key AIzaSyA1234567890 is odd: ?key=secret"));
    const { message } = google().decodeError({ status: 400, header: () => undefined, body, receivedAt: 0 });
    expect(message).toBe("google: Key [redacted] is odd: ?key=[redacted]");
  });
});
