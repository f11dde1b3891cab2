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

/** A prompt, before its tokens are counted. */
export interface Prompt {
  /** Characters of all its texts. */
  readonly characters: number;
  /** Its tokens. */
  count(): number;
}

/** Gathers everything that the model reads. */
export function readPrompt({ messages, tools, functions }: ChatCompletionParams): Prompt {
  const prompt = new GatheredPrompt();
  for (const message of messages) addMessage(prompt, message);
  for (const definition of functions) addFunction(prompt, definition);
  for (const tool of tools) addTool(prompt, tool);
  return prompt;
}

class GatheredPrompt implements Prompt {
  characters = 0;
  /** Tokens around the texts. */
  frames = BEFORE_ANSWER;
  readonly #texts: string[] = [];

  add(text: string): void {
    this.#texts.push(text);
    this.characters += text.length;
  }

  count(): number {
    let tokens = this.frames;
    for (const text of this.#texts) tokens += countTokens(text);
    return tokens;
  }
}

function addMessage(prompt: GatheredPrompt, message: Message): void {
  const { toolCalls, functionCall: legacy } = message;
  prompt.frames += PER_FRAME + PER_WORD;
  prompt.add(textOf(message));
  for (const { kind } of toolCalls) {
    if (kind.case === undefined) continue;
    prompt.frames += PER_FRAME;
    prompt.add(kind.value.name);
    prompt.add(kind.case === "function" ? kind.value.arguments : kind.value.input);
  }
  if (legacy === undefined) return;
  prompt.add(legacy.name);
  prompt.add(legacy.arguments);
}

function addTool(prompt: GatheredPrompt, { kind }: Tool): void {
  if (kind.case === "function") addFunction(prompt, kind.value);
  if (kind.case !== "custom") return;
  prompt.frames += PER_FRAME;
  prompt.add(kind.value.name);
  prompt.add(kind.value.description ?? "");
}

function addFunction(prompt: GatheredPrompt, { name, description, schema }: FunctionDefinition): void {
  prompt.frames += PER_FRAME;
  prompt.add(name);
  prompt.add(description ?? "");
  prompt.add(schema.case === "parametersJson" ? schema.value : JSON.stringify(schema.value ?? {}));
}
