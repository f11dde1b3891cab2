/** What the vendors' errors become on every door, before anything was sent: whole calls and streams alike. */
import { describe, expect, it } from "vitest";
import { collect, failureOf } from "../support/collect.ts";
import type { DoorError } from "../support/door-error.ts";
import { DOORS } from "../support/doors.ts";
import { type ErrorRow, expectTold, ROWS } from "../support/error-rows.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { json } from "../support/upstream.ts";
import { ask, SECRET_WORDS, useVendorStage } from "../support/vendor-stage.ts";

/** An error of a vendor: its status and body, and what becomes of it. */
interface Fault {
  readonly what: string;
  readonly status: number;
  readonly body: object | string;
  readonly row: ErrorRow;
  /** Of the caller; "ID" stands for the provider. */
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const [openai, anthropic, google] = VENDORS as readonly [Vendor, Vendor, Vendor];

/** The caller is told what is wrong with the request, but nobody else's secrets. */
const blame = ({ key }: Vendor, text: string) => ({
  says: `${text} (Authorization: Bearer ${key}, ${key})`,
  told: `ID: ${text} (Authorization: Bearer [redacted], [redacted])`,
});

/** What is the gateway's own business is told without the vendor's words. */
const own = ({ key }: Vendor): string => `${SECRET_WORDS} ${key}`;

const KEY = "ID refused the credentials that the gateway has for it";
const SPENT = "ID refused the call: the budget of the gateway's account there is used up";
const LIMITED = "ID takes no more calls now: a rate limit is reached";

const HTML = `<!DOCTYPE html><html><head><title>${SECRET_WORDS}</title></head><body>Ray ID: 8d1</body></html>`;

const fault = (what: string, status: number, body: object | string, row: ErrorRow, message: string): Fault => ({
  what,
  status,
  body,
  row,
  message,
});

/** Statuses that mean the same everywhere. `word`: the vendor's for that status. */
const common = (vendor: Vendor, word: (status: number) => string): Fault[] => {
  const { says, told } = blame(vendor, "messages: there is something wrong");
  const error = (status: number, message = own(vendor)): object => vendor.error(word(status), message);
  return [
    fault("a request that is not valid", 400, error(400, says), { ...ROWS.invalid, code: codeOf(vendor, 400) }, told),
    fault("a model that is not there", 404, error(404, says), ROWS.noModel, told),
    fault("a slow request", 408, error(408), ROWS.late, "ID did not get the request in time"),
    fault("a conflict", 409, error(409, says), ROWS.conflict, told),
    fault(
      "what cannot be processed",
      422,
      error(422, says),
      { ...ROWS.unprocessable, code: codeOf(vendor, 422) },
      told,
    ),
    fault("too large a request", 413, error(413, says), ROWS.tooLarge, told),
    fault("a rate limit", 429, error(429), ROWS.limited, LIMITED),
    fault("a fault of its own", 500, error(500), ROWS.failed, "ID failed (HTTP 500)"),
    fault("an overload", 503, error(503), ROWS.overloaded, "ID is overloaded"),
    fault("an overload (529)", 529, error(503), ROWS.overloaded, "ID is overloaded"),
    fault("a time-out", 504, error(504), ROWS.timeout, "ID did not answer in time"),
    fault("a page of its edge", 502, HTML, ROWS.unreadable, "ID could not be reached behind its own edge (HTTP 502)"),
    fault("a page of a CDN", 520, HTML, ROWS.unreadable, "ID could not be reached behind its own edge (HTTP 520)"),
    fault("a failure without a body", 500, "", ROWS.failed, "ID failed (HTTP 500)"),
    fault("a redirect", 307, "", ROWS.unreadable, "ID answered with HTTP 307, a redirection, which is not followed"),
  ];
};

const OPENAI_WORDS: Readonly<Record<number, string>> = {
  400: "invalid_value",
  404: "model_not_found",
  422: "invalid_value",
  429: "rate_limit_exceeded",
};
const codeOf = ({ id }: Vendor, status: number): string | null =>
  id === "openai" ? (OPENAI_WORDS[status] ?? null) : null;

const ANTHROPIC_WORDS: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  503: "overloaded_error",
  504: "timeout_error",
};

const GOOGLE_WORDS: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  404: "NOT_FOUND",
  413: "",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

