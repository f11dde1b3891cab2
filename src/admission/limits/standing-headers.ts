import type { Allowance, Standing } from "./limiter.ts";

/** Names of the headers, as OpenAI has them (https://platform.openai.com/docs/guides/rate-limits). */
const REQUESTS = {
  limit: "x-ratelimit-limit-requests",
  remaining: "x-ratelimit-remaining-requests",
  reset: "x-ratelimit-reset-requests",
};
const TOKENS = {
  limit: "x-ratelimit-limit-tokens",
  remaining: "x-ratelimit-remaining-tokens",
  reset: "x-ratelimit-reset-tokens",
};

/** All headers that tell how it stands with a caller. */
export const STANDING_HEADERS: readonly string[] = [...Object.values(REQUESTS), ...Object.values(TOKENS)];

/** The headers that tell how it stands with a caller; none for what has no limit. */
export function standingHeaders({ requests, tokens }: Standing): Record<string, string> {
  return { ...headersOf(REQUESTS, requests), ...headersOf(TOKENS, tokens) };
}

function headersOf(names: typeof REQUESTS, allowance: Allowance | undefined): Record<string, string> {
  if (allowance === undefined) return {};
  return {
    [names.limit]: String(allowance.limit),
    [names.remaining]: String(allowance.remaining),
    [names.reset]: formatReset(allowance.resetMs),
  };
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
