import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ServiceTier } from "../../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { dropped, droppedKeys, mapped } from "../adjustment.ts";
import { applyTable, isGiven, unsupported, unsupportedValue, wireName } from "../parameter-table.ts";
import type { ProviderCall } from "../provider.ts";
import { type Family, reportUnsaid } from "../unsaid.ts";
import { stringifyWellFormed } from "../well-formed-json.ts";
import type { Capabilities } from "./capabilities.ts";
import { encodeContents } from "./encode-contents.ts";
import { encodeFormat } from "./encode-format.ts";
import { PartEncoder } from "./encode-parts.ts";
import { encodeReasoning } from "./encode-reasoning.ts";
import { assembleTools, encodeTools } from "./encode-tools.ts";
import { PARAMETERS } from "./parameters.ts";
import type { ToolNames } from "./tool-names.ts";
import type { GenerateContentRequest, GenerationConfig } from "./wire.ts";

/** A request as Gemini has it, and what has to be known to read its answer. */
export interface EncodedRequest {
  readonly body: string;
  readonly adjustments: readonly Adjustment[];
  readonly names: ToolNames;
  /** Name of the function whose arguments are the answer; undefined: there is none. */
  readonly answerFunction: string | undefined;
}

const GEMINI: Family = { name: "Gemini", ownContent: "google", takesImages: true };

/** Says a request in Gemini's terms. `base`: address of the API with its version. */
export function encodeRequest(
  { params, media }: ProviderCall,
  capabilities: Capabilities,
  base: string,
): EncodedRequest {
  const adjustments = applyTable(params, PARAMETERS);
  adjustments.push(...reportUnsaid(params.messages, params.tools, GEMINI));
  const tools = encodeTools(params);
  adjustments.push(...tools.adjustments);
  const format = encodeFormat(params, tools, capabilities, adjustments);
  const reasoning = encodeReasoning(params, capabilities);
  adjustments.push(...reasoning.adjustments);
  const encoder = new PartEncoder(base, capabilities, media, adjustments);
  const { instructions, contents } = encodeContents(params, capabilities, encoder, tools.names, adjustments);
  const resolution = encoder.resolution();
  const config: GenerationConfig = {
    ...samplingConfig(params, capabilities, adjustments),
    ...format.config,
    ...(resolution === undefined ? {} : { mediaResolution: resolution }),
    ...(reasoning.config === undefined ? {} : { thinkingConfig: reasoning.config }),
  };
  const extensions = readExtensions(params, reasoning.keys, adjustments);
  const body: GenerateContentRequest = {
    ...(instructions.length === 0 ? {} : { systemInstruction: { parts: instructions } }),
    ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
    ...assembleTools(params, format.tools, capabilities, adjustments),
    ...extensions,
    ...serviceTier(params, adjustments),
    contents,
  };
  return {
    body: stringifyWellFormed(body),
    adjustments,
    names: tools.names,
    answerFunction: format.answerFunction,
  };
}

function samplingConfig(
  params: ChatCompletionParams,
  capabilities: Capabilities,
  adjustments: Adjustment[],
): GenerationConfig {
  const { maxCompletionTokens, maxTokens, temperature, topP, topK, stop, n, seed, topLogprobs } = params;
  const config: GenerationConfig = {};
  const most = maxCompletionTokens ?? maxTokens;
  if (most !== undefined) config.maxOutputTokens = most;
  if (maxCompletionTokens !== undefined && maxTokens !== undefined && maxTokens !== maxCompletionTokens)
    adjustments.push(dropped("max_tokens", "max_completion_tokens is given, and wins", maxTokens));
  if (temperature !== undefined) config.temperature = temperature;
  if (topP !== undefined) config.topP = topP;
  if (topK !== undefined) config.topK = topK;
  for (const name of ["frequencyPenalty", "presencePenalty"] as const) {
    const value = params[name];
    if (value === undefined) continue;
    if (capabilities.penalties) config[name] = value;
    else if (isGiven(params, name)) adjustments.push(dropped(wireName(name), "the model takes no penalties", value));
  }
  if (stop.length > 0) config.stopSequences = [...stop];
  if (n !== undefined && n > 1) {
    if (n > capabilities.maxCandidates)
      throw unsupportedValue("n", `the model gives at most ${capabilities.maxCandidates} answers to a call`);
    config.candidateCount = n;
  }
  if (seed !== undefined) config.seed = seedOf(seed, adjustments);
  if (params.logprobs === true) {
    if (!capabilities.logprobs) throw unsupported("logprobs", "the model gives no log probabilities");
    config.responseLogprobs = true;
    if (topLogprobs !== undefined && topLogprobs > 0) config.logprobs = topLogprobs;
  }
  return config;
}

const SEEDS = 2n ** 31n;

/** Gemini's seeds are of 31 bits. */
function seedOf(seed: bigint, adjustments: Adjustment[]): number {
  const taken = ((seed % SEEDS) + SEEDS) % SEEDS;
  if (taken !== seed) {
    const before = Number.isSafeInteger(Number(seed)) ? Number(seed) : String(seed);
    adjustments.push(mapped("seed", "Gemini takes seeds from 0 to 2^31 - 1", before, Number(taken)));
  }
  return Number(taken);
}

function serviceTier(
  { serviceTier: tier }: ChatCompletionParams,
  adjustments: Adjustment[],
): Pick<GenerateContentRequest, "serviceTier"> {
  switch (tier) {
    case ServiceTier.UNSPECIFIED:
    case ServiceTier.AUTO:
      return {};
    case ServiceTier.DEFAULT:
      return { serviceTier: "standard" };
    case ServiceTier.FLEX:
      return { serviceTier: "flex" };
    case ServiceTier.PRIORITY:
      return { serviceTier: "priority" };
    case ServiceTier.FAST:
      adjustments.push(mapped("service_tier", "Gemini's fast tier is called so", "fast", "priority"));
      return { serviceTier: "priority" };
    case ServiceTier.SCALE:
      adjustments.push(dropped("service_tier", "Gemini sells no capacity ahead by the call", "scale"));
      return {};
  }
  return tier satisfies never;
}

/** Reads `safety_settings` and `cached_content`, and reports every other parameter that Parley does not know. */
function readExtensions(
  { extra = {} }: ChatCompletionParams,
  understood: readonly string[],
  adjustments: Adjustment[],
): Pick<GenerateContentRequest, "safetySettings" | "cachedContent"> {
  const { safety_settings: safety, cached_content: cached } = extra;
  const known = [...understood, "safety_settings", "cached_content"];
  adjustments.push(...droppedKeys("", extra, "Gemini has no such parameter", known));
  return {
    ...(safety === undefined ? {} : { safetySettings: settingsOf(safety) }),
    ...(cached === undefined ? {} : { cachedContent: nameOf(cached) }),
  };
}

function settingsOf(value: JsonValue): JsonObject[] {
  if (Array.isArray(value) && value.every((each): each is JsonObject => isObject(each))) return value;
  throw unsupportedValue("safety_settings", "must be a list of objects with category and threshold");
}

function nameOf(value: JsonValue): string {
  if (typeof value === "string") return value;
  throw unsupportedValue("cached_content", "must be the name of a cached content");
}
