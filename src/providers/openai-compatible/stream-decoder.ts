import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors/gateway-error.ts";
import { blankChatCompletionChunk } from "../../gen/parley/chat/v1/blanks.ts";
import {
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  type ChunkChoice,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { type JsonPath, JsonTemplate } from "../json-template.ts";
import type { StreamDecoder, StreamEvent } from "../provider.ts";
import { interrupted, invalidResponse } from "../upstream-error.ts";
import { ChoiceDecoder, type DecodeContext, hasTextAlone } from "./choice-decoder.ts";
import { errorOfEvent, errorWithin } from "./decode-error.ts";
import { decodeRest } from "./decode-rest.ts";
import { addFrame, type Frame, NO_FRAME, readFrame } from "./frame.ts";
import { decodeUsage, usageOf } from "./usage.ts";

const DONE = "[DONE]";

/** Where the text stands in an event, and what else varies then: paddings against traffic analysis, OpenAI's and Mistral's. */
const TEXT: JsonPath = ["choices", 0, "delta", "content"];
const PADDINGS: readonly JsonPath[] = [["obfuscation"], ["p"]];

/** After so many templates in a row that no event fitted, none is made any more: more than that varies. */
const MAX_MISSES = 3;

/** An event in which one choice has a text and nothing else, and what it was read as. */
interface TextEvent {
  readonly template: JsonTemplate;
  readonly choice: ChoiceDecoder;
  readonly frame: Frame;
}

/**
 * Decodes the chunks of one answer, from OpenAI or any of its copies. Finish reasons and the usage are held back until the end, since
 * servers repeat them, and let output, or an error, follow.
 */
export function createStreamDecoder(context: DecodeContext): StreamDecoder {
  return new Decoder(context);
}

const isDone = (data: string): boolean => data.startsWith(DONE) && data.trimEnd() === DONE;

class Decoder implements StreamDecoder {
  readonly #context: DecodeContext;
  /** By their index. */
  readonly #choices: ChoiceDecoder[] = [];
  #id = "";
  #model = "";
  /** The last one that came; it is the server's own object. */
  #usage: JsonObject | undefined;
  /** What frames said that no chunk was made of; the last chunk says it. */
  #late: Frame = NO_FRAME;
  /** What the events are like that have a text and nothing else: those that follow are mostly so, too. */
  #like: TextEvent | undefined;
  #misses = 0;
  #isDone = false;
  /** Once something is wrong, all is. */
  #failure: GatewayError | undefined;

  constructor(context: DecodeContext) {
    this.#context = context;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  push(event: StreamEvent): readonly ChatCompletionChunk[] {
    if (this.#isDone) return [];
    if (this.#failure !== undefined) throw this.#failure;
    try {
      if (event.event === "error") throw errorOfEvent(event.data, this.#context.provider);
      if (isDone(event.data)) return this.#end(true);
      return this.#takeText(event.data) ?? this.#take(this.#parse(event.data), event.data);
    } catch (error) {
      this.#failure = GatewayError.from(error);
      throw this.#failure;
    }
  }

  finish(): readonly ChatCompletionChunk[] {
    if (this.#isDone) return [];
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#end(false);
    } catch (error) {
      this.#failure = GatewayError.from(error);
      throw this.#failure;
    }
  }

  /** What an event says that differs from an earlier one in its text alone; undefined where it does not. */
  #takeText(data: string): readonly ChatCompletionChunk[] | undefined {
    if (this.#like === undefined) return undefined;
    const { template, choice, frame } = this.#like;
    const text = template.stringOf(data);
    if (text === undefined) return undefined;
    this.#misses = 0;
    const news = choice.pushText(text);
    return news === undefined ? this.#keep(frame) : [this.#chunk([news], frame)];
  }

  #parse(data: string): JsonObject {
    const { provider } = this.#context;
    let json: JsonValue;
    try {
      json = JSON.parse(data) as JsonValue;
    } catch {
      throw invalidResponse(provider, "an event that is no JSON"); // The engine's message would quote it.
    }
    const error = errorWithin(json, provider);
    if (error !== undefined) throw error;
    if (!isObject(json)) throw invalidResponse(provider, "an event that is no JSON object");
    return json;
  }

  #take(json: JsonObject, data: string): readonly ChatCompletionChunk[] {
    const usage = usageOf(json);
    this.#usage = usage ?? this.#usage;
    const frame = readFrame(json);
    this.#id ||= frame.id;
    this.#model ||= frame.model;
    const { choices } = json;
    const news: ChunkChoice[] = [];
    const calls: ChunkChoice[] = [];
    if (usage === undefined && frame.rest === undefined) this.#expectLike(data, json, frame);
    for (const choice of Array.isArray(choices) ? choices : []) {
      if (!isObject(choice)) continue;
      // Texts of all choices come before the calls of any, each in one chunk.
      const [first, second] = this.#choiceOf(choice["index"]).push(choice, false);
      if (first !== undefined) news.push(first);
      if (second !== undefined) calls.push(second);
    }
    if (news.length === 0 && calls.length === 0) return this.#keep(frame);
    const chunks: ChatCompletionChunk[] = [];
    if (news.length > 0) chunks.push(this.#chunk(news, frame));
    if (calls.length > 0) chunks.push(this.#chunk(calls, news.length > 0 ? undefined : frame));
    return chunks;
  }

  /** Expects more events like this one, where one choice has a text in it and nothing else. */
  #expectLike(data: string, json: JsonObject, frame: Frame): void {
    if (this.#misses >= MAX_MISSES || !Array.isArray(json["choices"]) || json["choices"].length !== 1) return;
    const [choice] = json["choices"];
    if (!isObject(choice) || !hasTextAlone(choice)) return;
    const template = JsonTemplate.of(data, json, TEXT, PADDINGS);
    if (template === undefined) return;
    this.#misses += 1;
    this.#like = { template, choice: this.#choiceOf(choice["index"]), frame };
  }

  /** Keeps what stands around no news for the last chunk; what screening found is a chunk of its own. */
  #keep(frame: Frame): readonly ChatCompletionChunk[] {
    if (frame.rest?.["moderation"] !== undefined) return [this.#chunk([], frame)];
    this.#late = addFrame(this.#late, frame);
    return [];
  }

  #choiceOf(index: JsonValue | undefined): ChoiceDecoder {
    const at = Number.isInteger(index) ? (index as number) : 0;
    if (at < 0 || at >= this.#context.choices)
      throw invalidResponse(this.#context.provider, `choice ${at}, where ${this.#context.choices} were asked for`);
    this.#choices[at] ??= new ChoiceDecoder(at, this.#context);
    return this.#choices[at];
  }

  /** `isTold`: the server said that this is the end, and did not only stop. */
  #end(isTold: boolean): readonly ChatCompletionChunk[] {
    const { provider, choices: expected } = this.#context;
    let isWhole = true;
    for (let at = 0; at < expected; at++) {
      const choice = this.#choices[at];
      isWhole &&= choice !== undefined && (choice.isFinished || (isTold && choice.hasContent));
    }
    if (!isWhole) {
      if (isTold && this.#choices.length === 0) throw invalidResponse(provider, "a stream without an answer");
      throw interrupted(provider);
    }
    const last: ChunkChoice[] = [];
    const finishes: ChunkChoice[] = [];
    for (const choice of this.#choices) {
      const end = choice.finish();
      if (end.last !== undefined) last.push(end.last);
      finishes.push(end.finish);
    }
    this.#isDone = true;
    const finish = this.#chunk(finishes, this.#late);
    if (this.#usage !== undefined) finish.usage = decodeUsage(this.#usage);
    return last.length > 0 ? [this.#chunk(last), finish] : [finish];
  }

  #chunk(choices: ChunkChoice[], frame?: Frame): ChatCompletionChunk {
    const chunk = decodeRest(ChatCompletionChunkSchema, blankChatCompletionChunk, frame?.rest);
    chunk.id = this.#id;
    chunk.model = this.#model;
    chunk.choices = choices;
    if (frame?.systemFingerprint !== undefined) chunk.systemFingerprint = frame.systemFingerprint;
    if (frame !== undefined) chunk.serviceTier = frame.serviceTier;
    return chunk;
  }
}
