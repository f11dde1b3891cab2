import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { ServiceTier, type Usage, UsageSchema } from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";

/**
 * Counts what Anthropic says of tokens. Its numbers are totals so far, and later ones replace earlier ones, in either direction; what
 * they do not name stays.
 */
export class UsageCount {
  #fields: JsonObject = {};

  /** Takes a usage object; null, and fields that are null, say nothing. */
  merge(usage: JsonValue | undefined): void {
    if (!isObject(usage)) return;
    for (const [name, value] of Object.entries(usage)) if (value !== null) this.#fields[name] = value;
  }

  /** Which capacity served the call. */
  get serviceTier(): ServiceTier {
    switch (this.#fields["service_tier"]) {
      case "standard":
        return ServiceTier.DEFAULT;
      case "priority":
        return ServiceTier.PRIORITY;
      default:
        return ServiceTier.UNSPECIFIED;
    }
  }

  /** The usage in OpenAI's terms: there, what was cached is part of the prompt. Undefined where nothing was said. */
  total(): Usage | undefined {
    const fields = this.#fields;
    if (fields["input_tokens"] === undefined && fields["output_tokens"] === undefined) return undefined;
    const input = sum(fields, "input_tokens");
    const written = sum(fields, "cache_creation_input_tokens");
    const cached = sum(fields, "cache_read_input_tokens");
    const output = sum(fields, "output_tokens");
    const details = fields["output_tokens_details"];
    const reasoning = isObject(details) ? countOf(details["thinking_tokens"]) : 0;
    const prompt = bounded(input + written + cached);
    return create(UsageSchema, {
      promptTokens: prompt,
      completionTokens: output,
      totalTokens: bounded(prompt + output),
      promptTokensDetails: { cachedTokens: cached, cacheWriteTokens: written, audioTokens: 0 },
      completionTokensDetails: {
        reasoningTokens: reasoning,
        audioTokens: 0,
        acceptedPredictionTokens: 0,
        rejectedPredictionTokens: 0,
      },
      cacheCreationInputTokens: written,
      cacheReadInputTokens: cached,
    });
  }
}

/** A count; where the call took several passes, of which the fields name the last only, that of all of them. */
function sum({ iterations, ...fields }: JsonObject, name: string): number {
  const passes = Array.isArray(iterations) ? iterations.filter(isObject) : [];
  if (passes.length === 0) return countOf(fields[name]);
  return bounded(passes.reduce((total, pass) => total + countOf(pass[name]), 0));
}

const MAX_COUNT = 2 ** 31 - 1;
const bounded = (count: number): number => Math.min(count, MAX_COUNT);
const countOf = (value: JsonValue | undefined): number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 ? bounded(value) : 0;
