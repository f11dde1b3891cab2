import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import {
  type ErrorFacts,
  interrupted,
  invalidResponse,
  parseUpstream,
  readErrorBody,
  statusWithin,
  toGatewayError,
} from "../../src/providers/upstream-error.ts";

describe("readErrorBody()", () => {
  it.each<[string, string, object]>([
    [
      "OpenAI's",
      '{"error":{"message":"m","type":"t","param":"p","code":"c"}}',
      { message: "m", type: "t", param: "p", code: "c" },
    ],
    [
      "OpenAI's with nulls",
      '{"error":{"message":"m","type":"t","param":null,"code":null}}',
      { message: "m", type: "t", param: undefined, code: undefined },
    ],
    [
      "Anthropic's",
      '{"type":"error","error":{"type":"t","message":"m"},"request_id":"r"}',
      { message: "m", type: "t" },
    ],
    ["Google's", '{"error":{"code":429,"message":"m","status":"S"}}', { message: "m", code: "429" }],
    ["Google's in a list", '[{"error":{"code":429,"message":"m","status":"S"}}]', { message: "m", code: "429" }],
    ["of API Management", '{"statusCode":401,"message":"m"}', { message: "m", code: "401" }],
    ["with a detail", '{"detail":"m"}', { message: "m" }],
    [
      "of a validator",
      '{"detail":[{"loc":["body","messages",0],"msg":"m","type":"t"},{"msg":"n"},{}]}',
      { message: "body.messages.0: m; n; is not valid" },
    ],
    ["with a detail that is an object", '{"detail":{"message":"m","code":"c"}}', { message: "m", code: "c" }],
    ["flat", '{"object":"error","message":"m","type":"t","code":400}', { message: "m", type: "t", code: "400" }],
    [
      "with a number for a code",
      '{"error":{"code":400,"message":"m","type":"t"}}',
      { message: "m", type: "t", code: "400" },
    ],
    ["that is a string", '{"error":"m"}', { message: "m" }],
    ["that is a string beside a code", '{"code":"c","error":"m"}', { message: "m", code: "c" }],
    [
      "that is a string beside a message",
      '{"statusCode":400,"error":"Bad Request","message":"m"}',
      { message: "m", code: "400" },
    ],
    ["in a list of errors", '{"success":false,"errors":[{"code":7003,"message":"m"}]}', { message: "m", code: "7003" }],
    ["that is JSON's text", '"m"', { message: "m" }],
    ["with a BOM", '\ufeff{"error":{"message":"m"}}', { message: "m" }],
    ["plain", "  upstream connect error\n", { message: "upstream connect error" }],
    ["HTML", "<html>no</html>", { message: "<html>no</html>" }],
    ["cut off", '{"error":{"mess', { message: '{"error":{"mess' }],
    [
      "of another provider in OpenRouter's",
      '{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"{\\"errors\\":[{\\"message\\":\\"m\\"}]}"}}}',
      { message: "m", code: "502" },
    ],
    ["with Azure's inner code", '{"error":{"message":"m","code":null,"innererror":{"code":"c"}}}', { code: "c" }],
    ["with a detail in its message", '{"message":{"detail":[{"loc":["n"],"msg":"m"}]}}', { message: "n: m" }],
    ["with a message that is none", '{"error":{"message":{"a":1}}}', { message: undefined }],
  ])("reads an error %s", (_name, body, expected) => {
    expect(readErrorBody(body)).toMatchObject(expected);
  });

  it.each(["", " \n", "[]", "[null]", "null", "{}", "[[[]]]"])("finds nothing in %j", (body) => {
    const { message, type, code, param } = readErrorBody(body);
    expect([message, type, code, param]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("never throws", () => {
    const words = fc.constantFrom("error", "errors", "detail", "message", "code", "type", "loc", "msg", "a");
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(null, true, 1, "", "text"),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(words, tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 30 }), (json, cut) => {
        const text = JSON.stringify(json);
        for (const body of [text, text.slice(0, -cut)]) {
          expect(toGatewayError({ status: 400, ...readErrorBody(body) }, "a")).toBeInstanceOf(GatewayError);
        }
      }),
    );
  });

  it.each([
    ["lists in lists", "[".repeat(32_000) + "]".repeat(32_000)],
    ["lists in a place", `{"detail":[{"loc":[${"[".repeat(32_000)}${"]".repeat(32_000)}]}]}`],
    ["lists in a detail", `{"detail":[${"[".repeat(32_000)}${"]".repeat(32_000)}]}`],
  ])("does not run out of stack on %s", (_name, body) => {
    expect(() => readErrorBody(body)).not.toThrow();
  });
});

