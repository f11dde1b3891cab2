import { create } from "@bufbuild/protobuf";
import {
  CompletionTokensDetailsSchema,
  PromptTokensDetailsSchema,
  type Usage,
} from "../gen/parley/chat/v1/completion_pb.ts";

/** Fills in what clients index into: both details with their counts, the cache's counts under both names, and the total. */
export function completeUsage(usage: Usage): Usage {
  usage.promptTokensDetails ??= create(PromptTokensDetailsSchema);
  const prompt = usage.promptTokensDetails;
  prompt.audioTokens ??= 0;
  prompt.cachedTokens ??= usage.cacheReadInputTokens ?? 0;
  prompt.cacheWriteTokens ??= usage.cacheCreationInputTokens ?? 0;
  usage.completionTokensDetails ??= create(CompletionTokensDetailsSchema);
  const completion = usage.completionTokensDetails;
  completion.reasoningTokens ??= 0;
  completion.audioTokens ??= 0;
  completion.acceptedPredictionTokens ??= 0;
  completion.rejectedPredictionTokens ??= 0;
  usage.cacheReadInputTokens = prompt.cachedTokens;
  usage.cacheCreationInputTokens = prompt.cacheWriteTokens;
  usage.totalTokens = usage.promptTokens + usage.completionTokens;
  return usage;
}
