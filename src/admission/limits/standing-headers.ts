import type { Allowance, Standing } from "./limiter.ts";

/**
 * OpenAI's headers of how it stands with a caller: `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests`, and the
 * same of tokens; none for what has no limit (https://platform.openai.com/docs/guides/rate-limits).
 */
export function standingHeaders({ requests, tokens }: Standing): Record<string, string> {
  return { ...headersOf("requests", requests), ...headersOf("tokens", tokens) };
}

function headersOf(name: string, allowance: Allowance | undefined): Record<string, string> {
  if (allowance === undefined) return {};
  return {
    [`x-ratelimit-limit-${name}`]: String(allowance.limit),
    [`x-ratelimit-remaining-${name}`]: String(allowance.remaining),
    [`x-ratelimit-reset-${name}`]: formatReset(allowance.resetMs),
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
