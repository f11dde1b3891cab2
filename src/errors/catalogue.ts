/**
 * Errors: one catalogue of reasons, one error type, and its two forms on the wire (google.rpc for gRPC and Connect, OpenAI's
 * JSON for REST).
 *
 * This file is the only table of reasons. The rows follow the order of `parley.errors.v1.Reason`.
 */
import { Code } from "@connectrpc/connect";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/** How a reason shows on each door. */
export interface CatalogueRow {
  /** Status on gRPC, gRPC-Web and Connect. */
  readonly connectCode: Code;
  /** Status on REST. 499 is never sent: the client is gone; it stands in the log. */
  readonly httpStatus: number;
  /** `error.type` in OpenAI's JSON. */
  readonly type: string;
  /** `error.code` in OpenAI's JSON, unless the error itself has one. */
  readonly code: string | null;
  /** Whether the same call may succeed when it is made again. */
  readonly retryable: boolean;
}

const row = (
  connectCode: Code,
  httpStatus: number,
  type: string,
  code: string | null,
  retryable = false,
): CatalogueRow => ({ connectCode, httpStatus, type, code, retryable });

const INVALID = "invalid_request_error";
const SERVER = "server_error";

/** Every reason with its codes. */
export const CATALOGUE: Readonly<Record<Reason, CatalogueRow>> = {
  [Reason.UNSPECIFIED]: row(Code.Unknown, 500, SERVER, null),
  [Reason.INVALID_REQUEST]: row(Code.InvalidArgument, 400, INVALID, null),
  [Reason.INVALID_JSON]: row(Code.InvalidArgument, 400, INVALID, null),
  [Reason.INVALID_VALUE]: row(Code.InvalidArgument, 400, INVALID, "invalid_value"),
  [Reason.MISSING_PARAMETER]: row(Code.InvalidArgument, 400, INVALID, "missing_required_parameter"),
  [Reason.UNSUPPORTED_PARAMETER]: row(Code.InvalidArgument, 400, INVALID, "unsupported_parameter"),
  [Reason.UNSUPPORTED_VALUE]: row(Code.InvalidArgument, 400, INVALID, "unsupported_value"),
  [Reason.CONTEXT_LENGTH_EXCEEDED]: row(Code.InvalidArgument, 400, INVALID, "context_length_exceeded"),
  [Reason.CONTENT_FILTERED]: row(Code.InvalidArgument, 400, INVALID, "content_filter"),
  [Reason.INVALID_API_KEY]: row(Code.Unauthenticated, 401, INVALID, "invalid_api_key"),
  [Reason.PERMISSION_DENIED]: row(Code.PermissionDenied, 403, INVALID, "permission_denied"),
  [Reason.MODEL_NOT_FOUND]: row(Code.NotFound, 404, INVALID, "model_not_found"),
  [Reason.NOT_FOUND]: row(Code.NotFound, 404, INVALID, "not_found"),
  [Reason.UNKNOWN_URL]: row(Code.Unimplemented, 404, INVALID, "unknown_url"),
  [Reason.METHOD_NOT_ALLOWED]: row(Code.Unimplemented, 405, INVALID, "method_not_allowed"),
  [Reason.REQUEST_TIMEOUT]: row(Code.DeadlineExceeded, 408, SERVER, "request_timeout", true),
  [Reason.CONFLICT]: row(Code.Aborted, 409, "conflict", "conflict", true),
  [Reason.REQUEST_TOO_LARGE]: row(Code.ResourceExhausted, 413, INVALID, "request_too_large"),
  [Reason.UNSUPPORTED_MEDIA_TYPE]: row(Code.InvalidArgument, 415, INVALID, "unsupported_media_type"),
  [Reason.RATE_LIMIT_EXCEEDED]: row(Code.ResourceExhausted, 429, "rate_limit_error", "rate_limit_exceeded", true),
  [Reason.INSUFFICIENT_QUOTA]: row(Code.ResourceExhausted, 429, "insufficient_quota", "insufficient_quota"),
  [Reason.CANCELLED]: row(Code.Canceled, 499, INVALID, "cancelled"),
  [Reason.INTERNAL]: row(Code.Internal, 500, SERVER, null, true),
  [Reason.NOT_IMPLEMENTED]: row(Code.Unimplemented, 501, INVALID, "not_implemented"),
  [Reason.UPSTREAM_ERROR]: row(Code.Internal, 500, SERVER, "upstream_error", true),
  [Reason.UPSTREAM_INVALID_RESPONSE]: row(Code.Unavailable, 502, SERVER, "upstream_invalid_response", true),
  [Reason.UPSTREAM_STREAM_INTERRUPTED]: row(Code.Unavailable, 502, SERVER, "upstream_stream_interrupted", true),
  [Reason.UPSTREAM_AUTHENTICATION_FAILED]: row(Code.Internal, 502, SERVER, "upstream_authentication_failed"),
  [Reason.UPSTREAM_UNREACHABLE]: row(Code.Unavailable, 502, SERVER, "upstream_unreachable", true),
  [Reason.OVERLOADED]: row(Code.Unavailable, 503, SERVER, "overloaded", true),
  [Reason.NO_AVAILABLE_UPSTREAM]: row(Code.Unavailable, 503, SERVER, "no_available_upstream", true),
  [Reason.SHUTTING_DOWN]: row(Code.Unavailable, 503, SERVER, "shutting_down", true),
  [Reason.DEADLINE_EXCEEDED]: row(Code.DeadlineExceeded, 504, SERVER, "timeout", true),
  [Reason.UPSTREAM_QUOTA_EXHAUSTED]: row(Code.ResourceExhausted, 502, "insufficient_quota", "insufficient_quota"),
  [Reason.UNPROCESSABLE]: row(Code.InvalidArgument, 422, INVALID, null),
  [Reason.FAILED_PRECONDITION]: row(Code.FailedPrecondition, 400, INVALID, null),
  [Reason.UNAVAILABLE]: row(Code.Unavailable, 503, SERVER, "unavailable", true),
  [Reason.WORKER_LOST]: row(Code.Unavailable, 503, SERVER, "worker_lost", true),
};
