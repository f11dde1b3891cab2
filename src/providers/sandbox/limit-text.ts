import { splitTokens } from "./tokens/tokens.ts";

/** A text within its limits. */
export interface LimitedText {
  /** Its tokens. */
  readonly tokens: readonly string[];
  /** Whether the limit of tokens cut it. */
  readonly isCut: boolean;
}

/** Ends a text before the first stop sequence in it, and after that many tokens. */
export function limitText(text: string, stop: readonly string[], maxTokens: number): LimitedText {
  const tokens = splitTokens(beforeStop(text, stop));
  if (tokens.length <= maxTokens) return { tokens, isCut: false };
  return { tokens: tokens.slice(0, maxTokens), isCut: true };
}

function beforeStop(text: string, stop: readonly string[]): string {
  const ends = stop.map((sequence) => text.indexOf(sequence)).filter((at) => at >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}
