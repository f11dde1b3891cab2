/** What providers repeat in their messages though it is nobody else's business. What stands in a first group is kept. */
interface Secret {
  readonly pattern: RegExp;
  /** Whether what was found is no ordinary word; it stands apart, as look-ahead would read the same text again and again. */
  readonly isSecret?: (found: string) => boolean;
}

/** Keys and names of accounts. */
const SECRETS: readonly Secret[] = [
  {
    pattern: /\b(?:sk|pk|rk|gsk|xai|sess|pplx|hf|r8)[-_][\w*.-]{6,}/g,
    isSecret: (found) => found.startsWith("sk-") || /\*|[A-Za-z0-9]{16}/.test(found),
  },
  { pattern: /\bAIza[\w*-]{8,}/g },
  { pattern: /\bya29\.[\w.-]+/g },
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  {
    pattern: /\b(?:Bearer|Basic)\s+[\w.~+/=*-]{6,}/gi,
    isSecret: (found) => /[\d*=]|\S{20}/.test(found),
  },
  { pattern: /\beyJ[\w.-]{8,}/g, isSecret: (found) => found.includes(".") },
  {
    pattern: /\b(?:org|proj|user)[-_][A-Za-z0-9]{8,}/g,
    isSecret: (found) => /\d|[a-z][A-Z]|[A-Z]{8}|[A-Za-z]{20}/.test(found),
  },
  { pattern: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi },
  { pattern: /\b[A-Za-z0-9]{32,}\b/g, isSecret: (found) => /\d/.test(found) && /[A-Za-z]/.test(found) },
  { pattern: /([?&](?:(?:api[-_]?)?key|(?:access_)?token)=)[^&\s"']+/gi },
  { pattern: /(\bAPI key provided: )\S+/gi },
  { pattern: /(\borg(?:ani[sz]ation)?(?: id)?: )[^,;()]{1,100}/gi },
  { pattern: /(\bin organi[sz]ation )\S+/gi },
  { pattern: /(\bproject(?:s|_number)?[ /=:])\d{6,}/gi },
];

const MARKUP = /<(style|script)\b[\s\S]*?(?:<\/\1[^<>]*>|$)|<!--[\s\S]*?(?:-->|$)|<[/!?]?[a-z][^<>]{0,2000}>/gi;

/** Longest message of a provider that is passed on. */
const MAX_MESSAGE = 500;

/** A provider's message as callers may see it: without keys, names of accounts and markup, on one line, at most 500 characters. */
export function maskMessage(message: string): string {
  let masked = message.replace(MARKUP, " ");
  for (const { pattern, isSecret } of SECRETS) {
    masked = masked.replace(pattern, (found: string, kept: unknown) =>
      isSecret?.(found) === false ? found : `${typeof kept === "string" ? kept : ""}[redacted]`,
    );
  }
  // Control characters would break lines of logs and headers.
  masked = masked.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return masked.length > MAX_MESSAGE ? `${masked.slice(0, MAX_MESSAGE).trimEnd()}…` : masked;
}
