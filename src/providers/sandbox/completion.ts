import { create } from "@bufbuild/protobuf";
import {
  type ChatCompletion,
  ChatCompletionSchema,
  type Choice,
  ChoiceSchema,
  ServiceTier,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import {
  type ContentPart,
  ContentPartSchema,
  type Message,
  MessageSchema,
  Role,
} from "../../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import { type ToolCall, ToolCallSchema } from "../../gen/parley/chat/v1/tool_pb.ts";
import type { Answer, AnswerCall } from "./answer.ts";
import { FINGERPRINT } from "./fingerprint.ts";
import { createLogprobs } from "./logprobs.ts";
import type { Piece } from "./tokens/tokens.ts";
import { usageOf } from "./usage.ts";

/** Makes a whole answer of its choices. */
export function createCompletion(
  params: ChatCompletionParams,
  answers: readonly Answer[],
  promptTokens: number,
): ChatCompletion {
  return create(ChatCompletionSchema, {
    choices: answers.map((answer, index) => createChoice(params, answer, index)),
    usage: usageOf(promptTokens, answers),
    serviceTier: ServiceTier.DEFAULT,
    systemFingerprint: FINGERPRINT,
  });
}

function createChoice({ logprobs, topLogprobs }: ChatCompletionParams, answer: Answer, index: number): Choice {
  return create(ChoiceSchema, {
    index,
    message: createMessage(answer),
    finishReason: answer.finishReason,
    // Where nothing is said, as in calls of tools, there is nothing to tell; a stream has no piece for it either.
    ...(logprobs === true && answer.content.length > 0
      ? { logprobs: createLogprobs(answer.content, topLogprobs ?? 0) }
      : {}),
  });
}

function createMessage({ reasoning, content, calls }: Answer): Message {
  const legacy = calls.find(({ kind }) => kind === "legacy");
  return create(MessageSchema, {
    role: Role.ASSISTANT,
    content: calls.length > 0 ? [] : [createText(textOfPieces(content))],
    toolCalls: legacy === undefined ? calls.map(createToolCall) : [],
    ...(legacy === undefined ? {} : { functionCall: { name: legacy.name, arguments: textOfPieces(legacy.input) } }),
    ...(reasoning.length === 0 ? {} : { reasoningContent: textOfPieces(reasoning) }),
  });
}

const textOfPieces = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join("");

const createText = (value: string): ContentPart => create(ContentPartSchema, { kind: { case: "text", value } });

function createToolCall({ kind, id, name, input }: AnswerCall): ToolCall {
  const text = textOfPieces(input);
  return create(ToolCallSchema, {
    id,
    kind:
      kind === "custom"
        ? { case: "custom", value: { name, input: text } }
        : { case: "function", value: { name, arguments: text } },
  });
}
