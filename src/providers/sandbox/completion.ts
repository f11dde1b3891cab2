import { create } from "@bufbuild/protobuf";
import { blankChatCompletion, blankChoice, blankContentPart, blankMessage } from "../../gen/parley/chat/v1/blanks.ts";
import { type ChatCompletion, type Choice, ServiceTier } from "../../gen/parley/chat/v1/completion_pb.ts";
import { type ContentPart, type Message, Role } from "../../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import { FunctionCallSchema, type ToolCall, ToolCallSchema } from "../../gen/parley/chat/v1/tool_pb.ts";
import type { Answer, AnswerCall } from "./answer.ts";
import { FINGERPRINT } from "./fingerprint.ts";
import { createLogprobs } from "./logprobs.ts";
import { usageOf } from "./usage.ts";

/** Makes a whole answer of its choices. */
export function createCompletion(
  params: ChatCompletionParams,
  answers: readonly Answer[],
  promptTokens: number,
): ChatCompletion {
  const completion = blankChatCompletion();
  completion.choices = answers.map((answer, index) => createChoice(params, answer, index));
  completion.usage = usageOf(promptTokens, answers);
  completion.serviceTier = ServiceTier.DEFAULT;
  completion.systemFingerprint = FINGERPRINT;
  return completion;
}

function createChoice({ logprobs, topLogprobs }: ChatCompletionParams, answer: Answer, index: number): Choice {
  const choice = blankChoice();
  choice.index = index;
  choice.message = createMessage(answer);
  choice.finishReason = answer.finishReason;
  // Where nothing is said, as in calls of tools, there is nothing to tell; a stream has no piece for it either.
  if (logprobs === true && answer.content.tokens > 0)
    choice.logprobs = createLogprobs(answer.content.pieces, topLogprobs ?? 0);
  return choice;
}

function createMessage({ reasoning, content, calls }: Answer): Message {
  const legacy = calls.find(({ kind }) => kind === "legacy");
  const message = blankMessage();
  message.role = Role.ASSISTANT;
  if (calls.length === 0) message.content.push(createText(content.text));
  else if (legacy === undefined) message.toolCalls = calls.map(createToolCall);
  else message.functionCall = create(FunctionCallSchema, { name: legacy.name, arguments: legacy.input.text });
  if (reasoning.tokens > 0) message.reasoningContent = reasoning.text;
  return message;
}

function createText(value: string): ContentPart {
  const part = blankContentPart();
  part.kind = { case: "text", value };
  return part;
}

function createToolCall({ kind, id, name, input }: AnswerCall): ToolCall {
  const { text } = input;
  return create(ToolCallSchema, {
    id,
    kind:
      kind === "custom"
        ? { case: "custom", value: { name, input: text } }
        : { case: "function", value: { name, arguments: text } },
  });
}
