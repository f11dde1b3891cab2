import { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Provider, StreamDecoder, StreamEvent } from "../providers/provider.ts";
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
 * fault are yielded before it is thrown, so that it makes no difference how the body was cut. The exchange is closed when the stream is
 * left early; at its proper end the connection can serve again.
 */
export async function* readChunks(open: () => Promise<OpenStream>, signal: AbortSignal): AsyncGenerator<ChunkBatch> {
  const { provider, answer, reader, decoder, recollection } = await open();
  let isReleased = false;
  try {
    const memory = recollection.listen(provider.id);
    const pieces = answer.body[Symbol.asyncIterator]();
    // Not by for-await: to leave its loop is to close the connection.
    for (let piece = await pieces.next(); !piece.done; piece = await pieces.next()) {
      signal.throwIfAborted();
      const { value } = piece;
      const { chunks, fault } = decode(decoder, () => reader.push(value));
      for (const chunk of chunks) memory.push(chunk);
      if (fault !== undefined) {
        if (chunks.length > 0) yield chunks;
        throw faultWithoutSecrets(provider.endpoint, fault);
      }
      if (decoder.isDone) {
        memory.finish();
        answer.release();
        isReleased = true;
        yield chunks;
        return;
      }
      yield chunks;
    }
    signal.throwIfAborted();
    const rest = decode(decoder, () => reader.finish());
    for (const chunk of rest.chunks) memory.push(chunk);
    if (rest.chunks.length > 0) yield rest.chunks;
    // The last event has no end: where it makes no sense, it is the answer that was cut.
    if (isUnreadable(rest.fault)) throw interrupted(provider.id, rest.fault);
    if (rest.fault !== undefined) throw faultWithoutSecrets(provider.endpoint, rest.fault);
    const last = decoder.isDone ? [] : decoder.finish();
    for (const chunk of last) memory.push(chunk);
    memory.finish();
    yield last;
  } finally {
    if (!isReleased) answer.discard();
  }
}

interface Decoded {
  readonly chunks: ChunkBatch;
  /** What was thrown after the chunks. */
  readonly fault: unknown;
}

const NONE: ChunkBatch = [];

function decode(decoder: StreamDecoder, read: () => readonly StreamEvent[]): Decoded {
  let chunks: ChunkBatch = NONE;
  try {
    let several: ChatCompletionChunk[] | undefined;
    for (const event of read()) {
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
