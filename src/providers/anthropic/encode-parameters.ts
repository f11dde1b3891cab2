import { createHash } from "node:crypto";
import { ServiceTier } from "../../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { AnthropicModelRule_Sampling } from "../../gen/parley/config/v1/anthropic_pb.ts";
import { clamped, dropped } from "../adjustment.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Notes } from "./encode-parts.ts";
import type { MessagesRequest } from "./wire.ts";

/** Most tokens of the answer, and the parameter that says so. */
export interface Limit {
  readonly tokens: number;
  readonly path: string;
}

/** How long the answer may be. Anthropic must be told; unset, it is as long as the model can. */
export function readLimit(
  { maxCompletionTokens, maxTokens }: ChatCompletionParams,
  { maxOutputTokens }: Capabilities,
  adjustments: Adjustment[],
): Limit {
  const path = maxCompletionTokens === undefined ? "max_tokens" : "max_completion_tokens";
  const asked = maxCompletionTokens ?? maxTokens ?? maxOutputTokens;
  if (maxCompletionTokens !== undefined && maxTokens !== undefined && maxTokens !== maxCompletionTokens)
    adjustments.push(dropped("max_tokens", "max_completion_tokens is set, too, and wins", maxTokens));
  if (asked <= maxOutputTokens) return { tokens: asked, path };
  adjustments.push(
    clamped(path, `this model's answers have at most ${maxOutputTokens} tokens`, asked, maxOutputTokens),
  );
  return { tokens: maxOutputTokens, path };
}

/** Least top_p that a thinking model takes. */
const LEAST_TOP_P_THINKING = 0.95;

/** The sampling parameters that a model takes. `isThinking`: whether it will think, which leaves it less freedom. */
export function encodeSampling(
  { temperature, topP, topK }: ChatCompletionParams,
  { sampling }: Capabilities,
  isThinking: boolean,
  adjustments: Adjustment[],
): Pick<MessagesRequest, "temperature" | "top_p" | "top_k"> {
  const drop = (path: string, why: string, value: number): void => void adjustments.push(dropped(path, why, value));
  const none = "this model takes no sampling parameters";
  const takesNone = sampling === AnthropicModelRule_Sampling.NONE;
  const takesOne = sampling === AnthropicModelRule_Sampling.ONE;
  /** A temperature of 1 is so anyway, and need not take the place of a top_p that says something. */
  const isPlain = temperature === 1 && takesOne && topP !== undefined && topP !== 1;
  const encoded: Pick<MessagesRequest, "temperature" | "top_p" | "top_k"> = {};
  if (temperature !== undefined && temperature !== 1 && (takesNone || isThinking))
    drop("temperature", takesNone ? none : "a model that thinks takes no temperature but 1", temperature);
  else if (temperature !== undefined && !takesNone && !isPlain) {
    encoded.temperature = Math.min(temperature, 1);
    if (temperature > 1) adjustments.push(clamped("temperature", "Anthropic takes 0 to 1", temperature, 1));
  }
  if (topP !== undefined) {
    const isOneOfTwo = takesOne && encoded.temperature !== undefined;
    if (takesNone || isOneOfTwo) {
      // All of the mass is what is drawn from anyway.
      if (topP !== 1)
        drop("top_p", takesNone ? none : "this model takes temperature or top_p, and temperature is set", topP);
    } else if (isThinking && topP < LEAST_TOP_P_THINKING)
      drop("top_p", `a model that thinks takes no top_p below ${LEAST_TOP_P_THINKING}`, topP);
    else encoded.top_p = topP;
  }
  if (topK === undefined) return encoded;
  if (takesNone || isThinking) drop("top_k", takesNone ? none : "a model that thinks takes no top_k", topK);
  else encoded.top_k = topK;
  return encoded;
}

/** Sequences that end the answer; Anthropic refuses those of white space alone. */
export function encodeStop(
  { stop }: ChatCompletionParams,
  adjustments: Adjustment[],
): Pick<MessagesRequest, "stop_sequences"> {
  const sequences = stop.filter((sequence, index) => {
    if (sequence.trim() !== "") return true;
    adjustments.push(dropped(`stop[${index}]`, "Anthropic refuses stop sequences of white space alone", sequence));
    return false;
  });
  return sequences.length === 0 ? {} : { stop_sequences: sequences };
}

/** The end user, never by name. */
export function encodeUser(
  { safetyIdentifier, user }: ChatCompletionParams,
  adjustments: Adjustment[],
): Pick<MessagesRequest, "metadata"> {
  if (safetyIdentifier) {
    if (user) adjustments.push(dropped("user", "safety_identifier is set, too, and wins"));
    return { metadata: { user_id: safetyIdentifier } };
  }
  return user ? { metadata: { user_id: createHash("sha256").update(user).digest("hex") } } : {};
}

/** Feature that some models want named where a call is to be fast. */
const FAST_BETA = "fast-mode-2026-02-01";

/** Which capacity serves the call. */
export function encodeTier(
  { serviceTier }: ChatCompletionParams,
  { adjustments, beta }: Notes,
): Pick<MessagesRequest, "service_tier" | "speed"> {
  switch (serviceTier) {
    case ServiceTier.UNSPECIFIED:
      return {};
    case ServiceTier.AUTO:
      return { service_tier: "auto" };
    case ServiceTier.DEFAULT:
      return { service_tier: "standard_only" };
    case ServiceTier.FAST:
      beta.add(FAST_BETA);
      return { speed: "fast" };
    case ServiceTier.FLEX:
    case ServiceTier.SCALE:
    case ServiceTier.PRIORITY: {
      const word = ServiceTier[serviceTier].toLowerCase();
      adjustments.push(dropped("service_tier", "Anthropic has no such tier that a call could choose", word));
      return {};
    }
    default:
      return serviceTier satisfies never;
  }
}
