import { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { DONE, Feed } from "../lib/feed.ts";
import type { Provider, StreamDecoder } from "../providers/provider.ts";
import { interrupted } from "../providers/upstream-error.ts";
import type { ChunkBatch } from "./backend.ts";
import type { UpstreamAnswer } from "./client.ts";
import type { EventReader } from "./event-reader.ts";
import type { Recollection } from "./recollection.ts";
import { faultWithoutSecrets } from "./without-secrets.ts";

/** A stream that has begun. */
export interface OpenStream {
  readonly provider: Pick<Provider, "id" | "endpoint">;
  readonly answer: UpstreamAnswer;
  /** Makes events of its body. */
  readonly reader: EventReader;
  readonly decoder: StreamDecoder;
  readonly recollection: Recollection;
}

/**
 * Opens a stream and reads it: one batch for each piece of its body, also for one that makes no chunks. Chunks that came before a
 * fault are delivered before it is thrown, so that it makes no difference how the body was cut. The exchange is closed when the stream is
 * left early; at its proper end the connection can serve again.
 */
export function readChunks(open: () => Promise<OpenStream>, signal: AbortSignal): Feed<ChatCompletionChunk> {
  return new ChunkReading(open, signal);
}

/** The reading of one stream. Not a generator: each of its steps would cost as much as all that is done with a chunk. */
class ChunkReading extends Feed<ChatCompletionChunk> {
  /** Until it is opened: it has the whole request. */
  #open: (() => Promise<OpenStream>) | undefined;
  #opening: Promise<void> | undefined;
  readonly #signal: AbortSignal;
  #stream: OpenStream | undefined;
  #memory: ReturnType<Recollection["listen"]> | undefined;
  /** What is thrown next, behind the chunks that came before it. */
  #fault: { readonly thrown: unknown } | undefined;
  #isOver = false;

  constructor(open: () => Promise<OpenStream>, signal: AbortSignal) {
    super();
    this.#open = open;
    this.#signal = signal;
  }

  ready(): Promise<void> | undefined {
    if (this.#isOver || this.#fault !== undefined) return undefined;
    if (this.#stream !== undefined) return this.#stream.answer.body.ready();
    this.#opening ??= this.#begin(this.#open as () => Promise<OpenStream>);
    return this.#opening;
  }

  take(): ChunkBatch | undefined {
    // Also when somebody has left the stream meanwhile.
    if (this.#isOver) return undefined;
    try {
      if (this.#fault !== undefined) throw this.#fault.thrown;
      if (this.#stream === undefined) return NONE;
      this.#signal.throwIfAborted();
      const piece = this.#stream.answer.body.take();
      return piece === undefined ? this.#finish(this.#stream) : this.#read(this.#stream, piece);
    } catch (thrown) {
      this.#leave();
      throw thrown;
    }
  }

  async return(): Promise<IteratorResult<ChunkBatch, undefined>> {
    this.#leave();
    return DONE;
  }

  async #begin(open: () => Promise<OpenStream>): Promise<void> {
    this.#open = undefined;
    try {
      const stream = await open();
      this.#stream = stream;
      if (this.#isOver) stream.answer.discard();
      this.#memory = stream.recollection.listen(stream.provider.id);
      await stream.answer.body.ready();
    } catch (thrown) {
      this.#fault = { thrown };
    } finally {
      this.#opening = undefined;
    }
  }

  /** Takes a piece of the body. */
  #read({ provider, answer, reader, decoder }: OpenStream, piece: Uint8Array): ChunkBatch {
    const { chunks, fault } = decode(decoder, reader, piece);
    this.#remember(chunks);
    if (fault !== undefined) {
      this.#fault = { thrown: faultWithoutSecrets(provider.endpoint, fault) };
      if (chunks.length === 0) throw this.#fault.thrown;
    } else if (decoder.isDone) {
      this.#memory?.finish();
      this.#isOver = true;
      answer.release();
    }
    return chunks;
  }

  /** Takes the end of the body. */
  #finish({ provider, answer, reader, decoder }: OpenStream): ChunkBatch {
    const { chunks, fault } = decode(decoder, reader, undefined);
    this.#remember(chunks);
    // The last event has no end: where it makes no sense, it is the answer that was cut.
    const thrown = isUnreadable(fault) ? interrupted(provider.id, fault) : fault;
    try {
      if (thrown !== undefined) throw faultWithoutSecrets(provider.endpoint, thrown);
      const last = decoder.isDone ? NONE : decoder.finish();
      this.#remember(last);
      this.#memory?.finish();
      this.#isOver = true;
      answer.discard();
      return chunks.length === 0 ? last : [...chunks, ...last];
    } catch (error) {
      if (chunks.length === 0) throw error;
      this.#fault = { thrown: error };
      return chunks;
    }
  }

  #remember(chunks: ChunkBatch): void {
    for (const chunk of chunks) this.#memory?.push(chunk);
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream?.answer.discard();
  }
}

interface Decoded {
  readonly chunks: ChunkBatch;
  /** What was thrown after the chunks. */
  readonly fault: unknown;
}

const NONE: ChunkBatch = [];

/** `piece`: of the body; undefined: its end. */
function decode(decoder: StreamDecoder, reader: EventReader, piece: Uint8Array | undefined): Decoded {
  let chunks: ChunkBatch = NONE;
  try {
    let several: ChatCompletionChunk[] | undefined;
    for (const event of piece === undefined ? reader.finish() : reader.push(piece)) {
      const made = decoder.push(event);
      if (chunks.length === 0) {
        chunks = made;
      } else {
        if (several === undefined) chunks = several = [...chunks];
        several.push(...made);
      }
      if (decoder.isDone) break;
    }
  } catch (fault) {
    return { chunks, fault };
  }
  return { chunks, fault: undefined };
}

const isUnreadable = (fault: unknown): boolean =>
  fault instanceof GatewayError && fault.reason === Reason.UPSTREAM_INVALID_RESPONSE;
