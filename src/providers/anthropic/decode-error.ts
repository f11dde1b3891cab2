import type { JsonObject } from "@bufbuild/protobuf";
import type { GatewayError } from "../../errors/gateway-error.ts";
import type { Failure } from "../provider.ts";
import { retryDelayOf, shouldRetryOf } from "../retry-delay.ts";
import { readErrorBody, readErrorJson, statusWithin, toGatewayError } from "../upstream-error.ts";

/** The status that an error of each type has, also where it comes within a success. */
const STATUS_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ["invalid_request_error", 400],
  ["authentication_error", 401],
  ["billing_error", 402],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["conflict_error", 409],
  ["request_too_large", 413],
  ["rate_limit_error", 429],
  ["api_error", 500],
  ["timeout_error", 504],
  ["overloaded_error", 529],
]);

/** Makes an error of an answer that is no success. */
export function decodeError(failure: Failure, provider: string): GatewayError {
  const facts = readErrorBody(failure.body);
  const typed = STATUS_OF_TYPE.get(facts.type ?? "");
  // A relay may answer 500 with an error that says more; a status that blames the request is exact.
  const status = failure.status >= 500 && typed !== undefined ? typed : failure.status;
  return toGatewayError(
    {
      ...facts,
      status,
      retryAfterMs: retryDelayOf(failure, facts.message),
      shouldRetry: shouldRetryOf(failure),
    },
    provider,
  );
}

/** Makes an error of one that came within a success: as the body, or as an event. */
export function decodeInnerError(json: JsonObject, provider: string): GatewayError {
  const facts = readErrorJson(json);
  return toGatewayError(
    { ...facts, status: STATUS_OF_TYPE.get(facts.type ?? "") ?? statusWithin(facts) ?? 500 },
    provider,
  );
}

/** Whether JSON is an error, and no answer or event. */
export const isError = (json: JsonObject): boolean =>
  json["type"] === "error" || (json["error"] !== undefined && json["error"] !== null);
