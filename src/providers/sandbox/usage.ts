import { create } from "@bufbuild/protobuf";
import { CompletionTokensDetailsSchema, type Usage, UsageSchema } from "../../gen/parley/chat/v1/completion_pb.ts";
import type { Answer } from "./answer.ts";
import { countTokens, tokensIn } from "./tokens/tokens.ts";

/** What some answers to a prompt of that many tokens took. */
export function usageOf(promptTokens: number, answers: readonly Answer[]): Usage {
  const reasoningTokens = answers.reduce((sum, { reasoning }) => sum + tokensIn(reasoning), 0);
  const completionTokens = answers.reduce((sum, answer) => sum + saidTokens(answer), reasoningTokens);
  return create(UsageSchema, {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    completionTokensDetails: create(CompletionTokensDetailsSchema, { reasoningTokens }),
  });
}

const saidTokens = ({ content, calls }: Answer): number =>
  calls.reduce((sum, { name, input }) => sum + countTokens(name) + tokensIn(input), tokensIn(content));
