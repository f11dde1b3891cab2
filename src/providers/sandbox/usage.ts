import { blankCompletionTokensDetails, blankUsage } from "../../gen/parley/chat/v1/blanks.ts";
import type { Usage } from "../../gen/parley/chat/v1/completion_pb.ts";
import type { Answer } from "./answer.ts";
import { countTokens } from "./tokens/tokens.ts";

/** What some answers to a prompt of that many tokens took. */
export function usageOf(promptTokens: number, answers: readonly Answer[]): Usage {
  const reasoningTokens = answers.reduce((sum, { reasoning }) => sum + reasoning.tokens, 0);
  const completionTokens = answers.reduce((sum, answer) => sum + saidTokens(answer), reasoningTokens);
  const usage = blankUsage();
  usage.promptTokens = promptTokens;
  usage.completionTokens = completionTokens;
  usage.totalTokens = promptTokens + completionTokens;
  usage.completionTokensDetails = blankCompletionTokensDetails();
  usage.completionTokensDetails.reasoningTokens = reasoningTokens;
  return usage;
}

const saidTokens = ({ content, calls }: Answer): number =>
  calls.reduce((sum, { name, input }) => sum + countTokens(name) + input.tokens, content.tokens);
