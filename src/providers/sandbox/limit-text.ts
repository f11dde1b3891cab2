import { type LimitedText, limitTokens } from "./tokens/tokens.ts";

/** Ends a text before the first stop sequence in it, and after that many tokens. */
export const limitText = (text: string, stop: readonly string[], maxTokens: number): LimitedText =>
  limitTokens(beforeStop(text, stop), maxTokens);

function beforeStop(text: string, stop: readonly string[]): string {
  if (stop.length === 0) return text;
  const ends = stop.map((sequence) => text.indexOf(sequence)).filter((at) => at >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}
