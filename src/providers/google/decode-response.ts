import { create } from "@bufbuild/protobuf";
import {
  type ChatCompletion,
  ChatCompletionSchema,
  type Choice,
  ChoiceSchema,
  type Delta,
  FinishReason,
  LogprobsSchema,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { ContentPartSchema, type Message, MessageSchema, Role } from "../../gen/parley/chat/v1/message_pb.ts";
import { type ToolCall, ToolCallSchema } from "../../gen/parley/chat/v1/tool_pb.ts";
import { invalidResponse } from "../upstream-error.ts";
import type { AnswerContext } from "./answer-context.ts";
import { CandidateReader, indexOf, type Piece } from "./candidate.ts";
import { objectIn, objectsIn, textIn } from "./json-fields.ts";
import { type Block, blockOf, readAnswer } from "./read-answer.ts";
import { serviceTierOf, usageOf } from "./usage.ts";

/** Makes the answer of a body. Throws the error that it is, and UPSTREAM_INVALID_RESPONSE where it is no whole answer. */
export function decodeResponse(body: string, context: AnswerContext): ChatCompletion {
  const answer = readAnswer(body, context.provider, "body");
  const candidates = objectsIn(answer, "candidates");
  const block = blockOf(answer);
  if (candidates.length === 0 && block === undefined) throw invalidResponse(context.provider, "no candidates");
  const choices = candidates.map((candidate, place) => {
    const reader = new CandidateReader(context);
    const pieces = reader.push(candidate);
    if (!reader.hasEnded && block === undefined)
      throw invalidResponse(context.provider, "a candidate that has not ended");
    return choiceOf(indexOf(candidates, place), pieces, reader, block);
  });
  if (block !== undefined && candidates.length === 0)
    for (let index = 0; index < context.choices; index++) choices.push(blockedChoice(index, block));
  const usage = objectIn(answer, "usageMetadata");
  return create(ChatCompletionSchema, {
    id: textIn(answer, "responseId") ?? "",
    model: textIn(answer, "modelVersion") ?? "",
    choices: choices.sort((a, b) => a.index - b.index),
    ...(usage === undefined ? {} : { usage: usageOf(usage), serviceTier: serviceTierOf(usage) }),
  });
}

function choiceOf(index: number, begun: readonly Piece[], reader: CandidateReader, block: Block | undefined): Choice {
  const { pieces, finishReason, native } = reader.end(block);
  const message = create(MessageSchema, { role: Role.ASSISTANT });
  const choice = create(ChoiceSchema, { index, message, finishReason });
  if (native !== undefined) choice.nativeFinishReason = native;
  let content: string | undefined;
  for (const { delta, logprobs } of [...begun, ...pieces]) {
    if (delta.content !== undefined) content = (content ?? "") + delta.content;
    addDelta(message, delta);
    if (logprobs === undefined) continue;
    choice.logprobs ??= create(LogprobsSchema);
    choice.logprobs.content.push(...logprobs.content);
  }
  if (content !== undefined) message.content = [create(ContentPartSchema, { kind: { case: "text", value: content } })];
  return choice;
}

function addDelta(message: Message, delta: Delta): void {
  const { reasoningContent, refusal, functionCall } = delta;
  if (reasoningContent !== undefined) message.reasoningContent = (message.reasoningContent ?? "") + reasoningContent;
  if (refusal !== undefined) message.refusal = refusal;
  if (functionCall !== undefined) {
    const { name = "", arguments: input = "" } = functionCall;
    message.functionCall = { $typeName: "parley.chat.v1.FunctionCall", name, arguments: input };
  }
  message.toolCalls.push(...delta.toolCalls.map(toolCallOf));
  message.reasoningDetails.push(...delta.reasoningDetails);
  message.images.push(...delta.images);
  // Places among annotations are for streams.
  message.annotations.push(...delta.annotations.map(({ index: _index, ...annotation }) => annotation));
}

function toolCallOf({ id = "", function: called, custom, extraContent }: Delta["toolCalls"][number]): ToolCall {
  return create(ToolCallSchema, {
    id,
    kind:
      custom === undefined
        ? { case: "function", value: { name: called?.name ?? "", arguments: called?.arguments ?? "" } }
        : { case: "custom", value: { name: custom.name ?? "", input: custom.input ?? "" } },
    ...(extraContent === undefined ? {} : { extraContent }),
  });
}

/** What there is for each answer when the prompt was blocked. */
function blockedChoice(index: number, { reason, message }: Block): Choice {
  return create(ChoiceSchema, {
    index,
    message: { role: Role.ASSISTANT, refusal: message },
    finishReason: FinishReason.CONTENT_FILTER,
    nativeFinishReason: reason,
  });
}
