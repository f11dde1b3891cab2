import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors/gateway-error.ts";
import {
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  type ChunkChoice,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import type { StreamDecoder, StreamEvent } from "../provider.ts";
import { interrupted, invalidResponse } from "../upstream-error.ts";
import { ChoiceDecoder, type DecodeContext } from "./choice-decoder.ts";
import { errorOfEvent, errorWithin } from "./decode-error.ts";
import { decodeRest } from "./decode-rest.ts";
import { addFrame, type Frame, NO_FRAME, readFrame } from "./frame.ts";
import { decodeUsage, usageOf } from "./usage.ts";

const DONE = "[DONE]";

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
      return isDone(event.data) ? this.#end(true) : this.#take(this.#parse(event.data));
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

  #take(json: JsonObject): readonly ChatCompletionChunk[] {
    this.#usage = usageOf(json) ?? this.#usage;
    const frame = readFrame(json);
    this.#id ||= frame.id;
    this.#model ||= frame.model;
    const { choices } = json;
    const news: ChunkChoice[] = [];
    const calls: ChunkChoice[] = [];
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
    const choices = Array.from({ length: expected }, (_none, at) => this.#choices[at]);
    const isWhole = choices.every((choice) => choice?.isFinished || (isTold && choice?.hasContent));
    if (!isWhole) {
      if (isTold && this.#choices.length === 0) throw invalidResponse(provider, "a stream without an answer");
      throw interrupted(provider);
    }
    const ends = choices.flatMap((choice) => choice?.finish() ?? []);
    this.#isDone = true;
    const last = ends.flatMap((end) => end.last ?? []);
    const chunks = last.length > 0 ? [this.#chunk(last)] : [];
    const finish = this.#chunk(
      ends.map((end) => end.finish),
      this.#late,
    );
    if (this.#usage !== undefined) finish.usage = decodeUsage(this.#usage);
    return [...chunks, finish];
  }

  #chunk(choices: ChunkChoice[], frame?: Frame): ChatCompletionChunk {
    const chunk = decodeRest(ChatCompletionChunkSchema, frame?.rest);
    chunk.id = this.#id;
    chunk.model = this.#model;
    chunk.choices = choices;
    if (frame?.systemFingerprint !== undefined) chunk.systemFingerprint = frame.systemFingerprint;
    if (frame !== undefined) chunk.serviceTier = frame.serviceTier;
    return chunk;
  }
}