const region = blame(openai, "Country, region, or territory not supported");
const length = blame(openai, "This model's maximum context length is 8 tokens");
const policy = blame(openai, "The response was filtered");
const param = blame(openai, "Invalid 'temperature'");
const OPENAI_FAULTS: Fault[] = [
  ...common(openai, (status) => OPENAI_WORDS[status] ?? "server_error"),
  fault(
    "a parameter at fault",
    400,
    openai.error("invalid_value", param.says, { param: "temperature" }),
    { ...ROWS.invalid, param: "temperature", code: "invalid_value" },
    param.told,
  ),
  fault("too long a context", 400, openai.error("context_length_exceeded", length.says), ROWS.tooLong, length.told),
  fault("a content policy", 400, openai.error("content_filter", policy.says), ROWS.filtered, policy.told),
  fault("a key that is not valid", 401, openai.error("invalid_api_key", own(openai)), ROWS.key, KEY),
  fault(
    "a region without service",
    403,
    openai.error("unsupported_country_region_territory", region.says),
    { ...ROWS.denied, code: "unsupported_country_region_territory" },
    region.told,
  ),
  fault("a quota that is used up", 429, openai.error("insufficient_quota", own(openai)), ROWS.spent, SPENT),
  fault(
    "a rate limit of tokens",
    429,
    openai.error("rate_limit_exceeded", own(openai), { type: "tokens" }),
    { ...ROWS.limited, type: "tokens" },
    LIMITED,
  ),
];

const tokens = blame(anthropic, "prompt is too long: 9 tokens > 8 maximum");
const model = blame(anthropic, "You may not use this model");
const ANTHROPIC_FAULTS: Fault[] = [
  ...common(anthropic, (status) => ANTHROPIC_WORDS[status] ?? ""),
  fault("too long a prompt", 400, anthropic.error("invalid_request_error", tokens.says), ROWS.tooLong, tokens.told),
  fault("a key that is not valid", 401, anthropic.error("authentication_error", own(anthropic)), ROWS.key, KEY),
  fault("an account without money", 402, anthropic.error("billing_error", own(anthropic)), ROWS.spent, SPENT),
  fault(
    "a spend limit",
    400,
    anthropic.error("invalid_request_error", `You have reached your specified API usage limits. ${own(anthropic)}`),
    ROWS.spent,
    SPENT,
  ),
  fault("a model not allowed", 403, anthropic.error("permission_error", model.says), ROWS.denied, model.told),
];

const rpc = (name: string, more: object): object => ({ "@type": `type.googleapis.com/google.rpc.${name}`, ...more });
const badKey = { details: [rpc("ErrorInfo", { reason: "API_KEY_INVALID", domain: "googleapis.com" })] };
const daily = { details: [rpc("QuotaFailure", { violations: [{ quotaId: "RequestsPerDayPerProject" }] })] };
const place = blame(google, "User location is not supported");
const count = blame(google, "The input token count (9) exceeds the maximum number of tokens allowed (8)");
const access = blame(google, "You may not use this model");
const GOOGLE_FAULTS: Fault[] = [
  ...common(google, (status) => GOOGLE_WORDS[status] ?? ""),
  fault("a wrong place", 400, google.error("FAILED_PRECONDITION", place.says), ROWS.precondition, place.told),
  fault("too many tokens", 400, google.error("INVALID_ARGUMENT", count.says), ROWS.tooLong, count.told),
  fault("an invalid key (400)", 400, google.error("INVALID_ARGUMENT", own(google), badKey), ROWS.key, KEY),
  fault("a key that is not valid", 401, google.error("UNAUTHENTICATED", own(google)), ROWS.key, KEY),
  fault("a model not allowed", 403, google.error("PERMISSION_DENIED", access.says), ROWS.denied, access.told),
  fault("an error in a list", 403, [google.error("PERMISSION_DENIED", access.says)], { ...ROWS.denied }, access.told),
  fault("something not built", 501, google.error("UNIMPLEMENTED", access.says), ROWS.notBuilt, access.told),
  fault(
    "a quota of the day",
    429,
    google.error("RESOURCE_EXHAUSTED", own(google), daily),
    ROWS.spentToday,
    "ID takes no more calls today: a quota of the day is used up",
  ),
];

describe.each([
  [openai, OPENAI_FAULTS],
  [anthropic, ANTHROPIC_FAULTS],
  [google, GOOGLE_FAULTS],
] as const)("a fault of $id", (vendor, faults) => {
  const stage = useVendorStage();

  it.each(faults)("$what ($status)", async ({ status, body, row, message, headers = {} }) => {
    stage.answer(
      typeof body === "string"
        ? {
            status,
            headers: { "content-type": "text/html", location: "http://127.0.0.1:9/", ...headers },
            pieces: [body],
          }
        : json(body, status),
    );
    const told = { ...row, message: message.replace("ID", vendor.id) };
    const calls = stage.upstream().requests.length;
    for (const door of DOORS.map((name) => stage.door(name))) {
      const whole = await failureOf(door.complete(ask(vendor)));
      expectTold(door, whole, vendor.id, told);
      const stream = await failureOf(collect(door.stream(ask(vendor))));
      expectTold(door, stream, vendor.id, told);
      for (const { message: text } of [whole, stream] as DoorError[]) {
        for (const secret of [vendor.key, SECRET_WORDS]) expect(text).not.toContain(secret);
      }
    }
    // Nothing is tried again behind the caller's back.
    expect(stage.upstream().requests.length - calls).toBe(DOORS.length * 2);
  });
});
