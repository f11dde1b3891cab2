import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { ChatCompletionChunk } from "../../gen/parley/chat/v1/completion_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import type { StreamDecoder, StreamEvent } from "../provider.ts";
import { interrupted, invalidResponse, parseUpstream } from "../upstream-error.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { decodeInnerError, isError } from "./decode-error.ts";
import type { Reading } from "./decode-response.ts";
import type { Stop } from "./finish-reasons.ts";
import { createBlock, type StreamedBlock } from "./streamed-block.ts";
import { UsageCount } from "./usage.ts";

/** Makes a decoder of one streamed answer: https://docs.claude.com/en/docs/build-with-claude/streaming. */
export const createStreamDecoder = (reading: Reading): StreamDecoder => new Decoder(reading);

class Decoder implements StreamDecoder {
  readonly #reading: Reading;
  readonly #writer: AnswerWriter;
  readonly #usage = new UsageCount();
  /** The blocks that are open, by the index that Anthropic gives them. */
  readonly #blocks = new Map<number, StreamedBlock>();
  #reason: string | undefined;
  #sequence: JsonValue | undefined;
  #details: JsonValue | undefined;
  isDone = false;

  constructor(reading: Reading) {
    this.#reading = reading;
    this.#writer = new AnswerWriter(reading);
  }

  push({ data }: StreamEvent): readonly ChatCompletionChunk[] {
    if (this.isDone) return [];
    const event = parseUpstream(this.#reading.provider, data, "event");
    // Not by the event's name, which relays may leave out.
    switch (event["type"]) {
      case "content_block_delta":
        this.#delta(event);
        break;
      case "content_block_start":
        this.#start(event, data);
        break;
      case "content_block_stop":
        this.#stop(event["index"]);
        break;
      case "message_start":
        this.#begin(event["message"]);
        break;
      case "message_delta":
        this.#end(event);
        break;
      case "message_stop":
        this.#finish();
        break;
      default:
        // Pings, and events of a newer version.
        if (isError(event)) throw decodeInnerError(event, this.#reading.provider);
    }
    return this.#writer.take();
  }

  finish(): readonly ChatCompletionChunk[] {
    if (!this.isDone) throw interrupted(this.#reading.provider);
    return [];
  }

  #begin(message: JsonValue | undefined): void {
    if (!isObject(message)) return;
    this.#usage.merge(message["usage"]);
    this.#writer.identify(message["id"], message["model"], this.#usage.serviceTier);
  }

  #start({ index, content_block: block }: JsonObject, data: string): void {
    if (typeof index !== "number" || !isObject(block)) throw this.#invalid("a block without a place or content");
    this.#stop(index);
    this.#blocks.set(index, createBlock(block, data, this.#writer, this.#reading));
  }

  #delta({ index, delta }: JsonObject): void {
    const block = typeof index === "number" ? this.#blocks.get(index) : undefined;
    if (block === undefined) throw this.#invalid("more of a block that has not begun");
    if (isObject(delta)) block.push(delta);
  }

  #stop(index: JsonValue | undefined): void {
    if (typeof index !== "number") return;
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    block?.finish();
  }

  #end({ delta, usage }: JsonObject): void {
    this.#usage.merge(usage);
    if (!isObject(delta)) return;
    if (typeof delta["stop_reason"] === "string") this.#reason = delta["stop_reason"];
    this.#sequence = delta["stop_sequence"] ?? this.#sequence;
    this.#details = delta["stop_details"] ?? this.#details;
  }

  #finish(): void {
    for (const index of [...this.#blocks.keys()]) this.#stop(index);
    if (this.#reason === undefined) throw this.#invalid("an answer without a reason for its end");
    const stop: Stop = { reason: this.#reason, sequence: this.#sequence, details: this.#details };
    this.#writer.finish(stop, this.#usage);
    this.isDone = true;
  }

  #invalid(what: string) {
    return invalidResponse(this.#reading.provider, what);
  }
}
