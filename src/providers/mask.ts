/** Keys and names of accounts that providers repeat in their messages. */
const SECRETS = [
  /\b(?:sk|pk|rk|gsk|xai|sess|pplx|hf|r8)[-_][\w*.-]{6,}/g,
  /\bAIza[\w*-]{8,}/g,
  /\bya29\.[\w.-]+/g,
  /\b(?:Bearer|Basic)\s+[\w.~+/=*-]{6,}/gi,
  /\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?/g,
  /\b(?:org|proj|user)[-_][A-Za-z0-9]{8,}/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /([?&](?:api[-_]?)?key=)[^&\s"']+/gi,
];

/** Longest message of a provider that is passed on. */
const MAX_MESSAGE = 500;

/** A provider's message as callers may see it: without keys, names of accounts and markup, on one line, at most 500 characters. */
export function maskMessage(message: string): string {
  let masked = message.replace(/<(style|script)\b[\s\S]*?<\/\1>|<[^>]{0,2000}>/gi, " ");
  for (const secret of SECRETS)
    masked = masked.replace(secret, (_all, kept: unknown) => `${typeof kept === "string" ? kept : ""}[redacted]`);
  // Control characters would break lines of logs and headers.
  masked = masked.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return masked.length > MAX_MESSAGE ? `${masked.slice(0, MAX_MESSAGE).trimEnd()}…` : masked;
}
