import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { CATALOGUE } from "../errors/catalogue.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { isObject } from "../openai-json/is-object.ts";
import { maskMessage } from "./mask.ts";

/** What a provider says of an error, in whichever shape; what it does not say is undefined. */
export interface ErrorFacts {
  /** HTTP status, or the one that the error has in itself, where it came within a success. */
  readonly status: number | undefined;
  readonly message?: string | undefined;
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
  /** The whole error object, for what only one vendor has. */
  readonly object?: JsonObject | undefined;
  /** Milliseconds after which the provider wants to be asked again. */
  readonly retryAfterMs?: number | undefined;
  /** `x-should-retry`. */
  readonly shouldRetry?: boolean | undefined;
}

/** Reads the body of an error. It may be an object, a list of one, a string, HTML or nothing; it is never refused. */
export function readErrorBody(body: string): Omit<ErrorFacts, "status" | "retryAfterMs" | "shouldRetry"> {
  const text = body.trim();
  if (!/^(?:[[{"]|null$)/.test(text)) return text === "" ? {} : { message: text };
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch {
    return { message: text }; // Cut, or no JSON after all.
  }
  return readErrorJson(json);
}

/** Reads an error that is JSON: the whole body, or what an event carries. */
export function readErrorJson(value: JsonValue): Omit<ErrorFacts, "status" | "retryAfterMs" | "shouldRetry"> {
  const json = firstOf(value);
  if (typeof json === "string") return { message: json };
  if (!isObject(json)) return {};
  const { detail } = json;
  const error = firstOf(json["error"] ?? json["errors"]);
  if (isObject(error)) return factsOf(error);
  if (typeof error === "string") return { ...factsOf(json), message: textOf(json["message"]) ?? error };
  if (isObject(detail)) return factsOf(detail);
  if (detail !== undefined && detail !== null) return { message: describeDetails(detail), object: json };
  return factsOf(json);
}

/** The first element of a list, and of a list in it, for as long as it is one; a loop, since brackets may be many. */
function firstOf(value: JsonValue | undefined): JsonValue | undefined {
  let first = value;
  while (Array.isArray(first)) first = first[0];
  return first;
}

function factsOf(object: JsonObject) {
  const { message, innererror: inner, metadata } = object;
  return {
    object,
    message: innerMessage(metadata) ?? (isObject(message) ? describeDetails(message["detail"]) : textOf(message)),
    type: textOf(object["type"]),
    // Azure says in its inner error what its code does not.
    code:
      textOf(object["code"]) ?? textOf(object["statusCode"]) ?? (isObject(inner) ? textOf(inner["code"]) : undefined),
    param: textOf(object["param"]),
  };
}

/** OpenRouter: what the provider behind it said; its own message says only that there was something. */
function innerMessage(metadata: JsonValue | undefined): string | undefined {
  const raw = isObject(metadata) ? metadata["raw"] : undefined;
  return typeof raw === "string" ? readErrorBody(raw).message : undefined;
}

/** Mistral's validator says what is wrong in a text, or in a list. */
function describeDetails(detail: JsonValue | undefined): string | undefined {
  return Array.isArray(detail) ? detail.map(describeDetail).join("; ") : textOf(detail);
}

/** A validator's finding: {loc: ["body", "messages", 0], msg, type}. */
function describeDetail(detail: JsonValue): string {
  if (!isObject(detail)) return textOf(detail) ?? "the request is not valid";
  const { loc, msg } = detail;
  const place = Array.isArray(loc) ? loc.flatMap((step) => textOf(step) ?? []).join(".") : "";
  return `${place === "" ? "" : `${place}: `}${textOf(msg) ?? "is not valid"}`;
}

function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" ? String(value) : undefined;
}

/** The status that an error has in itself: a code that is a number from 400 to 599. */
export function statusWithin({ code, object }: Pick<ErrorFacts, "code" | "object">): number | undefined {
  const candidates = [code, textOf(object?.["status_code"]), textOf(object?.["status"])];
  const status = candidates.map(Number).find((number) => Number.isInteger(number) && number >= 400 && number <= 599);
  return status;
}

/** How much of a message is looked at to tell what it is about: what the patterns cost grows with its square. */
const HEAD = 2_000;

const TOO_LONG = [
  /prompt is too long|input is too long|prompt exceeds max|inputs\W+tokens \+/i,
  /maximum (?:context|prompt) length|range of input length|exceed\w* model token limit/i,
  /context[_ ](?:length|window)[^.]*exceed|exceed[^.]*context[_ ](?:length|window|size|limit)/i,
  /input token count[^.]*exceed|too many (?:input )?tokens[^.]*context|reduce the length of the (?:messages|prompt)/i,
];
const FILTERED = [
  /content[_ ]?(?:filter|policy)|ResponsibleAIPolicyViolation|flagged (?:as|for)|content management policy/i,
  /violat\w+ (?:\w+ ){0,3}(?:usage|content) (?:guideline|polic)|data_?inspection_?failed|content exists risk/i,
];
const BILLING = [
  /credit balance is too low|spend(?:ing)? limit|insufficient[_ ](?:quota|credits?|balance|funds)|used all available credits/i,
  /doesn't have any credits|exceeded your current quota|API usage limits|key limit exceeded/i,
  /billing (?:account|details|hard limit|is (?:not|disabled)|to be enabled)|enable billing/i,
];
/** What only an account without money is told; Google calls a rate limit a quota, too. */
const NO_MONEY = [/insufficient[_ ](?:balance|credits|funds)/i];
const LENGTH_WORD = [/^context_length_exceeded$/];
const QUOTA_WORD = [/^(?:insufficient_quota|billing_error|exceeded_current_quota_error)$/];
const KEY_WORD = [/^(?:authentication_error|invalid_api_key|API_KEY_INVALID)$/];
const BAD_KEY = [/(?:incorrect|invalid|wrong) (?:x-)?api[ -]key|api[ -]key (?:is )?(?:not valid|invalid|expired)/i];
const ABOUT_MODEL = [/model|region|country|territory/i];
const KEY_FAULT = [/api[_ -]?key|credential|authenticat|access token|authorization/i];

/** Faults of the gateway's own account: no call to the provider gets through with its key until somebody mends them. */
const OF_ACCOUNT: ReadonlySet<Reason> = new Set([
  Reason.UPSTREAM_QUOTA_EXHAUSTED,
  Reason.UPSTREAM_AUTHENTICATION_FAILED,
]);

/** Whether an error is the fault of the gateway's own account at a provider, of its key or its budget. */
export const isOfAccount = (reason: Reason): boolean => OF_ACCOUNT.has(reason);

/**
 * Makes an error of what a provider said, by one table for all of them. `provider`: id of the provider. What the request is to
 * blame for keeps the provider's message; faults of the gateway's own account get a neutral one.
 */
export function toGatewayError(facts: ErrorFacts, provider: string): GatewayError {
  const { reason, message, code, type, param, quota } = classify(facts, provider);
  const { retryAfterMs, shouldRetry } = facts;
  const details = { param, code, type, quota };
  // An account without money or with a wrong key is as it is, whatever the provider says of coming again.
  if (isOfAccount(reason)) return new GatewayError(reason, message, details);
  // Headers of limits come with every answer, also with one that is no better after a while.
  const helpsToWait = CATALOGUE[reason].retryable || shouldRetry === true;
  return new GatewayError(reason, message, {
    ...details,
    retryAfterMs: helpsToWait ? retryAfterMs : undefined,
    retryable: shouldRetry,
  });
}

interface Classified {
  readonly reason: Reason;
  readonly message: string;
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  readonly param?: string | undefined;
  readonly quota?: string | undefined;
}

function classify(facts: ErrorFacts, provider: string): Classified {
  const { status = 500, type, code, message = "", param } = facts;
  const head = message.slice(0, HEAD);
  const isSaid = (patterns: readonly RegExp[]): boolean => patterns.some((pattern) => pattern.test(head));
  const isWord = (patterns: readonly RegExp[]): boolean =>
    [type, code].some((text) => text !== undefined && patterns.some((pattern) => pattern.test(text)));
  const says = maskMessage(message);
  const said = (otherwise: string): string => (says === "" ? `${provider}: ${otherwise}` : `${provider}: ${says}`);
  const neutral = (what: string): string => `${provider} ${what}`;
  /** A code is passed on when it is a word; a repeated status says nothing new. */
  const word = code !== undefined && /^[a-z][\w.-]{0,63}$/i.test(code) ? code : undefined;
  const blamed = { param: param === undefined ? undefined : maskMessage(param), code: word };

  const isRefused = status === 400 || status === 403;
  const isBroke = (isRefused && isSaid(BILLING)) || (status === 429 && isSaid(NO_MONEY));
  if (status === 402 || isWord(QUOTA_WORD) || isBroke) {
    return {
      reason: Reason.UPSTREAM_QUOTA_EXHAUSTED,
      message: neutral("refused the call: the budget of the gateway's account there is used up"),
      quota: `provider:${provider}`,
    };
  }
  if (status === 401 || isWord(KEY_WORD) || (isRefused && isSaid(BAD_KEY))) return keyRefused(neutral);
  if (isRefused && (isWord(FILTERED) || isSaid(FILTERED)))
    return { reason: Reason.CONTENT_FILTERED, message: said("the content was refused"), param: blamed.param };
  if ((status === 400 || status === 422) && (isWord(LENGTH_WORD) || isSaid(TOO_LONG)))
    return { reason: Reason.CONTEXT_LENGTH_EXCEEDED, message: said("the messages are too long"), param: "messages" };
  switch (status) {
    case 400:
      return { reason: Reason.INVALID_REQUEST, message: said("the request is not valid"), ...blamed };
    case 403:
      if (isSaid(KEY_FAULT) && !isWord(ABOUT_MODEL) && !isSaid(ABOUT_MODEL)) return keyRefused(neutral);
      return { reason: Reason.PERMISSION_DENIED, message: said("the call is not allowed"), ...blamed };
    case 404:
      return { reason: Reason.MODEL_NOT_FOUND, message: said("there is no such model"), param: "model" };
    case 408:
      return { reason: Reason.REQUEST_TIMEOUT, message: neutral("did not get the request in time"), code: "timeout" };
    case 409:
      return { reason: Reason.CONFLICT, message: said("the request is in conflict with another") };
    case 413:
      return { reason: Reason.REQUEST_TOO_LARGE, message: said("the request is too large") };
    case 422:
      return { reason: Reason.UNPROCESSABLE, message: said("the request cannot be processed"), ...blamed };
    case 429:
      return {
        reason: Reason.RATE_LIMIT_EXCEEDED,
        message: neutral("takes no more calls now: a rate limit is reached"),
        type: type === "requests" || type === "tokens" ? type : undefined,
        quota: `provider:${provider}`,
      };
    case 501:
      return { reason: Reason.NOT_IMPLEMENTED, message: said("this is not built") };
    case 498: // Groq: no capacity at the price that was asked for.
    case 503:
    case 529:
      return { reason: Reason.OVERLOADED, message: neutral("is overloaded") };
    case 504:
      return { reason: Reason.DEADLINE_EXCEEDED, message: neutral("did not answer in time") };
    default:
      if (status === 502 || (status >= 520 && status <= 526))
        return {
          reason: Reason.UPSTREAM_INVALID_RESPONSE,
          message: neutral(`could not be reached behind its own edge (HTTP ${status})`),
        };
      if (status >= 400 && status < 499)
        return { reason: Reason.INVALID_REQUEST, message: said("the request is not valid"), ...blamed };
      return { reason: Reason.UPSTREAM_ERROR, message: neutral(`failed (HTTP ${status})`) };
  }
}

const keyRefused = (neutral: (what: string) => string): Classified => ({
  reason: Reason.UPSTREAM_AUTHENTICATION_FAILED,
  message: neutral("refused the credentials that the gateway has for it"),
});

/** The error for an answer that can't be understood. `what`: "a body that is no JSON". */
export const invalidResponse = (provider: string, what: string, cause?: unknown): GatewayError =>
  new GatewayError(Reason.UPSTREAM_INVALID_RESPONSE, `${provider} answered with ${what}`, { cause });

/** The error for a stream that ended before the answer did. */
export const interrupted = (provider: string, cause?: unknown): GatewayError =>
  new GatewayError(
    Reason.UPSTREAM_STREAM_INTERRUPTED,
    `the stream of ${provider} ended before its answer did; what came of it is not complete`,
    { cause },
  );

/** What is to be JSON: a whole body, or the data of an event. */
export type JsonPlace = "body" | "event";

const ONE: Readonly<Record<JsonPlace, string>> = { body: "a body", event: "an event" };

/** The error for a text that is no JSON. */
export const noJson = (provider: string, text: string, place: JsonPlace): GatewayError =>
  invalidResponse(provider, text.trim() === "" ? `an empty ${place}` : `${ONE[place]} that is no JSON`);

/** The error for JSON that is no object. */
export const noJsonObject = (provider: string, place: JsonPlace): GatewayError =>
  invalidResponse(provider, `${ONE[place]} that is no JSON object`);

/** Parses JSON that a provider sent. Throws UPSTREAM_INVALID_RESPONSE. */
export function parseUpstream(provider: string, text: string, place: JsonPlace = "body"): JsonObject {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch {
    throw noJson(provider, text, place);
  }
  if (!isObject(json)) throw noJsonObject(provider, place);
  return json;
}
