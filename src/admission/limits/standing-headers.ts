import type { Standing } from "./limiter.ts";

/** Names of the headers, as OpenAI has them (https://platform.openai.com/docs/guides/rate-limits). */
const REQUESTS_LIMIT = "x-ratelimit-limit-requests";
const REQUESTS_REMAINING = "x-ratelimit-remaining-requests";
const REQUESTS_RESET = "x-ratelimit-reset-requests";
const TOKENS_LIMIT = "x-ratelimit-limit-tokens";
const TOKENS_REMAINING = "x-ratelimit-remaining-tokens";
const TOKENS_RESET = "x-ratelimit-reset-tokens";

/** All headers that tell how it stands with a caller. */
export const STANDING_HEADERS: readonly string[] = [
  REQUESTS_LIMIT,
  REQUESTS_REMAINING,
  REQUESTS_RESET,
  TOKENS_LIMIT,
  TOKENS_REMAINING,
  TOKENS_RESET,
];

/** The headers that tell how it stands with a caller; none for what has no limit. */
export function standingHeaders({ requests, tokens }: Standing): Record<string, string> {
  const headers: Record<string, string> = {};
  // By constant names: those that are read off a table make a dictionary of the object, for three times as long.
  if (requests !== undefined) {
    headers[REQUESTS_LIMIT] = String(requests.limit);
    headers[REQUESTS_REMAINING] = String(requests.remaining);
    headers[REQUESTS_RESET] = formatReset(requests.resetMs);
  }
  if (tokens !== undefined) {
    headers[TOKENS_LIMIT] = String(tokens.limit);
    headers[TOKENS_REMAINING] = String(tokens.remaining);
    headers[TOKENS_RESET] = formatReset(tokens.resetMs);
  }
  return headers;
}

/** Adds them to a list of names and values in turns. */
export function addStandingHeaders(list: string[], standing: Standing): void {
  const headers = standingHeaders(standing);
  for (const name in headers) list.push(name, headers[name] as string);
}

/** Writes a time as OpenAI does: "12ms", "1s", "8.64s", "6m0s", "1h0m0s". */
export function formatReset(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms));
  if (whole > 0 && whole < 1_000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor(whole / 60_000) % 60;
  const seconds = `${(whole % 60_000) / 1_000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
