import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { ServiceTier, type Usage, UsageSchema } from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { tokenCount } from "../token-count.ts";

const COUNTS = ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];

/**
 * Counts what Anthropic says of tokens. Its numbers are totals so far, and later ones replace earlier ones, in either direction; what
 * they do not name stays.
 */
export class UsageCount {
  #fields: JsonObject = {};
  /** Whether the counts are newer than the passes, so that the passes which the counts include have grown since they were told. */
  #areCountsNewer = false;

  /** Takes a usage object; null, and fields that are null, say nothing. */
  merge(usage: JsonValue | undefined): void {
    if (!isObject(usage)) return;
    if (Array.isArray(usage["iterations"])) this.#areCountsNewer = false;
    else if (COUNTS.some((name) => typeof usage[name] === "number")) this.#areCountsNewer = true;
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
    const passes = this.#passes();
    const input = sum(passes, "input_tokens");
    const written = sum(passes, "cache_creation_input_tokens");
    const cached = sum(passes, "cache_read_input_tokens");
    const output = sum(passes, "output_tokens");
    const details = fields["output_tokens_details"];
    const reasoning = isObject(details) ? tokenCount(details["thinking_tokens"]) : 0;
    const prompt = tokenCount(input + written + cached);
    return create(UsageSchema, {
      promptTokens: prompt,
      completionTokens: output,
      totalTokens: tokenCount(prompt + output),
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

  /** All passes of the call: the fields themselves count those that made the answer, and not, say, that which made the prompt short. */
  #passes(): JsonObject[] {
    const { iterations, ...fields } = this.#fields;
    const passes = Array.isArray(iterations) ? iterations.filter(isObject) : [];
    if (passes.length > 0 && !this.#areCountsNewer) return passes;
    return [...passes.filter(({ type }) => type !== "message"), fields];
  }
}

const sum = (passes: readonly JsonObject[], name: string): number =>
  tokenCount(passes.reduce((total, pass) => total + tokenCount(pass[name]), 0));
