import { type SplitText, splitTokens } from "./tokens/tokens.ts";

/** Ends a text before the first stop sequence in it, and after that many tokens. */
export const limitText = (text: string, stop: readonly string[], maxTokens: number): SplitText =>
  splitTokens(beforeStop(text, stop), maxTokens);

function beforeStop(text: string, stop: readonly string[]): string {
  const ends = stop.map((sequence) => text.indexOf(sequence)).filter((at) => at >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}
