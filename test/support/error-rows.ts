import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { DoorError } from "./door-error.ts";
import type { DoorClient } from "./doors.ts";

/** What a caller sees of an error besides its message, on whichever door. */
export interface ErrorRow {
  /** HTTP status on REST, where nothing was sent before. */
  readonly status: number;
  readonly grpc: keyof typeof Code;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  /** Name of the reason in ErrorInfo. */
  readonly reason: string;
  /** `x-should-retry`. */
  readonly shouldRetry: "false" | null;
  /** Whether a QuotaFailure names the provider. */
  readonly quota: boolean;
}

const row = (
  reason: string,
  [status, grpc, type, code]: readonly [number, ErrorRow["grpc"], string, string | null],
  more: Partial<ErrorRow> = {},
): ErrorRow => ({ reason, status, grpc, type, code, param: null, shouldRetry: null, quota: false, ...more });

const INVALID = "invalid_request_error";
const NEVER = { shouldRetry: "false" } as const;
const SPENT = { ...NEVER, quota: true } as const;

/** How the faults of an upstream show. */
export const ROWS = {
  invalid: row("INVALID_REQUEST", [400, "InvalidArgument", INVALID, null]),
  precondition: row("FAILED_PRECONDITION", [400, "FailedPrecondition", INVALID, null]),
  tooLong: row("CONTEXT_LENGTH_EXCEEDED", [400, "InvalidArgument", INVALID, "context_length_exceeded"], {
    param: "messages",
  }),
  filtered: row("CONTENT_FILTERED", [400, "InvalidArgument", INVALID, "content_filter"]),
  key: row(
    "UPSTREAM_AUTHENTICATION_FAILED",
    [502, "Internal", "server_error", "upstream_authentication_failed"],
    NEVER,
  ),
  spent: row("UPSTREAM_QUOTA_EXHAUSTED", [502, "ResourceExhausted", "insufficient_quota", "insufficient_quota"], SPENT),
  spentToday: row("INSUFFICIENT_QUOTA", [429, "ResourceExhausted", "insufficient_quota", "insufficient_quota"], SPENT),
  denied: row("PERMISSION_DENIED", [403, "PermissionDenied", INVALID, "permission_denied"]),
  noModel: row("MODEL_NOT_FOUND", [404, "NotFound", INVALID, "model_not_found"], { param: "model" }),
  late: row("REQUEST_TIMEOUT", [408, "DeadlineExceeded", "server_error", "timeout"]),
  conflict: row("CONFLICT", [409, "Aborted", "conflict", "conflict"]),
  tooLarge: row("REQUEST_TOO_LARGE", [413, "ResourceExhausted", INVALID, "request_too_large"]),
  unprocessable: row("UNPROCESSABLE", [422, "InvalidArgument", INVALID, null]),
  limited: row("RATE_LIMIT_EXCEEDED", [429, "ResourceExhausted", "rate_limit_error", "rate_limit_exceeded"], {
    quota: true,
  }),
  failed: row("UPSTREAM_ERROR", [500, "Internal", "server_error", "upstream_error"]),
  notBuilt: row("NOT_IMPLEMENTED", [501, "Unimplemented", INVALID, "not_implemented"], NEVER),
  unreadable: row("UPSTREAM_INVALID_RESPONSE", [502, "Unavailable", "server_error", "upstream_invalid_response"]),
  interrupted: row("UPSTREAM_STREAM_INTERRUPTED", [502, "Unavailable", "server_error", "upstream_stream_interrupted"]),
  unreachable: row("UPSTREAM_UNREACHABLE", [502, "Unavailable", "server_error", "upstream_unreachable"]),
  overloaded: row("OVERLOADED", [503, "Unavailable", "server_error", "overloaded"]),
  timeout: row("DEADLINE_EXCEEDED", [504, "DeadlineExceeded", "server_error", "timeout"]),
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** What a caller is told. */
export interface ToldError extends ErrorRow {
  readonly message: string;
  /** Milliseconds to wait; undefined: it says nothing. */
  readonly retryMs?: number | undefined;
}

/** Expects that a call through a door failed so. `hasBegun`: after the stream's headers, which REST can't take back. */
export function expectTold(door: DoorClient, thrown: unknown, provider: string, told: ToldError, hasBegun = false) {
  expect(thrown).toBeInstanceOf(DoorError);
  const { message, type, code, param, status, details, retryAfterMs, retryHeaders } = thrown as DoorError;
  const isRest = door.name === "rest";
  const isMute = isRest && hasBegun;
  const { retryMs } = told;
  const fields = told.grpc === "InvalidArgument" && told.param !== null ? [`params.${told.param}`] : [];
  expect({ message, type, code, param, status, details, retryAfterMs, retryHeaders }).toEqual({
    message: told.message,
    type: told.type,
    code: told.code,
    param: told.param,
    status: isRest ? (hasBegun ? undefined : told.status) : Code[told.grpc],
    details: isRest
      ? undefined
      : { reason: `parley: ${told.reason}`, fields, quotas: told.quota ? [`provider:${provider}`] : [] },
    retryAfterMs: isMute ? undefined : retryMs,
    retryHeaders: isMute
      ? undefined
      : {
          after: retryMs === undefined ? null : String(Math.max(1, Math.ceil(retryMs / 1000))),
          afterMs: retryMs === undefined ? null : String(retryMs),
          should: told.shouldRetry,
        },
  });
}
