import type { Message } from "../../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { FunctionDefinition, Tool } from "../../gen/parley/chat/v1/tool_pb.ts";
import { textOf } from "./conversation.ts";
import { countTokens } from "./tokens/tokens.ts";

/** Tokens that frame a message, a call or a tool, and those that begin the answer (OpenAI's own account of its chat format). */
const PER_FRAME = 3;
const BEFORE_ANSWER = 3;

/** Tokens that a role or a short fixed word takes. */
const PER_WORD = 1;

/** Something that the model reads: its texts, and the tokens around them. */
interface Framed {
  readonly texts: readonly string[];
  readonly frame: number;
}

/** A prompt, before its tokens are counted. */
export interface Prompt {
  /** Characters of all its texts. */
  readonly characters: number;
  /** Its tokens. */
  count(): number;
}

/** Gathers everything that the model reads. */
export function readPrompt({ messages, tools, functions }: ChatCompletionParams): Prompt {
  const parts = [
    ...messages.flatMap(framesOfMessage),
    ...functions.map(frameOfFunction),
    ...tools.flatMap(frameOfTool),
  ];
  return {
    characters: parts.reduce((sum, { texts }) => sum + texts.reduce((all, text) => all + text.length, 0), 0),
    count: () =>
      parts.reduce(
        (sum, { frame, texts }) => texts.reduce((all, text) => all + countTokens(text), sum + frame),
        BEFORE_ANSWER,
      ),
  };
}

function framesOfMessage(message: Message): Framed[] {
  const { toolCalls, functionCall: legacy } = message;
  return [
    { texts: [textOf(message)], frame: PER_FRAME + PER_WORD },
    ...toolCalls.flatMap(({ kind }) => {
      if (kind.case === undefined) return [];
      const input = kind.case === "function" ? kind.value.arguments : kind.value.input;
      return [{ texts: [kind.value.name, input], frame: PER_FRAME }];
    }),
    ...(legacy === undefined ? [] : [{ texts: [legacy.name, legacy.arguments], frame: 0 }]),
  ];
}

function frameOfTool({ kind }: Tool): Framed[] {
  switch (kind.case) {
    case "function":
      return [frameOfFunction(kind.value)];
    case "custom":
      return [{ texts: [kind.value.name, kind.value.description ?? ""], frame: PER_FRAME }];
    case undefined:
      return [];
  }
}

function frameOfFunction({ name, description, schema }: FunctionDefinition): Framed {
  const json = schema.case === "parametersJson" ? schema.value : JSON.stringify(schema.value ?? {});
  return { texts: [name, description ?? "", json], frame: PER_FRAME };
}
