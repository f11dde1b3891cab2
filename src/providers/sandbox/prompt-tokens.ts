import type { Message } from "../../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { FunctionDefinition, Tool } from "../../gen/parley/chat/v1/tool_pb.ts";
import { textOf } from "./conversation.ts";
import { countTokens } from "./tokens/tokens.ts";

/** Tokens that frame each message, and those that begin the answer (OpenAI's own account of its chat format). */
const PER_MESSAGE = 3;
const BEFORE_ANSWER = 3;

/** Tokens that a role or a short fixed word takes. */
const PER_WORD = 1;

/** Counts the tokens of everything that the model reads. */
export function countPromptTokens({ messages, tools, functions }: ChatCompletionParams): number {
  const texts = messages.reduce((sum, message) => sum + messageTokens(message), BEFORE_ANSWER);
  const tokens = [...functions.map(functionTokens), ...tools.map(toolTokens)];
  return tokens.reduce((sum, count) => sum + count, texts);
}

function messageTokens(message: Message): number {
  const calls = message.toolCalls.reduce((sum, { kind }) => {
    if (kind.case === undefined) return sum;
    const input = kind.case === "function" ? kind.value.arguments : kind.value.input;
    return sum + PER_MESSAGE + countTokens(kind.value.name) + countTokens(input);
  }, 0);
  const legacy = message.functionCall;
  const legacyTokens = legacy === undefined ? 0 : countTokens(legacy.name) + countTokens(legacy.arguments);
  return PER_MESSAGE + PER_WORD + countTokens(textOf(message)) + calls + legacyTokens;
}

function toolTokens({ kind }: Tool): number {
  switch (kind.case) {
    case "function":
      return functionTokens(kind.value);
    case "custom":
      return PER_MESSAGE + countTokens(kind.value.name) + countTokens(kind.value.description ?? "");
    case undefined:
      return 0;
  }
}

function functionTokens({ name, description, schema }: FunctionDefinition): number {
  const json = schema.case === "parametersJson" ? schema.value : JSON.stringify(schema.value ?? {});
  return PER_MESSAGE + countTokens(name) + countTokens(description ?? "") + countTokens(json);
}
