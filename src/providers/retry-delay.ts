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
    longest([openAIReset(header, "requests"), openAIReset(header, "tokens")]) ??
    shortest(ANTHROPIC_LIMITS.map((limit) => anthropicReset(header, limit, receivedAt))) ??
    delayInText(message);
  return delay === undefined ? undefined : Math.min(Math.max(0, delay), HOUR_MS);
}

type Header = Failure["header"];

function plainNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*-?\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function retryAfter(text: string | undefined, now: number): number | undefined {
  const seconds = plainNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? undefined : date - now;
}

/** Only an exhausted limit says when to come again. */
function openAIReset(header: Header, what: string): number | undefined {
  if (header(`x-ratelimit-remaining-${what}`) !== "0") return undefined;
  return parseDuration(header(`x-ratelimit-reset-${what}`));
}

const ANTHROPIC_LIMITS = ["requests", "tokens", "input-tokens", "output-tokens"];

function anthropicReset(header: Header, limit: string, now: number): number | undefined {
  if (header(`anthropic-ratelimit-${limit}-remaining`) !== "0") return undefined;
  const date = Date.parse(header(`anthropic-ratelimit-${limit}-reset`) ?? "");
  return Number.isNaN(date) ? undefined : date - now;
}

const delayInText = (text: string): number | undefined => {
  const found = /(?:retry|try again) in ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)\b/i.exec(text);
  if (found !== null) return parseDuration(found[1]);
  const seconds = /(?:retry|try again) (?:in|after) (\d+(?:\.\d+)?) seconds?\b/i.exec(text);
  return seconds === null ? undefined : Number(seconds[1]) * 1000;
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
