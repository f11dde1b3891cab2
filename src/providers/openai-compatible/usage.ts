import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { blankUsage } from "../../gen/parley/chat/v1/blanks.ts";
import {
  CompletionTokensDetailsSchema,
  PromptTokensDetailsSchema,
  type Usage,
  UsageSchema,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { MAX_COUNT } from "../token-count.ts";
import { decodeRest } from "./decode-rest.ts";

/**
 * Keys that are said by others. DeepSeek and Moonshot say in the first two how many tokens came from their cache; the third is DeepSeek's other half
 * of the prompt.
 */
const SAID = new Set(["prompt_cache_hit_tokens", "cached_tokens", "prompt_cache_miss_tokens"]);

const COUNTS = ["prompt_tokens", "completion_tokens", "total_tokens"];

/** Keys of counts, and of objects that have counts only. */
const COUNTED = new Set([...COUNTS, "cache_creation_input_tokens", "cache_read_input_tokens"]);
const DETAILS = new Set(["prompt_tokens_details", "completion_tokens_details"]);

/** Makes a usage of what a server counted, by OpenAI's arithmetic: `completion_tokens` has the reasoning in it. */
export function decodeUsage(json: JsonObject): Usage {
  const rest: JsonObject = {};
  for (const key of Object.keys(json)) {
    // The key "__proto__" would become a prototype.
    if (SAID.has(key) || key === "__proto__") continue;
    const value = json[key] as JsonValue;
    if (COUNTED.has(key)) rest[key] = countOf(value) ?? value;
    else rest[key] = DETAILS.has(key) && isObject(value) ? withCounts(value) : value;
  }
  const usage = decodeRest(UsageSchema, blankUsage, rest);
  const cached = countOf(json["prompt_cache_hit_tokens"]) ?? countOf(json["cached_tokens"]);
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

/** The usage of an answer or chunk, where it counts anything. Older streams of Groq, and Moonshot's, have it in places of their own. */
export function usageOf({ usage, x_groq: groq, choices }: JsonObject): JsonObject | undefined {
  if (isUsage(usage)) return usage;
  if (isObject(groq) && isUsage(groq["usage"])) return groq["usage"];
  if (!Array.isArray(choices)) return undefined;
  for (const choice of choices) if (isObject(choice) && isUsage(choice["usage"])) return choice["usage"];
  return undefined;
}

/** An empty object counts nothing, and does not undo what was counted before. */
const isUsage = (value: JsonValue | undefined): value is JsonObject =>
  isObject(value) && COUNTS.some((key) => countOf(value[key]) !== undefined);

/** The same object, with counts as far as they can be. */
function withCounts(json: JsonObject): JsonObject {
  const counted = { ...json };
  for (const key of Object.keys(json)) {
    const count = countOf(json[key]);
    if (count !== undefined) counted[key] = count;
  }
  return counted;
}

/** A count of tokens: some servers write it as text, or with a fraction. */
function countOf(value: JsonValue | undefined): number | undefined {
  const count = typeof value === "string" && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof count === "number" ? Math.min(Math.max(0, Math.round(count)), MAX_COUNT) : undefined;
}
