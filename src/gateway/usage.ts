import { create } from "@bufbuild/protobuf";
import {
  CompletionTokensDetailsSchema,
  PromptTokensDetailsSchema,
  type Usage,
} from "../gen/parley/chat/v1/completion_pb.ts";

/** Fills in what clients index into: both details with their counts, the cache's counts under both names, and the total. */
export function completeUsage(usage: Usage): Usage {
  const prompt = usage.promptTokensDetails;
  const cached = prompt?.cachedTokens ?? usage.cacheReadInputTokens ?? 0;
  const written = prompt?.cacheWriteTokens ?? usage.cacheCreationInputTokens ?? 0;
  usage.promptTokensDetails = create(PromptTokensDetailsSchema, {
    audioTokens: 0,
    ...prompt,
    cachedTokens: cached,
    cacheWriteTokens: written,
  });
  usage.completionTokensDetails = create(CompletionTokensDetailsSchema, {
    reasoningTokens: 0,
    audioTokens: 0,
    acceptedPredictionTokens: 0,
    rejectedPredictionTokens: 0,
    ...usage.completionTokensDetails,
  });
  usage.cacheReadInputTokens = cached;
  usage.cacheCreationInputTokens = written;
  usage.totalTokens = usage.promptTokens + usage.completionTokens;
  return usage;
}
