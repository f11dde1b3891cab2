import { describe, expect, it } from "vitest";
import { providerOf } from "./support.ts";

interface Row {
  readonly title: string;
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly message: string;
  readonly details?: object;
}

const error = (fields: object) => ({
  error: { message: "m", type: "invalid_request_error", param: null, code: null, ...fields },
});

const ROWS: readonly Row[] = [
  {
    title: "OpenAI's 400",
    status: 400,
    body: error({ message: "Bad value", param: "temperature", code: "unsupported_value" }),
    reason: "INVALID_REQUEST",
    message: "up: Bad value",
    details: { param: "temperature", code: "unsupported_value" },
  },
  {
    title: "a context that is too long",
    status: 400,
    body: error({ message: "This model's maximum context length is 10 tokens.", code: "context_length_exceeded" }),
    reason: "CONTEXT_LENGTH_EXCEEDED",
    message: "up: This model's maximum context length is 10 tokens.",
    details: { param: "messages" },
  },
  {
    title: "Azure's filter, told by the inner error only",
    status: 400,
    body: error({
      message: "Refused.",
      innererror: { code: "ResponsibleAIPolicyViolation", content_filter_result: {} },
    }),
    reason: "CONTENT_FILTERED",
    message: "up: Refused.",
  },
  {
    title: "Azure's gate",
    status: 401,
    body: { statusCode: 401, message: "Access denied due to invalid subscription key." },
    reason: "UPSTREAM_AUTHENTICATION_FAILED",
    message: "up refused the credentials that the gateway has for it",
  },
  {
    title: "Mistral's text",
    status: 422,
    body: { detail: "No." },
    reason: "UNPROCESSABLE",
    message: "up: No.",
  },
  {
    title: "Mistral's list, without what was sent",
    status: 422,
    body: { detail: [{ loc: ["body", "messages", 0], msg: "is wrong", type: "value_error", input: "secret" }] },
    reason: "UNPROCESSABLE",
    message: "up: body.messages.0: is wrong",
  },
  {
    title: "Mistral's list within a message",
    status: 422,
    body: { object: "error", message: { detail: [{ loc: ["body", "n"], msg: "is extra" }] }, type: "invalid" },
    reason: "UNPROCESSABLE",
    message: "up: body.n: is extra",
  },
  {
    title: "Groq's failed call, without what the model wrote",
    status: 400,
    body: error({ message: "Failed to call a function.", code: "tool_use_failed", failed_generation: "secret" }),
    reason: "INVALID_REQUEST",
    message: "up: Failed to call a function.",
    details: { code: "tool_use_failed" },
  },
  {
    title: "what the provider behind OpenRouter said",
    status: 400,
    body: {
      error: {
        message: "Provider returned error",
        code: 400,
        metadata: { provider_name: "x", raw: '{"error":{"message":"prompt is too long: 9 tokens > 8 maximum"}}' },
      },
      user_id: "user_2abcdefghijk",
    },
    reason: "CONTEXT_LENGTH_EXCEEDED",
    message: "up: prompt is too long: 9 tokens > 8 maximum",
    details: { param: "messages" },
  },
  {
    title: "an error that is a string",
    status: 404,
    body: { error: 'model "x" not found' },
    reason: "MODEL_NOT_FOUND",
    message: 'up: model "x" not found',
    details: { param: "model" },
  },
  {
    title: "a list of one error",
    status: 400,
    body: [{ error: { code: 400, message: "Bad.", status: "INVALID_ARGUMENT" } }],
    reason: "INVALID_REQUEST",
    message: "up: Bad.",
  },
  {
    title: "HTML of an edge",
    status: 502,
    body: "<html><body>Bad gateway</body></html>",
    reason: "UPSTREAM_INVALID_RESPONSE",
    message: "up could not be reached behind its own edge (HTTP 502)",
  },
  {
    title: "Azure's rate limit",
    status: 429,
    body: {
      error: { code: "429", message: "Requests have exceeded the token rate limit. Please retry after 26 seconds." },
    },
    headers: { "retry-after": "26", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9" },
    reason: "RATE_LIMIT_EXCEEDED",
    message: "up takes no more calls now: a rate limit is reached",
    details: { retryAfterMs: 26_000 },
  },
  {
    title: "the rate limit of Azure's gate, with the delay in its words",
    status: 429,
    body: { statusCode: 429, message: "Rate limit is exceeded. Try again in 32 seconds." },
    reason: "RATE_LIMIT_EXCEEDED",
    message: "up takes no more calls now: a rate limit is reached",
    details: { retryAfterMs: 32_000 },
  },
  {
    title: "vLLM's object",
    status: 400,
    body: { object: "error", message: "Bad.", type: "BadRequestError", param: null, code: 400 },
    reason: "INVALID_REQUEST",
    message: "up: Bad.",
  },
  {
    title: "llama.cpp's context",
    status: 400,
    body: {
      error: {
        code: 400,
        message: "the request exceeds the available context size",
        type: "exceed_context_size_error",
      },
    },
    reason: "CONTEXT_LENGTH_EXCEEDED",
    message: "up: the request exceeds the available context size",
    details: { param: "messages" },
  },
  {
    title: "xAI's string beside a word of its own",
    status: 400,
    body: { code: "Client specified an invalid argument", error: "Incorrect API key provided: xa***ab." },
    reason: "UPSTREAM_AUTHENTICATION_FAILED",
    message: "up refused the credentials that the gateway has for it",
  },
  {
    title: "Cerebras' error without an error around it",
    status: 404,
    body: { message: "Model x does not exist.", type: "not_found_error", param: "model", code: "model_not_found" },
    reason: "MODEL_NOT_FOUND",
    message: "up: Model x does not exist.",
    details: { param: "model" },
  },
  {
    title: "a country that is not served",
    status: 403,
    body: error({ message: "Country not supported", code: "unsupported_country_region_territory" }),
    reason: "PERMISSION_DENIED",
    message: "up: Country not supported",
    details: { code: "unsupported_country_region_territory" },
  },
  {
    title: "a key in a message",
    status: 400,
    body: error({ message: "Wrong key sk-proj-abcdefgh given" }),
    reason: "INVALID_REQUEST",
    message: "up: Wrong key [redacted] given",
  },
  {
    title: "a rate limit, with the delay",
    status: 429,
    body: error({ type: "tokens", code: "rate_limit_exceeded" }),
    headers: { "retry-after": "2.5" },
    reason: "RATE_LIMIT_EXCEEDED",
    message: "up takes no more calls now: a rate limit is reached",
    details: { type: "tokens", retryAfterMs: 2500 },
  },
  {
    title: "a rate limit, with the delay of the exhausted limit",
    status: 429,
    body: error({ type: "requests" }),
    headers: { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m1s" },
    reason: "RATE_LIMIT_EXCEEDED",
    message: "up takes no more calls now: a rate limit is reached",
    details: { type: "requests", retryAfterMs: 61_000 },
  },
  {
    title: "an account without money, without a delay",
    status: 429,
    body: error({ type: "insufficient_quota", code: "insufficient_quota" }),
    headers: { "retry-after": "1" },
    reason: "UPSTREAM_QUOTA_EXHAUSTED",
    message: "up refused the call: the budget of the gateway's account there is used up",
  },
  {
    title: "an account without money, told by its words only",
    status: 429,
    body: error({ message: "Insufficient balance or no resource package.", code: "1113" }),
    reason: "UPSTREAM_QUOTA_EXHAUSTED",
    message: "up refused the call: the budget of the gateway's account there is used up",
  },
  { title: "an empty body", status: 500, body: "", reason: "UPSTREAM_ERROR", message: "up failed (HTTP 500)" },
  {
    title: "a body that is cut",
    status: 503,
    body: '{"error":{"mess',
    reason: "OVERLOADED",
    message: "up is overloaded",
  },
];

describe("decodeError()", () => {
  it.each(ROWS)("reads $title", ({ status, body, headers = {}, reason, message, details = {} }) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const failure = { status, header: (name: string) => headers[name], body: text, receivedAt: 0 };
    const made = providerOf("generic").decodeError(failure);
    expect([made.reasonName, made.message]).toEqual([reason, message]);
    expect(made.details).toMatchObject(details);
    expect(JSON.stringify([made.message, made.details])).not.toContain("secret");
  });

  it("does as x-should-retry says", () => {
    const header = (name: string) => (name === "x-should-retry" ? "false" : undefined);
    const made = providerOf("openai").decodeError({ status: 503, header, body: "", receivedAt: 0 });
    expect(made.retryable).toBe(false);
  });
});
