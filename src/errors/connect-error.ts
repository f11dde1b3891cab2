import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.ts";
import { GatewayError, type Violation } from "./gateway-error.ts";

/** `domain` of every ErrorInfo. */
const ERROR_DOMAIN = "parley";

/** Most violations that an error lists: a request with 100,000 faults must not make a large answer. */
const LISTED = 20;

interface OutgoingDetail {
  readonly desc: DescMessage;
  readonly value: MessageInitShape<DescMessage>;
}

/**
 * Makes the error that gRPC, gRPC-Web and Connect clients get: the catalogue's code, with google.rpc details (ErrorInfo
 * always; BadRequest, RetryInfo, QuotaFailure where they apply; AIP-193).
 */
export function toConnectError(thrown: unknown): ConnectError {
  const error = GatewayError.from(thrown);
  const { retryAfterMs, param, quota } = error.details;
  const violations = violationsOf(error);
  const details: OutgoingDetail[] = [
    {
      desc: ErrorInfoSchema,
      value: {
        reason: error.reasonName,
        domain: ERROR_DOMAIN,
        metadata: {
          type: error.type,
          ...(error.code === null ? {} : { code: error.code }),
          ...(param === undefined ? {} : { param }),
        },
      },
    },
  ];
  if (violations.length > 0) {
    const fieldViolations = violations.slice(0, LISTED).map(({ path, description, rule }) => ({
      field: path,
      description,
      reason: rule.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_"),
    }));
    details.push({ desc: BadRequestSchema, value: { fieldViolations } });
  }
  if (retryAfterMs !== undefined) {
    details.push({
      desc: RetryInfoSchema,
      value: { retryDelay: durationFromMs(Math.max(0, Math.ceil(retryAfterMs))) },
    });
  }
  if (quota !== undefined) {
    const violation = { subject: quota, description: error.message };
    details.push({ desc: QuotaFailureSchema, value: { violations: [violation] } });
  }
  return new ConnectError(error.message, error.row.connectCode, errorHeaders(error), details, error);
}

/** What is wrong with the fields. Whoever knows parameters only, as providers do, names the one that is at fault. */
function violationsOf({ details, row, message, reasonName }: GatewayError): readonly Violation[] {
  const { violations = [], param } = details;
  if (violations.length > 0 || param === undefined || row.connectCode !== Code.InvalidArgument) return violations;
  return [{ path: `params.${param}`, description: message, rule: reasonName }];
}

/**
 * The headers (trailers on gRPC) that tell a client whether and when to call again: `retry-after` in whole seconds, at least
 * 1, `retry-after-ms`, and `x-should-retry: false` where waiting does not help but the official SDKs would try again; and, to whom is
 * not known, how to say who they are.
 */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const { retryAfterMs } = error.details;
  const { retryable } = error;
  const { httpStatus } = error.row;
  const sdkRetries = httpStatus >= 500 || httpStatus === 408 || httpStatus === 409 || httpStatus === 429;
  return {
    ...(retryAfterMs === undefined
      ? {}
      : {
          "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
          "retry-after-ms": String(Math.max(0, Math.ceil(retryAfterMs))),
        }),
    ...(sdkRetries && !retryable ? { "x-should-retry": "false" } : {}),
    // RFC 9110 §11.6.1, RFC 6750 §3.
    ...(httpStatus === 401 ? { "www-authenticate": 'Bearer realm="parley"' } : {}),
  };
}
