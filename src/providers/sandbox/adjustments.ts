import { GatewayError } from "../../errors/gateway-error.ts";
import { ServiceTier } from "../../gen/parley/chat/v1/completion_pb.ts";
import type { Message } from "../../gen/parley/chat/v1/message_pb.ts";
import { type ChatCompletionParams, OutputModality } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import type { Tool } from "../../gen/parley/chat/v1/tool_pb.ts";
import { Grammar_Syntax } from "../../gen/parley/chat/v1/tool_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { clamped, dropped, mapped } from "../adjustment.ts";
import { MAX_OUTPUT_TOKENS } from "./models.ts";

type Name = keyof ChatCompletionParams & string;

/** Parameters that change nothing here, with the reason; what is empty or unset is not reported. */
const WITHOUT_EFFECT: readonly (readonly [Name, string, string])[] = [
  ["topK", "top_k", "the sandbox draws by temperature and top_p only"],
  ["frequencyPenalty", "frequency_penalty", "the sandbox has no penalties"],
  ["presencePenalty", "presence_penalty", "the sandbox has no penalties"],
  ["logitBias", "logit_bias", "the sandbox has no logits"],
  ["verbosity", "verbosity", "the sandbox has one length of answers"],
  ["audio", "audio", "the sandbox does not speak"],
  ["prediction", "prediction", "the sandbox needs no prediction to be fast"],
  ["webSearchOptions", "web_search_options", "the sandbox does not reach the web"],
  ["store", "store", "the sandbox keeps nothing"],
  ["metadata", "metadata", "the sandbox keeps nothing"],
  ["safetyIdentifier", "safety_identifier", "the sandbox does not watch for abuse"],
  ["user", "user", "the sandbox does not watch for abuse"],
  ["promptCacheKey", "prompt_cache_key", "the sandbox has no cache"],
  ["promptCacheOptions", "prompt_cache_options", "the sandbox has no cache"],
  ["promptCacheRetention", "prompt_cache_retention", "the sandbox has no cache"],
];

/**
 * Says which parameters the sandbox cannot take as they are. Refuses those whose absence would change what is asked for: audio
 * output, screening, and grammars that it cannot follow.
 */
export function adjustmentsOf(params: ChatCompletionParams): Adjustment[] {
  refuse(params);
  return [
    ...WITHOUT_EFFECT.filter(([name]) => isGiven(params[name]) && !(name === "store" && params.store === false)).map(
      ([name, path, reason]) => dropped(path, reason, shownValue(params[name])),
    ),
    ...adjustLimits(params),
    ...adjustServiceTier(params),
    ...Object.keys(params.extra ?? {})
      .filter((key) => key !== "sandbox")
      .map((key) => dropped(key, "the sandbox does not know this parameter")),
    ...params.messages.flatMap(adjustMessage),
    ...params.tools.flatMap((tool, index) => unknownKeys(`tools[${index}]`, tool.extra)),
  ];
}

function refuse({ modalities, moderation, tools }: ChatCompletionParams): void {
  if (modalities.includes(OutputModality.AUDIO)) throw unsupported("modalities", "the sandbox does not speak");
  if (moderation !== undefined) throw unsupported("moderation", "the sandbox does not screen content");
  const lark = tools.findIndex((tool) => grammarOf(tool)?.syntax === Grammar_Syntax.LARK);
  if (lark >= 0) {
    throw unsupported(
      `tools[${lark}].custom.format.grammar.syntax`,
      "the sandbox follows grammars of syntax regex only",
    );
  }
}

function grammarOf({ kind }: Tool) {
  const format = kind.case === "custom" ? kind.value.format?.kind : undefined;
  return format?.case === "grammar" ? format.value : undefined;
}

function adjustLimits({ maxTokens, maxCompletionTokens }: ChatCompletionParams): Adjustment[] {
  const [path, limit] =
    maxCompletionTokens === undefined ? ["max_tokens", maxTokens] : ["max_completion_tokens", maxCompletionTokens];
  const isDoubled = maxTokens !== undefined && maxCompletionTokens !== undefined && maxTokens !== maxCompletionTokens;
  return [
    ...(isDoubled ? [dropped("max_tokens", "max_completion_tokens is set, too, and wins", maxTokens)] : []),
    ...(limit === undefined || limit <= MAX_OUTPUT_TOKENS
      ? []
      : [clamped(path as string, `answers have at most ${MAX_OUTPUT_TOKENS} tokens`, limit, MAX_OUTPUT_TOKENS)]),
  ];
}

function adjustServiceTier({ serviceTier }: ChatCompletionParams): Adjustment[] {
  const isSame = [ServiceTier.UNSPECIFIED, ServiceTier.AUTO, ServiceTier.DEFAULT].includes(serviceTier);
  const word = ServiceTier[serviceTier]?.toLowerCase() ?? "";
  return isSame ? [] : [mapped("service_tier", "the sandbox has one tier", word, "default")];
}

/** Names and marks of a message that the sandbox does not read. */
function adjustMessage({ name, content, toolCalls, reasoningDetails, extra }: Message, index: number): Adjustment[] {
  const path = `messages[${index}]`;
  return [
    ...(name === undefined ? [] : [dropped(`${path}.name`, "the sandbox does not tell participants apart")]),
    ...content.flatMap((part, at) => [
      ...(part.promptCacheBreakpoint === undefined
        ? []
        : [dropped(`${path}.content[${at}].prompt_cache_breakpoint`, "the sandbox has no cache")]),
      ...unknownKeys(`${path}.content[${at}]`, part.extra),
    ]),
    ...toolCalls.flatMap((call, at) => unknownKeys(`${path}.tool_calls[${at}]`, call.extra)),
    ...reasoningDetails.flatMap((detail, at) => unknownKeys(`${path}.reasoning_details[${at}]`, detail.extra)),
    ...unknownKeys(path, extra),
  ];
}

const unknownKeys = (path: string, extra: object | undefined): Adjustment[] =>
  Object.keys(extra ?? {}).map((key) => dropped(`${path}.${key}`, "the sandbox does not know this key"));

/** Whether a parameter says something: it is set, is no zero of an enum, and is no empty list or map. */
function isGiven(value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === "object" && value !== null && !("$typeName" in value)) return Object.keys(value).length > 0;
  return typeof value !== "number" || value !== 0;
}

/** The value for the report, where it is a number or a bool. */
const shownValue = (value: unknown): number | boolean | undefined =>
  typeof value === "number" || typeof value === "boolean" ? value : undefined;

const unsupported = (path: string, why: string): GatewayError =>
  new GatewayError(Reason.UNSUPPORTED_PARAMETER, `${path}: ${why}`, { param: path });
