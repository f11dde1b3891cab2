import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import {
  CompletionTokensDetailsSchema,
  PromptTokensDetailsSchema,
  type Usage,
  UsageSchema,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { decodeRest } from "./decode-rest.ts";

/** Where else servers say how many tokens came from their cache: DeepSeek, Moonshot. */
const CACHED = ["prompt_cache_hit_tokens", "cached_tokens"];

/** Keys that are said by others: DeepSeek's other half of the prompt. */
const SAID = new Set([...CACHED, "prompt_cache_miss_tokens"]);

/** Makes a usage of what a server counted, by OpenAI's arithmetic: `completion_tokens` has the reasoning in it. */
export function decodeUsage(json: JsonObject): Usage {
  const rest = Object.fromEntries(Object.entries(json).filter(([key]) => !SAID.has(key)));
  const usage = decodeRest(UsageSchema, rest);
  const cached = CACHED.map((key) => json[key]).find(isCount);
  if (cached !== undefined && usage.promptTokensDetails?.cachedTokens === undefined)
    usage.promptTokensDetails = create(PromptTokensDetailsSchema, {
      ...usage.promptTokensDetails,
      cachedTokens: cached,
    });
  addReasoning(usage);
  usage.totalTokens = usage.promptTokens + usage.completionTokens;
  return usage;
}

/**
 * Adds reasoning that was counted apart. xAI's total has it and its `completion_tokens` does not; Google's endpoint for OpenAI's API
 * counts it in the total only.
 */
function addReasoning(usage: Usage): void {
  const { promptTokens, completionTokens, totalTokens, completionTokensDetails: details } = usage;
  const gap = totalTokens - promptTokens - completionTokens;
  if (gap <= 0) return;
  // A server that tells its reasoning, and be it none, has something else in its total.
  if (details !== undefined && details.reasoningTokens !== gap) return;
  usage.completionTokens += gap;
  usage.completionTokensDetails = create(CompletionTokensDetailsSchema, { ...details, reasoningTokens: gap });
}

/** The usage of an answer or chunk; older streams of Groq have it in a place of their own. */
export function usageOf(json: JsonObject): JsonObject | undefined {
  const { usage, x_groq: groq } = json;
  if (isObject(usage)) return usage;
  return isObject(groq) && isObject(groq["usage"]) ? groq["usage"] : undefined;
}

const isCount = (value: JsonValue | undefined): value is number => Number.isInteger(value) && (value as number) >= 0;
