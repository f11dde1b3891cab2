import { describe, expect, it } from "vitest";
import { estimateTokens } from "../../../src/admission/limits/estimate.ts";
import type { Refusal } from "../../../src/admission/limits/limiter.ts";
import { type Quota, quotaOf, shareOf } from "../../../src/admission/limits/quota.ts";
import { refuse } from "../../../src/admission/limits/refuse.ts";
import { formatReset, standingHeaders } from "../../../src/admission/limits/standing-headers.ts";
import { errorHeaders, toConnectError } from "../../../src/errors/connect-error.ts";
import { QuotaFailureSchema, RetryInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.ts";
import { quotaWith } from "./stage.ts";

const NO_STANDING = { requests: undefined, tokens: undefined };

describe("estimateTokens()", () => {
  it.each([
    {
      title: "what is asked for",
      demand: { promptTokens: 10, choices: 1, maxTokens: 50 },
      limit: undefined,
      tokens: 60,
    },
    { title: "each choice", demand: { promptTokens: 10, choices: 3, maxTokens: 50 }, limit: 100, tokens: 160 },
    {
      title: "a usual answer",
      demand: { promptTokens: 10, choices: 2, maxTokens: undefined },
      limit: undefined,
      tokens: 2_010,
    },
    {
      title: "a tenth of a low limit",
      demand: { promptTokens: 10, choices: 1, maxTokens: undefined },
      limit: 505,
      tokens: 61,
    },
    { title: "no answer at all", demand: { promptTokens: 10, choices: 1, maxTokens: 0 }, limit: 505, tokens: 10 },
  ])("counts $title", ({ demand, limit, tokens }) => {
    expect(estimateTokens(demand, limit)).toBe(tokens);
  });
});

describe("refuse()", () => {
  it.each<{
    readonly limit: Refusal["limit"];
    readonly quota: Partial<Quota>;
    readonly message: string;
    readonly code: string;
    readonly headers: Record<string, string>;
  }>([
    {
      limit: "requests",
      quota: { requestsPerMinute: 600 },
      message: "the limit of this key is reached: requests per minute: 600",
      code: "rate_limit_exceeded",
      headers: { "retry-after": "2", "retry-after-ms": "1500" },
    },
    {
      limit: "tokens",
      quota: { tokensPerMinute: 1_000 },
      message: "the limit of this key is reached: tokens per minute: 1000",
      code: "rate_limit_exceeded",
      headers: { "retry-after": "2", "retry-after-ms": "1500" },
    },
    {
      limit: "concurrent",
      quota: { concurrent: 3 },
      message: "the limit of this key is reached: calls at once: 3",
      code: "rate_limit_exceeded",
      headers: { "retry-after": "2", "retry-after-ms": "1500" },
    },
    {
      limit: "concurrent_streams",
      quota: { concurrentStreams: 2 },
      message: "the limit of this key is reached: streams at once: 2",
      code: "rate_limit_exceeded",
      headers: { "retry-after": "2", "retry-after-ms": "1500" },
    },
    {
      limit: "budget",
      quota: { budget: { nanoDollars: 2_500_000_000, per: "day" } },
      message: "the budget of this key is used up: 2.5 US dollars per day",
      code: "insufficient_quota",
      headers: { "retry-after": "2", "retry-after-ms": "1500", "x-should-retry": "false" },
    },
  ])("says that $limit are used up", ({ limit, quota, message, code, headers }) => {
    const refusal: Refusal = { granted: false, standing: NO_STANDING, limit, retryAfterMs: 1_500 };
    const error = refuse(refusal, "key_1", quotaWith(quota));
    expect({ message: error.message, code: error.code, status: error.row.httpStatus }).toEqual({
      message,
      code,
      status: 429,
    });
    expect(errorHeaders(error)).toEqual(headers);
    const connectError = toConnectError(error);
    expect(connectError.findDetails(RetryInfoSchema)[0]?.retryDelay).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
    expect(connectError.findDetails(QuotaFailureSchema)[0]?.violations).toMatchObject([
      { subject: "key:key_1", description: message },
    ]);
  });
});

describe("standingHeaders()", () => {
  it("has a header for each figure of what is limited", () => {
    expect(
      standingHeaders({
        requests: { limit: 60, remaining: 59, resetMs: 1_000 },
        tokens: { limit: 150_000, remaining: 149_984, resetMs: 6 },
      }),
    ).toEqual({
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "59",
      "x-ratelimit-reset-requests": "1s",
      "x-ratelimit-limit-tokens": "150000",
      "x-ratelimit-remaining-tokens": "149984",
      "x-ratelimit-reset-tokens": "6ms",
    });
    expect(standingHeaders(NO_STANDING)).toEqual({});
  });
});

describe("formatReset()", () => {
  it.each([
    [0, "0s"],
    [12, "12ms"],
    [999.2, "1s"],
    [1_000, "1s"],
    [8_640, "8.64s"],
    [59_999, "59.999s"],
    [60_000, "1m0s"],
    [360_000, "6m0s"],
    [90_500, "1m30.5s"],
    [3_600_000, "1h0m0s"],
    [90_061_000, "25h1m1s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatReset(ms)).toBe(text);
  });
});

describe("shareOf()", () => {
  it("shares out each limit but the budget, and leaves at least one of each", () => {
    const budget = { nanoDollars: 7, per: "month" } as const;
    const quota = { requestsPerMinute: 100, tokensPerMinute: undefined, concurrent: 2, concurrentStreams: 7, budget };
    expect(shareOf(quota, 3)).toEqual({
      requestsPerMinute: 33,
      tokensPerMinute: undefined,
      concurrent: 1,
      concurrentStreams: 2,
      budget,
    });
  });
});

describe("quotaOf()", () => {
  it("counts money in nano-dollars and takes a month for the usual period", () => {
    const limits = { $typeName: "parley.keys.v1.KeyLimits", tokensPerMinute: 5n } as const;
    const budget = { $typeName: "parley.keys.v1.Budget", dollars: 0.1, per: 0 } as const;
    expect(quotaOf({ ...limits, budget })).toEqual(
      quotaWith({ tokensPerMinute: 5, budget: { nanoDollars: 100_000_000, per: "month" } }),
    );
  });
});
