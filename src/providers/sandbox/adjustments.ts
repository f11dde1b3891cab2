import { ServiceTier } from "../../gen/parley/chat/v1/completion_pb.ts";
import type { ContentPart, Message } from "../../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import type { Tool } from "../../gen/parley/chat/v1/tool_pb.ts";
import { Grammar_Syntax } from "../../gen/parley/chat/v1/tool_pb.ts";
import { clamped, dropped, droppedKeys, mapped } from "../adjustment.ts";
import { applyTable, unsupported } from "../parameter-table.ts";
import { mended } from "../turns.ts";
import { MAX_OUTPUT_TOKENS } from "./models.ts";
import { PARAMETERS } from "./parameters.ts";

/**
 * Says which parameters the sandbox cannot take as they are. Refuses those whose absence would change what is asked for: audio
 * output, screening, and grammars that it cannot follow.
 */
export function adjustmentsOf(params: ChatCompletionParams): Adjustment[] {
  refuseGrammars(params);
  return [
    ...applyTable(params, PARAMETERS),
    ...adjustLimits(params),
    ...adjustServiceTier(params),
    ...droppedKeys("", params.extra, "the sandbox does not know this parameter", ["sandbox"]),
    ...mended(params),
    ...params.messages.flatMap((message, index) => (hasMarks(message) ? adjustMessage(message, index) : [])),
    ...params.tools.flatMap((tool, index) => unknownKeys(`tools[${index}]`, tool.extra)),
  ];
}

function refuseGrammars({ tools }: ChatCompletionParams): void {
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

/** Whether a message has anything that `adjustMessage` would name; most have nothing. */
const hasMarks = ({ name, content, toolCalls, reasoningDetails, extra }: Message): boolean =>
  name !== undefined ||
  extra !== undefined ||
  content.some(isMarked) ||
  toolCalls.some(hasExtra) ||
  reasoningDetails.some(hasExtra);

const isMarked = ({ promptCacheBreakpoint, extra }: ContentPart): boolean =>
  promptCacheBreakpoint !== undefined || extra !== undefined;

const hasExtra = ({ extra }: { readonly extra?: object | undefined }): boolean => extra !== undefined;

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
  droppedKeys(path, extra, "the sandbox does not know this key");
