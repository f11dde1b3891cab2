import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { GatewayError } from "../../errors/gateway-error.ts";
import { isObject } from "../../openai-json/is-object.ts";
import type { Failure } from "../provider.ts";
import { retryDelayInText, retryDelayOf, shouldRetryOf } from "../retry-delay.ts";
import { type ErrorFacts, readErrorBody, readErrorJson, statusWithin, toGatewayError } from "../upstream-error.ts";
import { FAILED } from "./finish-reasons.ts";

/** Statuses that belong to the words of errors, for an error that came within a success. */
const STATUS_OF_WORD: ReadonlyMap<string, number> = new Map([
  ["invalid_request_error", 400],
  ["BadRequestError", 400],
  ["content_policy_violation", 400],
  ["exceed_context_size_error", 400],
  ["tool_use_failed", 400],
  ["context_length_exceeded", 400],
  ["content_filter", 400],
  ["invalid_api_key", 401],
  ["authentication_error", 401],
  ["insufficient_quota", 402],
  ["exceeded_current_quota_error", 402],
  ["permission_error", 403],
  ["permission_denied", 403],
  ["not_found_error", 404],
  ["NotFoundError", 404],
  ["model_not_found", 404],
  ["request_too_large", 413],
  ["rate_limit_error", 429],
  ["rate_limit_exceeded", 429],
  ["rate_limit_reached_error", 429],
  ["too_many_requests", 429],
  ["service_tier_capacity_exceeded", 429],
  ["requests", 429],
  ["tokens", 429],
  ["overloaded", 503],
  ["overloaded_error", 503],
  ["engine_overloaded_error", 503],
  ["server_is_overloaded", 503],
  ["slow_down", 503],
  ["service_unavailable", 503],
  ["unavailable_error", 503],
  ["timeout", 504],
  ["timeout_error", 504],
]);

/** Makes an error of an answer that is no success. */
export function decodeError(failure: Failure, provider: string): GatewayError {
  const facts = readErrorBody(failure.body);
  return toGatewayError(
    {
      ...facts,
      status: failure.status,
      retryAfterMs: retryDelayOf(failure, facts.message),
      shouldRetry: shouldRetryOf(failure),
    },
    provider,
  );
}

/** The error that a body or an event with a status of success says; undefined: it says none. */
export function errorWithin(json: JsonValue, provider: string): GatewayError | undefined {
  if (Array.isArray(json)) return json.length > 0 ? errorWithin(json[0] as JsonValue, provider) : undefined;
  if (!isObject(json)) return undefined;
  if (json["error"]) return errorOf(readErrorJson(json), provider);
  if (json["object"] === "error" || json["type"] === "error") return errorOf(readErrorJson(json), provider);
  return errorInChoice(json, provider);
}

/** The error of an event that is named so. */
export const errorOfEvent = (data: string, provider: string): GatewayError => errorOf(readErrorBody(data), provider);

/** The error of an object that should be an answer and has no choices, as far as it says anything. */
export function errorInstead(json: JsonObject, provider: string): GatewayError | undefined {
  const facts = readErrorJson(json);
  return facts.message === undefined ? undefined : errorOf(facts, provider);
}

/** OpenRouter: one of the choices failed. */
function errorInChoice({ choices }: JsonObject, provider: string): GatewayError | undefined {
  if (!Array.isArray(choices)) return undefined;
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    if (choice["error"]) return errorOf(readErrorJson(choice), provider);
    const finish = choice["finish_reason"];
    if (typeof finish === "string" && FAILED.has(finish)) return errorOf({}, provider);
  }
  return undefined;
}

function errorOf(facts: Omit<ErrorFacts, "status">, provider: string): GatewayError {
  const { code, type } = facts;
  const status = statusWithin(facts) ?? STATUS_OF_WORD.get(code ?? "") ?? STATUS_OF_WORD.get(type ?? "");
  const retryAfterMs = retryDelayInText(facts.message);
  return toGatewayError({ ...facts, status, retryAfterMs }, provider);
}
