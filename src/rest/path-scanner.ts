/** What a token of a path template is. `text` is a literal or a field path; which of them, the parser knows. */
export type PathTokenKind = "/" | "*" | "**" | "{" | "}" | "=" | ":" | "text" | "end";

/** One token of a path template. */
export interface PathToken {
  readonly kind: PathTokenKind;
  readonly text: string;
  /** Where it begins, in characters from 0. */
  readonly at: number;
}

const TOKEN = /\*\*|[/*{}=:]|[^/*{}=:]+/g;
const PUNCTUATION: ReadonlySet<string> = new Set(["/", "*", "**", "{", "}", "=", ":"]);

/** Cuts a path template of google.api.http into tokens. Every character belongs to one; the last token is `end`. */
export function scanPathTemplate(template: string): PathToken[] {
  const tokens: PathToken[] = [];
  for (const { 0: text, index } of template.matchAll(TOKEN)) {
    tokens.push({ kind: PUNCTUATION.has(text) ? (text as PathTokenKind) : "text", text, at: index });
  }
  tokens.push({ kind: "end", text: "", at: template.length });
  return tokens;
}
