import { create, type JsonObject } from "@bufbuild/protobuf";
import { ServiceTier, type Usage, UsageSchema } from "../../gen/parley/chat/v1/completion_pb.ts";
import { tokenCount } from "../token-count.ts";
import { numberIn, objectsIn, textIn } from "./json-fields.ts";

/**
 * What a call took, by `usageMetadata`. Google counts thoughts apart from the answer, and what tools read apart from the prompt; every
 * count may be missing. The total is our sum.
 */
export function usageOf(metadata: JsonObject): Usage {
  const count = (key: string): number => tokenCount(numberIn(metadata, key));
  const prompt = tokensByModality(metadata, "promptTokensDetails");
  const answer = tokensByModality(metadata, "candidatesTokensDetails");
  const promptTokens = count("promptTokenCount") + count("toolUsePromptTokenCount");
  const reasoningTokens = count("thoughtsTokenCount");
  const completionTokens = count("candidatesTokenCount") + reasoningTokens;
  return create(UsageSchema, {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    promptTokensDetails: {
      cachedTokens: count("cachedContentTokenCount"),
      cacheWriteTokens: 0,
      audioTokens: prompt.audio,
      imageTokens: prompt.image,
      textTokens: prompt.text,
    },
    completionTokensDetails: {
      reasoningTokens,
      audioTokens: answer.audio,
      imageTokens: answer.image,
      acceptedPredictionTokens: 0,
      rejectedPredictionTokens: 0,
    },
  });
}

/** The capacity that served a call, where it is said. */
export function serviceTierOf(metadata: JsonObject): ServiceTier {
  switch (textIn(metadata, "serviceTier")?.toLowerCase()) {
    case "standard":
      return ServiceTier.DEFAULT;
    case "flex":
      return ServiceTier.FLEX;
    case "priority":
      return ServiceTier.PRIORITY;
    default:
      return ServiceTier.UNSPECIFIED;
  }
}

/** Videos and documents are counted as images: that is how Google looks at them. */
function tokensByModality(metadata: JsonObject, key: string) {
  const sums = { audio: 0, image: 0, text: 0 };
  for (const detail of objectsIn(metadata, key)) {
    const tokens = tokenCount(numberIn(detail, "tokenCount"));
    const modality = textIn(detail, "modality");
    if (modality === "AUDIO") sums.audio += tokens;
    else if (modality === "TEXT") sums.text += tokens;
    else if (modality === "IMAGE" || modality === "VIDEO" || modality === "DOCUMENT") sums.image += tokens;
  }
  return sums;
}
