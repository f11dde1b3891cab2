import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { createStreamGrammar } from "../../src/gateway/stream-grammar.ts";
import type { ChatCompletionChunk } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import type { StreamDecoder, StreamEvent } from "../../src/providers/provider.ts";
import { createSseReader } from "../../src/upstream/sse-reader.ts";
import { fold } from "../support/fold.ts";
import { comparable } from "./comparable.ts";
import { paramsFor } from "./params-for.ts";
import { openProvider } from "./providers.ts";
import type { Answer, Reading } from "./reading/reading.ts";
import type { Recording } from "./recordings.ts";

/** What a stream came to in this process: an answer, or the name of the reason why not. */
export type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "error"; readonly reason: string };

/** How many choices were asked for. */
export const choicesOf = (reading: Reading): number =>
  reading.kind === "answer" ? Math.max(1, reading.answer.choices.length) : 1;

/** A decoder of the answer that a recording is. */
export function openDecoder(recording: Recording, reading: Reading): StreamDecoder {
  const params = create(ChatCompletionParamsSchema, paramsFor(recording, reading));
  const call = { model: recording.name, params, streaming: true, media: new Map() };
  return openProvider(recording.provider).encodeRequest(call).createStreamDecoder();
}

/** The events of a body that comes in these pieces. */
export function readEvents(pieces: readonly Uint8Array[]): StreamEvent[] {
  const reader = createSseReader("upstream");
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.finish()];
}

/** Decodes events, holds them to the grammar of chunks, and folds them. Throws what is no GatewayError. */
export function decodeEvents(decoder: StreamDecoder, events: readonly StreamEvent[], choices: number): Outcome {
  const grammar = createStreamGrammar({ id: "chatcmpl-1", created: 1n, model: "upstream/model" }, choices);
  const chunks: ChatCompletionChunk[] = [];
  const take = (made: readonly ChatCompletionChunk[]): void => {
    for (const chunk of made) grammar.push(chunk, chunks);
  };
  try {
    for (const event of events) {
      if (decoder.isDone) break;
      take(decoder.push(event));
    }
    if (!decoder.isDone) take(decoder.finish());
    const last = grammar.finish();
    if (last !== undefined) chunks.push(last);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    return { kind: "error", reason: Reason[thrown.reason] };
  }
  return { kind: "answer", answer: comparable(fold(chunks)) };
}
