import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors/gateway-error.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import type { Failure } from "../provider.ts";
import { parseDuration, retryDelayInText, retryDelayOf } from "../retry-delay.ts";
import { type ErrorFacts, readErrorBody, readErrorJson, statusWithin, toGatewayError } from "../upstream-error.ts";
import { objectsIn, textIn } from "./json-fields.ts";

/** HTTP statuses of google.rpc.Code. https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const STATUS: ReadonlyMap<string, number> = new Map([
  ["INVALID_ARGUMENT", 400],
  ["FAILED_PRECONDITION", 400],
  ["OUT_OF_RANGE", 400],
  ["UNAUTHENTICATED", 401],
  ["PERMISSION_DENIED", 403],
  ["NOT_FOUND", 404],
  ["ABORTED", 409],
  ["ALREADY_EXISTS", 409],
  ["RESOURCE_EXHAUSTED", 429],
  // Nobody here cancelled it.
  ["CANCELLED", 500],
  ["UNKNOWN", 500],
  ["INTERNAL", 500],
  ["DATA_LOSS", 500],
  ["UNIMPLEMENTED", 501],
  ["UNAVAILABLE", 503],
  ["DEADLINE_EXCEEDED", 504],
]);

/** Reasons (google.rpc.ErrorInfo) that are the fault of the gateway's own key or account. */
const OWN_FAULT = /^(?:API_KEY_|ACCESS_TOKEN_|CREDENTIALS_|CONSUMER_|SERVICE_DISABLED$|ACCOUNT_STATE_INVALID$)/;

const HOUR_MS = 3_600_000;

/** Makes an error of an answer that is no success. */
export function decodeError(failure: Failure, provider: string): GatewayError {
  const facts = readErrorBody(failure.body);
  const delay = retryDelayOf(failure) ?? retryInfo(facts.object) ?? retryDelayInText(facts.message);
  return errorOf({ ...facts, status: failure.status, retryAfterMs: delay }, provider);
}

/** Makes an error of one that came within a success: the whole body, or an event. */
export function errorWithin(json: JsonValue, provider: string): GatewayError {
  const facts = readErrorJson(json);
  const delay = retryInfo(facts.object) ?? retryDelayInText(facts.message);
  return errorOf({ ...facts, status: statusWithin(facts), retryAfterMs: delay }, provider);
}

/** Whether JSON is an error: an object with one, or a list that begins with such an object. */
export function isError(json: JsonValue): boolean {
  const first = Array.isArray(json) ? json[0] : json;
  return typeof first === "object" && first !== null && !Array.isArray(first) && Boolean(first["error"]);
}

function errorOf(facts: ErrorFacts, provider: string): GatewayError {
  const { object = {} } = facts;
  const word = textIn(object, "status") ?? "";
  const status = STATUS.get(word) ?? facts.status;
  const reason = detailsOf(object, "ErrorInfo")
    .map((info) => textIn(info, "reason"))
    .find((it) => it !== undefined);
  if (status === 429 && isDailyQuota(object)) {
    return new GatewayError(
      Reason.INSUFFICIENT_QUOTA,
      `${provider} takes no more calls today: a quota of the day is used up`,
      { quota: `provider:${provider}` },
    );
  }
  const isOwnFault = reason !== undefined && OWN_FAULT.test(reason);
  const error = toGatewayError({ ...facts, status, code: isOwnFault ? "API_KEY_INVALID" : reason }, provider);
  if (word !== "FAILED_PRECONDITION" || error.reason !== Reason.INVALID_REQUEST) return error;
  return new GatewayError(Reason.FAILED_PRECONDITION, error.message, error.details);
}

const detailsOf = (object: JsonObject, type: string): JsonObject[] =>
  objectsIn(object, "details").filter((detail) => textIn(detail, "@type")?.endsWith(`.${type}`) === true);

/** google.rpc.RetryInfo: "34.4s", in milliseconds. */
function retryInfo(object: JsonObject = {}): number | undefined {
  const delays = detailsOf(object, "RetryInfo").map((info) => parseDuration(textIn(info, "retryDelay")));
  const delay = delays.find((it) => it !== undefined);
  return delay === undefined ? undefined : Math.min(delay, HOUR_MS);
}

/** google.rpc.QuotaFailure of a quota that is for a day: waiting for seconds does not help. */
const isDailyQuota = (object: JsonObject): boolean =>
  detailsOf(object, "QuotaFailure").some((failure) =>
    objectsIn(failure, "violations").some((violation) => /PerDay/i.test(textIn(violation, "quotaId") ?? "")),
  );
