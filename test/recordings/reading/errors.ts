import type { Before, ErrorReading } from "./reading.ts";

/** What is known of an error when its status and its words are. */
export interface ErrorSigns {
  /** HTTP status, or the one in the error. */
  readonly status: number;
  /** The provider's word for it: `type`, or Google's `status`. */
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly message: string;
  /** Google's reasons and quotas: "API_KEY_INVALID", "GenerateRequestsPerDay". */
  readonly marks?: readonly string[];
}

/** The vendors' words, with the status that their documentation gives each. */
export const STATUS_OF: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
  context_length_exceeded: 400,
  invalid_api_key: 401,
  model_not_found: 404,
  rate_limit_exceeded: 429,
  requests: 429,
  tokens: 429,
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ABORTED: 409,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  INTERNAL: 500,
  UNKNOWN: 500,
  DATA_LOSS: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

const BY_STATUS: Readonly<Record<number, string>> = {
  400: "INVALID_REQUEST",
  401: "UPSTREAM_AUTHENTICATION_FAILED",
  402: "UPSTREAM_QUOTA_EXHAUSTED",
  403: "PERMISSION_DENIED",
  404: "MODEL_NOT_FOUND",
  408: "REQUEST_TIMEOUT",
  409: "CONFLICT",
  413: "REQUEST_TOO_LARGE",
  422: "UNPROCESSABLE",
  429: "RATE_LIMIT_EXCEEDED",
  500: "UPSTREAM_ERROR",
  501: "NOT_IMPLEMENTED",
  502: "UPSTREAM_INVALID_RESPONSE",
  503: "OVERLOADED",
  504: "DEADLINE_EXCEEDED",
  529: "OVERLOADED",
};

/** What the gateway makes of an error. */
export function readError(signs: ErrorSigns, before: Before): ErrorReading {
  const { status, type, message } = signs;
  const reason = reasonOf(signs);
  const isPassedOn = reason === "INVALID_REQUEST" || reason === "PERMISSION_DENIED" || reason === "UNPROCESSABLE";
  const code = isPassedOn && /^[a-z_]+$/.test(signs.code ?? "") ? signs.code : undefined;
  return { kind: "error", reason, code, upstream: { status, type, message }, before };
}

/** How the vendors say that a request is longer than the model's context: Anthropic, OpenAI and vLLM, Google, llama.cpp. */
const TOO_LONG =
  /prompt is too long|maximum context length|input token count .* exceeds|exceeds the available context size/;

function reasonOf({ status, type, code, message, marks = [] }: ErrorSigns): string {
  if (marks.includes("API_KEY_INVALID")) return "UPSTREAM_AUTHENTICATION_FAILED";
  // It is nobody's money that is used up, so clients are told what it is.
  if (status === 429 && marks.some((mark) => mark.includes("PerDay"))) return "INSUFFICIENT_QUOTA";
  if (status === 403 && /api key/i.test(message)) return "UPSTREAM_AUTHENTICATION_FAILED";
  if (type === "insufficient_quota" || code === "insufficient_quota") return "UPSTREAM_QUOTA_EXHAUSTED";
  if (status === 400 && /credit balance is too low/.test(message)) return "UPSTREAM_QUOTA_EXHAUSTED";
  if (type === "FAILED_PRECONDITION") return "FAILED_PRECONDITION";
  if (code === "context_length_exceeded" || TOO_LONG.test(message)) return "CONTEXT_LENGTH_EXCEEDED";
  if (code === "content_filter" || code === "content_policy_violation") return "CONTENT_FILTERED";
  if (status >= 520 && status <= 526) return "UPSTREAM_INVALID_RESPONSE";
  return BY_STATUS[status] ?? (status >= 500 ? "UPSTREAM_ERROR" : "INVALID_REQUEST");
}