describe("statusWithin()", () => {
  it.each<[string, string, number | undefined]>([
    ["a code", '{"error":{"code":502}}', 502],
    ["a code as text", '{"error":{"code":"429"}}', 429],
    ["a status_code", '{"error":{"status_code":503}}', 503],
    ["a status", '{"error":{"status":500,"code":"x"}}', 500],
    ["a word", '{"error":{"code":"rate_limit_exceeded","status":"RESOURCE_EXHAUSTED"}}', undefined],
    ["a number of another kind", '{"error":{"code":7003}}', undefined],
    ["a success", '{"error":{"code":200}}', undefined],
    ["nothing", "{}", undefined],
  ])("reads %s", (_name, body, expected) => {
    expect(statusWithin(readErrorBody(body))).toBe(expected);
  });
});

/** Reason, code, param and message (without the provider's name) of an error. */
function outcome(status: number | undefined, body: object | string, more: Partial<ErrorFacts> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const error = toGatewayError({ status, ...readErrorBody(text), ...more }, "acme");
  const { param, code, quota, type, retryAfterMs, retryable } = error.details;
  return { reason: Reason[error.reason], message: error.message, param, code, quota, type, retryAfterMs, retryable };
}

const openAI = (message: string, rest: object = {}) => ({
  error: { message, type: "invalid_request_error", param: null, code: null, ...rest },
});
const anthropic = (type: string, message: string) => ({ type: "error", error: { type, message } });
const google = (code: number, status: string, message: string) => ({ error: { code, status, message } });

const KEY = "acme refused the credentials that the gateway has for it";
const BUDGET = "acme refused the call: the budget of the gateway's account there is used up";
const LIMIT = "acme takes no more calls now: a rate limit is reached";

