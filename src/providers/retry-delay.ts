import type { Failure } from "./provider.ts";

const HOUR_MS = 3_600_000;

/**
 * How long a provider asks to wait, in milliseconds, from 0 to an hour; undefined where it does not say. It says so, in this order, in
 * `retry-after-ms`, `retry-after` (seconds or a date), the resets of exhausted limits of OpenAI's and Anthropic's headers, and its
 * message ("Please retry in 48.9s").
 */
export function retryDelayOf(
  { header, receivedAt }: Pick<Failure, "header" | "receivedAt">,
  message = "",
): number | undefined {
  const delay =
    plainNumber(header("retry-after-ms")) ??
    retryAfter(header("retry-after"), receivedAt) ??
    longest(OPENAI_LIMITS.map((limit) => openAIReset(header, limit, receivedAt))) ??
    shortest(ANTHROPIC_LIMITS.map((limit) => anthropicReset(header, limit, receivedAt))) ??
    delayInText(message);
  return delay === undefined ? undefined : Math.min(Math.max(0, delay), HOUR_MS);
}

/** The same, where only a message can say it: in an error within a success. */
export const retryDelayInText = (message: string | undefined): number | undefined =>
  retryDelayOf({ header: () => undefined, receivedAt: 0 }, message);

/** What `x-should-retry` says; undefined where it says nothing. */
export function shouldRetryOf({ header }: Pick<Failure, "header">): boolean | undefined {
  const word = header("x-should-retry");
  return word === "true" || word === "false" ? word === "true" : undefined;
}

type Header = Failure["header"];

function plainNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*-?\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function retryAfter(text: string | undefined, now: number): number | undefined {
  const seconds = plainNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  return parseDuration(text) ?? untilDate(text, now);
}

/** Milliseconds until a date with a time of day; Date.parse alone makes a year of "foo 1". */
function untilDate(text: string | undefined, now: number): number | undefined {
  const date = text?.includes(":") ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : date - now;
}

/** Suffixes of OpenAI's headers; others have one limit, without a suffix. */
const OPENAI_LIMITS = ["-requests", "-tokens", ""];

/** Only an exhausted limit says when to come again. */
const isExhausted = (remaining: string | undefined): boolean => (plainNumber(remaining) ?? 1) <= 0;

function openAIReset(header: Header, limit: string, now: number): number | undefined {
  if (!isExhausted(header(`x-ratelimit-remaining${limit}`))) return undefined;
  const text = header(`x-ratelimit-reset${limit}`);
  const count = plainNumber(text);
  if (count === undefined) return parseDuration(text);
  // Some say seconds, some Unix seconds, and some Unix milliseconds.
  if (count < 1e9) return count * 1000;
  return (count < 1e12 ? count * 1000 : count) - now;
}

const ANTHROPIC_LIMITS = ["requests", "tokens", "input-tokens", "output-tokens"];

function anthropicReset(header: Header, limit: string, now: number): number | undefined {
  if (!isExhausted(header(`anthropic-ratelimit-${limit}-remaining`))) return undefined;
  return untilDate(header(`anthropic-ratelimit-${limit}-reset`), now);
}

const delayInText = (text: string): number | undefined => {
  const found = /(?:retry|try again) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)\b/i.exec(text);
  if (found !== null) return parseDuration(found[1]);
  const words = /(?:retry|try again) (?:in|after) (\d+(?:\.\d+)?) (second|minute)s?\b/i.exec(text);
  return words === null ? undefined : Number(words[1]) * (words[2]?.toLowerCase() === "minute" ? 60_000 : 1000);
};

const UNIT_MS: Readonly<Record<string, number>> = { h: HOUR_MS, m: 60_000, s: 1000, ms: 1 };

/** Reads "6m0s", "8.64s", "12ms", "48s": milliseconds. */
export function parseDuration(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|h|m|s))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(count) * (UNIT_MS[unit as string] as number);
  return total;
}

const given = (delays: readonly (number | undefined)[]): number[] => delays.filter((delay) => delay !== undefined);
const longest = (delays: readonly (number | undefined)[]): number | undefined =>
  given(delays).length === 0 ? undefined : Math.max(...given(delays));
const shortest = (delays: readonly (number | undefined)[]): number | undefined =>
  given(delays).length === 0 ? undefined : Math.min(...given(delays));
