import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import {
  CustomToolCallDeltaSchema,
  type FunctionCallDelta,
  FunctionCallDeltaSchema,
  ToolCallDelta_Type,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { isDeeperThan } from "../../lib/json-depth.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { parseLossless } from "../../openai-json/lossless-json.ts";
import { severalCalls } from "../legacy-form.ts";
import { isPortableId } from "../tool-ids.ts";
import { invalidResponse } from "../upstream-error.ts";
import { stringifyWellFormed } from "../well-formed-json.ts";
import { WholeCharacters } from "../whole-characters.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import { annotationsOf } from "./citations.ts";
import { CustomInputReader } from "./custom-input.ts";
import { MAX_ANSWER_DEPTH, type Reading, redactedDetail, thoughtDetail } from "./decode-response.ts";

/** A block of a streamed answer that is open. */
export interface StreamedBlock {
  /** Takes what is new in it. */
  push(delta: JsonObject): void;
  /** Takes its end. */
  finish(): void;
}

/** Opens a block. `data`: of the event that began it. */
export function createBlock(block: JsonObject, data: string, writer: AnswerWriter, reading: Reading): StreamedBlock {
  const { type } = block;
  const isAnswer = type === "tool_use" && block["name"] === reading.plan.answerTool;
  writer.open(type === "text" || isAnswer);
  switch (type) {
    case "text":
      return new TextBlock(block, writer);
    case "thinking":
      return new ThinkingBlock(block, writer);
    case "redacted_thinking":
      writer.detail((index) => redactedDetail(textOf(block["data"]).toWellFormed(), index));
      return IGNORED;
    case "tool_use":
      return new CallBlock(createCall(block, writer, reading), startInput(block, data, reading));
    default:
      // What Anthropic's own tools do, and blocks of a newer version.
      return IGNORED;
  }
}

const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

const IGNORED: StreamedBlock = { push: () => undefined, finish: () => undefined };

class TextBlock implements StreamedBlock {
  readonly #writer: AnswerWriter;
  readonly #text = new WholeCharacters();
  readonly #start: number;
  readonly #citations: JsonValue[];

  constructor({ text, citations }: JsonObject, writer: AnswerWriter) {
    this.#writer = writer;
    this.#start = writer.characters;
    this.#citations = Array.isArray(citations) ? [...citations] : [];
    writer.content(this.#text.push(textOf(text)));
  }

  push(delta: JsonObject): void {
    if (delta["type"] === "text_delta") this.#writer.content(this.#text.push(textOf(delta["text"])));
    else if (delta["type"] === "citations_delta" && delta["citation"] !== undefined)
      this.#citations.push(delta["citation"]);
  }

  finish(): void {
    this.#writer.content(this.#text.finish());
    // They come before the text that they stand for.
    this.#writer.citations(annotationsOf(this.#citations, this.#start, this.#writer.characters));
  }
}

class ThinkingBlock implements StreamedBlock {
  readonly #writer: AnswerWriter;
  readonly #piece = new WholeCharacters();
  #text = "";
  #signature: string;

  constructor({ thinking, signature }: JsonObject, writer: AnswerWriter) {
    this.#writer = writer;
    this.#signature = textOf(signature);
    this.#say(this.#piece.push(textOf(thinking)));
  }

  push(delta: JsonObject): void {
    if (delta["type"] === "thinking_delta") this.#say(this.#piece.push(textOf(delta["thinking"])));
    else if (delta["type"] === "signature_delta") this.#signature += textOf(delta["signature"]);
  }

  finish(): void {
    this.#say(this.#piece.finish());
    // Once and whole, as it must come back: pieces would be replaced by clients that do not know how to join them.
    this.#writer.detail((index) => thoughtDetail(this.#text, this.#signature.toWellFormed(), index));
  }

  #say(text: string): void {
    this.#text += text;
    this.#writer.reasoning(text);
  }
}

/** Where the arguments of a call go. */
interface CallTarget {
  write(json: string): void;
  /** Takes the end of the arguments, and what they are where none were written. */
  finish(): void;
}

class CallBlock implements StreamedBlock {
  readonly #target: CallTarget;
  readonly #json = new WholeCharacters();
  readonly #unsaid: string;
  #hasArguments = false;

  /** `unsaid`: the arguments where no delta has any. */
  constructor(target: CallTarget, unsaid: string) {
    this.#target = target;
    this.#unsaid = unsaid;
  }

  push(delta: JsonObject): void {
    if (delta["type"] !== "input_json_delta") return;
    const piece = textOf(delta["partial_json"]);
    if (piece === "") return;
    this.#hasArguments = true;
    const text = this.#json.push(piece);
    if (text !== "") this.#target.write(text);
  }

  finish(): void {
    const rest = this.#hasArguments ? this.#json.finish() : this.#unsaid;
    if (rest !== "") this.#target.write(rest);
    this.#target.finish();
  }
}

/** The arguments that a block begins with; most begin with none. */
function startInput({ input }: JsonObject, data: string, { provider }: Reading): string {
  if (!isObject(input) || Object.keys(input).length === 0) return "{}";
  if (isDeeperThan(data, MAX_ANSWER_DEPTH))
    throw invalidResponse(provider, `an event that is nested deeper than ${MAX_ANSWER_DEPTH} levels`);
  const event = parseLossless(data) as { content_block: { input: JsonValue } };
  return stringifyWellFormed(event.content_block.input);
}

function createCall({ id, name }: JsonObject, writer: AnswerWriter, { plan, provider, chance }: Reading): CallTarget {
  if (typeof name !== "string" || name === "") throw invalidResponse(provider, "a call of a tool without a name");
  const finish = (): void => undefined;
  if (name === plan.answerTool) return { write: (json) => writer.content(json), finish };
  const index = writer.calls++;
  if (plan.isLegacy) {
    if (index > 0) throw severalCalls(provider);
    writer.legacyCall({ name, arguments: "" });
    return { write: (json) => writer.legacyCall({ arguments: json }), finish };
  }
  const callId = typeof id === "string" && isPortableId(id) ? id : chance.newCallId();
  if (plan.customTools.has(name)) return createCustomCall(index, callId, name, writer);
  writer.call({
    index,
    id: callId,
    type: ToolCallDelta_Type.FUNCTION,
    function: create(FunctionCallDeltaSchema, { name, arguments: "" }),
  });
  return { write: (json) => writer.call({ index, function: argumentsOf(json) }), finish };
}

const argumentsOf = (json: string): FunctionCallDelta => ({
  $typeName: "parley.chat.v1.FunctionCallDelta",
  arguments: json,
});

function createCustomCall(index: number, id: string, name: string, writer: AnswerWriter): CallTarget {
  const reader = new CustomInputReader();
  const text = new WholeCharacters();
  const write = (input: string): void => {
    if (input !== "") writer.call({ index, custom: create(CustomToolCallDeltaSchema, { input }) });
  };
  writer.call({
    index,
    id,
    type: ToolCallDelta_Type.CUSTOM,
    custom: create(CustomToolCallDeltaSchema, { name, input: "" }),
  });
  return {
    write: (json) => write(text.push(reader.push(json))),
    finish: () => write(text.push(reader.finish()) + text.finish()),
  };
}
