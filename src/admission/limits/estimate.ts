import type { Demand } from "../../routing/demand.ts";

/** Tokens that an answer is taken to have where its call does not limit it: most answers of a chat have fewer. */
const USUAL_ANSWER = 1_000;
/** Calls without a limit of their own that may at least begin at once, however low the limit of tokens is. */
const CALLS_AT_ONCE = 10;

/**
 * The tokens that a call may take, at most roughly: those of its messages, and for each choice the most that it asks for. Where it
 * asks for no most, 1,000, or a tenth of the limit where that is less. What it really took is settled when it has ended.
 */
export function estimateTokens(
  { promptTokens, choices, maxTokens }: Pick<Demand, "promptTokens" | "choices" | "maxTokens">,
  tokensPerMinute: number | undefined,
): number {
  const usual = Math.min(USUAL_ANSWER, Math.ceil((tokensPerMinute ?? Infinity) / CALLS_AT_ONCE));
  return promptTokens + choices * (maxTokens ?? usual);
}
