import type { Message as ChatMessage } from "../gen/parley/chat/v1/message_pb.ts";
import { type ChatCompletionParams, OutputModality, ReasoningEffort } from "../gen/parley/chat/v1/params_pb.ts";
import { Need, type Needs } from "./abilities.ts";

/** What a call demands of whoever answers it. */
export interface Demand {
  readonly needs: Needs;
  /** How many answers (`n`). */
  readonly choices: number;
  /** Tokens of the messages, by the length of their texts: rather too few than too many. */
  readonly promptTokens: number;
  /** Most tokens of the answer; undefined where the call does not limit it. */
  readonly maxTokens: number | undefined;
}

/** Characters that one token stands for, in English. */
const CHARACTERS_A_TOKEN = 4;
/** Tokens that each message has besides its text. */
const TOKENS_A_MESSAGE = 4;
/** Tokens that a small image has. */
const TOKENS_A_MEDIUM = 85;

/** Reads off a call's parameters what it demands. It counts lengths, and looks at no text. */
export function demandOf(params: ChatCompletionParams): Demand {
  const { tools, functions, responseFormat, reasoningEffort, modalities, messages, n, maxTokens } = params;
  let needs: Needs = 0;
  if (tools.length > 0 || functions.length > 0) needs |= Need.TOOLS;
  if (params.parallelToolCalls === false) needs |= Need.ONE_TOOL_AT_A_TIME;
  if (responseFormat?.format.case === "jsonSchema") needs |= Need.STRUCTURED_OUTPUT;
  if (reasoningEffort > ReasoningEffort.NONE) needs |= Need.REASONING;
  if (params.logprobs === true) needs |= Need.LOGPROBS;
  if (modalities.includes(OutputModality.AUDIO)) needs |= Need.SPEECH;
  const weight = weigh(messages);
  return {
    needs: needs | weight.needs,
    choices: n ?? 1,
    promptTokens: weight.tokens,
    maxTokens: params.maxCompletionTokens ?? maxTokens,
  };
}

/** What messages demand of whoever reads them, and their tokens by the length of their texts. */
export function weigh(messages: readonly ChatMessage[]): { readonly needs: Needs; readonly tokens: number } {
  let needs: Needs = 0;
  let tokens = 0;
  let characters = 0;
  for (const message of messages) {
    tokens += TOKENS_A_MESSAGE;
    for (const { kind } of message.content) {
      if (kind.case === "text") characters += kind.value.length;
      else {
        const need = needOfPart(kind.case);
        needs |= need;
        if (need !== 0) tokens += TOKENS_A_MEDIUM;
      }
    }
    for (const { kind } of message.toolCalls) {
      if (kind.case === "function") characters += kind.value.arguments.length;
      else if (kind.case === "custom") characters += kind.value.input.length;
    }
  }
  return { needs, tokens: tokens + Math.ceil(characters / CHARACTERS_A_TOKEN) };
}

type PartKind = ChatMessage["content"][number]["kind"]["case"];

function needOfPart(kind: PartKind): Needs {
  switch (kind) {
    case "imageUrl":
      return Need.IMAGES;
    case "inputAudio":
      return Need.AUDIO;
    case "videoUrl":
      return Need.VIDEO;
    case "file":
      return Need.FILES;
    default:
      return 0;
  }
}

/** JSON path of the parameter that has a need: "tools", "messages[0].content[1]". The first one, where there are several. */
export function pathOfNeed(need: Needs, params: ChatCompletionParams): string {
  switch (need) {
    case Need.TOOLS:
      return params.tools.length > 0 ? "tools" : "functions";
    case Need.ONE_TOOL_AT_A_TIME:
      return "parallel_tool_calls";
    case Need.STRUCTURED_OUTPUT:
      return "response_format";
    case Need.REASONING:
      return "reasoning_effort";
    case Need.LOGPROBS:
      return "logprobs";
    case Need.SPEECH:
      return "modalities";
    default:
      return pathOfPart(need, params.messages);
  }
}

function pathOfPart(need: Needs, messages: readonly ChatMessage[]): string {
  for (const [at, { content }] of messages.entries()) {
    const part = content.findIndex(({ kind }) => needOfPart(kind.case) === need);
    if (part >= 0) return `messages[${at}].content[${part}]`;
  }
  return "messages";
}
