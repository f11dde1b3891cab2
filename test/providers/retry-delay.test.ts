import { describe, expect, it } from "vitest";
import { parseDuration, retryDelayOf } from "../../src/providers/retry-delay.ts";

/** 2026-01-02T03:04:05Z. */
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const HOUR = 3_600_000;

const delayOf = (headers: Record<string, string>, message?: string): number | undefined =>
  retryDelayOf({ header: (name) => headers[name], receivedAt: NOW }, message);

describe("retryDelayOf()", () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ["nothing", {}, undefined],
    ["milliseconds", { "retry-after-ms": "1500.5" }, 1500.5],
    ["seconds", { "retry-after": "7" }, 7000],
    ["fractions of seconds", { "retry-after": "0.25" }, 250],
    ["none at all", { "retry-after": "0" }, 0],
    ["seconds with a unit", { "retry-after": "30s" }, 30_000],
    ["a date", { "retry-after": "Fri, 02 Jan 2026 03:04:15 GMT" }, 10_000],
    ["a date that is past", { "retry-after": "Fri, 02 Jan 2026 03:04:00 GMT" }, 0],
    ["a date far away", { "retry-after": "Sat, 02 Jan 2027 03:04:05 GMT" }, HOUR],
    ["a day", { "retry-after": "86400" }, HOUR],
    ["a negative number", { "retry-after": "-5" }, 0],
    ["nonsense", { "retry-after": "foo 1" }, undefined],
    ["an empty header", { "retry-after": "" }, undefined],
    ["an exponent", { "retry-after": "1e3" }, undefined],
    ["nonsense before something better", { "retry-after-ms": "soon", "retry-after": "2" }, 2000],
    ["milliseconds before seconds", { "retry-after-ms": "5", "retry-after": "2" }, 5],
    [
      "an exhausted limit of OpenAI",
      { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s" },
      360_000,
    ],
    [
      "a limit of OpenAI that is not exhausted",
      { "x-ratelimit-remaining-tokens": "12", "x-ratelimit-reset-tokens": "6m0s" },
      undefined,
    ],
    [
      "two exhausted limits of OpenAI, which have to pass both",
      {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "8.64s",
        "x-ratelimit-remaining-tokens": "-3",
        "x-ratelimit-reset-tokens": "12ms",
      },
      8640,
    ],
    ["one limit in seconds", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "3" }, 3000],
    ["one limit in Unix seconds", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${NOW / 1000 + 4}` }, 4000],
    ["one limit in Unix milliseconds", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${NOW + 50}` }, 50],
    [
      "the soonest exhausted limit of Anthropic",
      {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-01-02T03:05:05Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-01-02T03:04:25Z",
        "anthropic-ratelimit-output-tokens-remaining": "8000",
        "anthropic-ratelimit-output-tokens-reset": "2026-01-02T03:04:06Z",
      },
      20_000,
    ],
    [
      "a limit of Anthropic that is no date",
      { "anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "later" },
      undefined,
    ],
  ])("reads %s", (_name, headers, expected) => {
    expect(delayOf(headers)).toBe(expected);
  });

  it.each([
    ["Please retry in 48.939935699s.", 48_939.935699],
    ["Please try again in 1m30.5s. Visit https://a.example.", 90_500],
    ["Please try again in 20ms.", 20],
    ["Try again in 7 seconds", 7000],
    ["Please retry after 1 second.", 1000],
    ["Please retry after 2 minutes.", 120_000],
    ["retry in 2h", HOUR],
    ["Please retry shortly", undefined],
    ["retry in 5 days", undefined],
    ["in 5s", undefined],
  ])("reads %j", (message, expected) => {
    expect(delayOf({}, message)).toBe(expected);
  });

  it("believes headers before texts", () => {
    expect(delayOf({ "retry-after": "1" }, "Please retry in 48s")).toBe(1000);
  });
});

describe("parseDuration()", () => {
  it.each([
    ["6m0s", 360_000],
    ["8.64s", 8640],
    ["12ms", 12],
    ["48s", 48_000],
    ["1h1m1s", 3_661_000],
    ["0s", 0],
    ["48", undefined],
    ["s", undefined],
    ["-1s", undefined],
    ["1 s", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%j: %s ms", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });
});