describe("toGatewayError()", () => {
  it.each<[number | undefined, object | string, string, string, { param?: string; code?: string; type?: string }?]>([
    [
      400,
      openAI("Unknown parameter: 'x'.", { param: "x", code: "unknown_parameter" }),
      "INVALID_REQUEST",
      "acme: Unknown parameter: 'x'.",
      { param: "x", code: "unknown_parameter" },
    ],
    [
      400,
      openAI("Error while downloading https://a.example/b.png.", { code: "invalid_image_url" }),
      "INVALID_REQUEST",
      "acme: Error while downloading https://a.example/b.png.",
      { code: "invalid_image_url" },
    ],
    [
      400,
      openAI("tool_choice: billing is no tool", { code: 400 }),
      "INVALID_REQUEST",
      "acme: tool_choice: billing is no tool",
    ],
    [
      400,
      anthropic("invalid_request_error", "messages.0: Input does not match the expected shape."),
      "INVALID_REQUEST",
      "acme: messages.0: Input does not match the expected shape.",
    ],
    [
      400,
      google(400, "INVALID_ARGUMENT", "JSON mode is not enabled for models/x"),
      "INVALID_REQUEST",
      "acme: JSON mode is not enabled for models/x",
    ],
    [400, "", "INVALID_REQUEST", "acme: the request is not valid"],
    [415, "", "INVALID_REQUEST", "acme: the request is not valid"],
    [431, "<html><title>431</title></html>", "INVALID_REQUEST", "acme: 431"],
    [422, { detail: [{ loc: ["body", "n"], msg: "too many", type: "t" }] }, "UNPROCESSABLE", "acme: body.n: too many"],

    [
      400,
      openAI("too long", { code: "context_length_exceeded", param: "input" }),
      "CONTEXT_LENGTH_EXCEEDED",
      "acme: too long",
      { param: "messages" },
    ],
    ...[
      "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
      "Your input exceeds the context window of this model. Please adjust your input and try again.",
      "prompt is too long: 210000 tokens > 200000 maximum",
      "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length",
      "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
      "the request exceeds the available context size (8192 tokens), try increasing it",
      "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
      "Please reduce the length of the messages or completion.",
      "Range of input length should be [1, 129024]",
      "Your request exceeded model token limit: 8192",
    ].map((text): [number, object, string, string, { param: string }] => [
      400,
      openAI(text),
      "CONTEXT_LENGTH_EXCEEDED",
      `acme: ${text}`,
      { param: "messages" },
    ]),
    [
      422,
      { error: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097" },
      "CONTEXT_LENGTH_EXCEEDED",
      "acme: Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097",
      { param: "messages" },
    ],
    [
      400,
      openAI("max_tokens is too large: 100000. This model supports at most 16384 completion tokens"),
      "INVALID_REQUEST",
      "acme: max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
    ],

    [
      400,
      openAI("The response was filtered due to the prompt triggering the content management policy.", {
        code: "content_filter",
        param: "prompt",
      }),
      "CONTENT_FILTERED",
      "acme: The response was filtered due to the prompt triggering the content management policy.",
      { param: "prompt" },
    ],
    [400, openAI("no", { code: "content_policy_violation" }), "CONTENT_FILTERED", "acme: no"],
    [400, openAI("Content Exists Risk"), "CONTENT_FILTERED", "acme: Content Exists Risk"],
    [
      403,
      { code: "The caller does not have permission", error: "Content violates usage guidelines." },
      "CONTENT_FILTERED",
      "acme: Content violates usage guidelines.",
    ],
    [
      403,
      openAI('Your input was flagged for "harassment".'),
      "CONTENT_FILTERED",
      'acme: Your input was flagged for "harassment".',
    ],

    [
      401,
      openAI("Incorrect API key provided: sk-abc.", { code: "invalid_api_key" }),
      "UPSTREAM_AUTHENTICATION_FAILED",
      KEY,
    ],
    [401, { detail: "Unauthorized" }, "UPSTREAM_AUTHENTICATION_FAILED", KEY],
    [undefined, anthropic("authentication_error", "invalid x-api-key"), "UPSTREAM_AUTHENTICATION_FAILED", KEY],
    [
      400,
      google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
      "UPSTREAM_AUTHENTICATION_FAILED",
      KEY,
    ],
    [
      400,
      google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."),
      "UPSTREAM_AUTHENTICATION_FAILED",
      KEY,
    ],
    [
      400,
      { code: "Client specified an invalid argument", error: "Incorrect API key provided: xa***." },
      "UPSTREAM_AUTHENTICATION_FAILED",
      KEY,
    ],
    [
      403,
      google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
      "UPSTREAM_AUTHENTICATION_FAILED",
      KEY,
    ],

    [
      403,
      openAI("You are not allowed to sample from this model"),
      "PERMISSION_DENIED",
      "acme: You are not allowed to sample from this model",
    ],
    [
      403,
      openAI("Your API key has no access to model x", { code: "model_not_found" }),
      "PERMISSION_DENIED",
      "acme: Your API key has no access to model x",
      { code: "model_not_found" },
    ],
    [
      403,
      openAI("Country, region, or territory not supported", { code: "unsupported_country_region_territory" }),
      "PERMISSION_DENIED",
      "acme: Country, region, or territory not supported",
      { code: "unsupported_country_region_territory" },
    ],
    [
      403,
      google(403, "PERMISSION_DENIED", "The API has not been used in project 123456789012 before or it is disabled."),
      "PERMISSION_DENIED",
      "acme: The API has not been used in project [redacted] before or it is disabled.",
    ],

    [402, { error: { message: "Insufficient Balance" } }, "UPSTREAM_QUOTA_EXHAUSTED", BUDGET],
    [
      400,
      anthropic("invalid_request_error", "Your credit balance is too low to access the API."),
      "UPSTREAM_QUOTA_EXHAUSTED",
      BUDGET,
    ],
    [
      400,
      anthropic("invalid_request_error", "You have reached your specified API usage limits."),
      "UPSTREAM_QUOTA_EXHAUSTED",
      BUDGET,
    ],
    [
      429,
      openAI("You exceeded your current quota.", { type: "insufficient_quota", code: "insufficient_quota" }),
      "UPSTREAM_QUOTA_EXHAUSTED",
      BUDGET,
    ],
    [403, openAI("Key limit exceeded (total limit)"), "UPSTREAM_QUOTA_EXHAUSTED", BUDGET],
    [
      403,
      openAI("Your team has used all available credits or reached its monthly spending limit."),
      "UPSTREAM_QUOTA_EXHAUSTED",
      BUDGET,
    ],

    [
      404,
      openAI("The model `x` does not exist", { code: "model_not_found" }),
      "MODEL_NOT_FOUND",
      "acme: The model `x` does not exist",
      { param: "model" },
    ],
    [404, anthropic("not_found_error", "model: x"), "MODEL_NOT_FOUND", "acme: model: x", { param: "model" }],
    [408, "", "REQUEST_TIMEOUT", "acme did not get the request in time", { code: "timeout" }],
    [409, anthropic("conflict_error", "busy"), "CONFLICT", "acme: busy"],
    [
      413,
      anthropic("request_too_large", "Request exceeds the maximum size"),
      "REQUEST_TOO_LARGE",
      "acme: Request exceeds the maximum size",
    ],
    [
      429,
      openAI("Rate limit reached for x in organization org-AbCdEfGh1234", {
        type: "tokens",
        code: "rate_limit_exceeded",
      }),
      "RATE_LIMIT_EXCEEDED",
      LIMIT,
      { type: "tokens" },
    ],
    [
      429,
      anthropic("rate_limit_error", "This would exceed your organization's rate limit (org: Acme)"),
      "RATE_LIMIT_EXCEEDED",
      LIMIT,
    ],
    [
      429,
      google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."),
      "RATE_LIMIT_EXCEEDED",
      LIMIT,
    ],
    [498, openAI("capacity", { code: "capacity_exceeded" }), "OVERLOADED", "acme is overloaded"],
    [499, google(499, "CANCELLED", "The operation was cancelled."), "UPSTREAM_ERROR", "acme failed (HTTP 499)"],
    [500, anthropic("api_error", "Internal server error at host-7"), "UPSTREAM_ERROR", "acme failed (HTTP 500)"],
    [501, google(501, "UNIMPLEMENTED", "not built"), "NOT_IMPLEMENTED", "acme: not built"],
    [502, "<html>502</html>", "UPSTREAM_INVALID_RESPONSE", "acme could not be reached behind its own edge (HTTP 502)"],
    [520, "error code: 520", "UPSTREAM_INVALID_RESPONSE", "acme could not be reached behind its own edge (HTTP 520)"],
    [
      503,
      google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
      "OVERLOADED",
      "acme is overloaded",
    ],
    [529, anthropic("overloaded_error", "Overloaded"), "OVERLOADED", "acme is overloaded"],
    [504, anthropic("timeout_error", "slow"), "DEADLINE_EXCEEDED", "acme did not answer in time"],
    [302, "", "UPSTREAM_ERROR", "acme failed (HTTP 302)"],
    [undefined, "", "UPSTREAM_ERROR", "acme failed (HTTP 500)"],
  ])("of %s %j: %s", (status, body, reason, message, rest = {}) => {
    const quota = ["RATE_LIMIT_EXCEEDED", "UPSTREAM_QUOTA_EXHAUSTED"].includes(reason) ? "provider:acme" : undefined;
    expect(outcome(status, body)).toEqual({
      reason,
      message,
      param: rest.param,
      code: rest.code,
      type: rest.type,
      quota,
      retryAfterMs: undefined,
      retryable: undefined,
    });
  });

  it.each<[number, boolean | undefined, number | undefined, boolean | undefined]>([
    [429, undefined, 5, undefined],
    [429, false, 5, false],
    [503, true, 5, true],
    [500, undefined, 5, undefined],
    [400, undefined, undefined, undefined],
    [400, true, 5, true],
    [404, false, undefined, false],
    [413, undefined, undefined, undefined],
    [401, true, undefined, undefined],
    [402, true, undefined, undefined],
    [402, false, undefined, undefined],
  ])("of %s with x-should-retry %s says when to come again: %s, and whether to: %s", (status, shouldRetry, ...rest) => {
    const { retryAfterMs, retryable } = outcome(status, "", { retryAfterMs: 5, shouldRetry });
    expect([retryAfterMs, retryable]).toEqual(rest);
  });

  it("passes on no code that is no word, and no key in a parameter", () => {
    expect(outcome(400, openAI("no", { code: "two words" })).code).toBeUndefined();
    expect(outcome(400, openAI("no", { param: "sk-secretsecret" })).param).toBe("[redacted]");
  });

  it("reads long messages once", () => {
    // Each of these took a second with patterns that read to the end from each of their beginnings.
    for (const text of ["context length ", "exceed ", "violates ", "inputs "]) {
      expect(outcome(400, text.repeat(65_536)).reason).toBe("INVALID_REQUEST");
    }
  });
});

describe("what can't be understood", () => {
  it("is an invalid response", () => {
    expect(invalidResponse("acme", "nonsense")).toMatchObject({
      reason: Reason.UPSTREAM_INVALID_RESPONSE,
      message: "acme answered with nonsense",
    });
    expect(interrupted("acme").reason).toBe(Reason.UPSTREAM_STREAM_INTERRUPTED);
  });

  it.each([
    ["", "acme answered with an empty body"],
    [" \n", "acme answered with an empty body"],
    ["<html>", "acme answered with a body that is no JSON"],
    ["[]", "acme answered with a body that is no JSON object"],
    ["null", "acme answered with a body that is no JSON object"],
  ])("refuses %j", (text, message) => {
    expect(() => parseUpstream("acme", text)).toThrow(message);
  });

  it("names what it is", () => {
    expect(() => parseUpstream("acme", "{", "event")).toThrow("acme answered with an event that is no JSON");
    expect(parseUpstream("acme", '{"a":1}')).toEqual({ a: 1 });
  });
});
