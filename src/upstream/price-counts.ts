import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { ModelPrice } from "@pydantic/genai-prices";
import type { Usage } from "../gen/parley/chat/v1/completion_pb.ts";

/** How often each thing that has a price was used, by its name in `@pydantic/genai-prices`. */
export type Counts = Readonly<Record<string, number>>;

/** Says a usage in the terms of prices. What is not known is left out; where a price has it apart, it then counts as none. */
export function countsOf(usage: Usage): Counts {
  const prompt = usage.promptTokensDetails;
  const completion = usage.completionTokensDetails;
  return withoutUnset({
    input_tokens: usage.promptTokens,
    cache_read_tokens: prompt?.cachedTokens,
    cache_write_tokens: prompt?.cacheWriteTokens,
    cache_write_1h_tokens: numberAt(usage.extra, "cache_creation", "ephemeral_1h_input_tokens"),
    input_audio_tokens: prompt?.audioTokens,
    input_image_tokens: prompt?.imageTokens,
    output_tokens: usage.completionTokens,
    output_audio_tokens: completion?.audioTokens,
    output_image_tokens: completion?.imageTokens,
    output_reasoning_tokens: completion?.reasoningTokens,
    web_searches: numberAt(usage.extra, "server_tool_use", "web_search_requests"),
  });
}

/** Parts of an answer that some prices have apart, and that a usage may not tell from the rest, by price. */
const APART: Readonly<Record<string, string>> = {
  output_image_mtok: "output_image_tokens",
  output_video_mtok: "output_video_tokens",
  output_citation_mtok: "output_citation_tokens",
};

/** Whether the counts have all that a price needs: one for messages and answers, and no part apart that is not counted. */
export function isCountable(price: ModelPrice, counts: Counts): boolean {
  if (price.input_mtok === undefined || price.output_mtok === undefined) return false;
  return Object.entries(APART).every(([key, count]) => price[key] === undefined || counts[count] !== undefined);
}

function withoutUnset(counts: Readonly<Record<string, number | undefined>>): Counts {
  return Object.fromEntries(
    Object.entries(counts).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

/** A number of what a provider says besides, at this path. */
function numberAt(extra: JsonObject | undefined, ...path: readonly string[]): number | undefined {
  let value: JsonValue | undefined = extra;
  for (const key of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = value[key];
  }
  return typeof value === "number" ? value : undefined;
}
