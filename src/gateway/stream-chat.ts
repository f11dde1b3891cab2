import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import {
  type StreamChatCompletionRequest,
  StreamChatCompletionRequestSchema,
  type StreamChatCompletionResponse,
  StreamChatCompletionResponseSchema,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { verdictOf } from "../routing/verdict.ts";
import type { Attempt } from "./attempt.ts";
import type { CallScope } from "./call-scope.ts";
import { noteAsked, noteStream } from "./content.ts";
import { findAnswer } from "./find-answer.ts";
import { type Meter, openMeter, prepareTold } from "./meter.ts";
import { type OpenStream, openStream, readBatch, stopQuietly } from "./open-stream.ts";
import { prepare } from "./prepare.ts";
import { Reporter } from "./report.ts";
import { type Serving, searchOptions } from "./serving.ts";
import { noteEnd } from "./trail.ts";

/**
 * Streams the answer to a request. Nothing comes before the first output; from then on, whatever fails is an error, and nobody else is
 * asked. The last message has the usage, where there is one, and the whole report.
 */
export async function* streamChat(
  request: StreamChatCompletionRequest,
  { call, scope, catalogue, options, limiter }: Serving,
): AsyncGenerator<StreamChatCompletionResponse[]> {
  const { log, caller } = call;
  noteAsked(call, request.params);
  const prepared = await prepareTold(limiter, call, () =>
    prepare(StreamChatCompletionRequestSchema, request, true, { catalogue, caller }),
  );
  using meter = await openMeter(limiter, call, prepared);
  const reading = {
    choices: prepared.demand.choices,
    hidesReasoning: request.options?.includeReasoning === false,
    idleMs: options.idleMs,
    meter,
  };
  const { attempt, value: stream } = await findAnswer({
    prepared,
    scope,
    log,
    options: searchOptions(options, request.options),
    ask: (running) => openStream(running, reading),
    discard: ({ rest }) => void stopQuietly(rest),
  });
  const note = noteStream(log);
  note?.(stream.held);
  try {
    // Rather too few than too many: a piece is a token, or several.
    meter.gave(attempt.candidate.target, stream.held.length);
    const reporter = new Reporter(log, attempt, stream.origin);
    const [first, ...others] = messagesOf(stream.held);
    if (first !== undefined) {
      first.report = reporter.first();
      yield [first, ...others];
    }
    const end = stream.end ?? (yield* streamRest(stream, scope, { ...reading, note }));
    attempt.succeeded();
    log.finished(stream.grammar.finishReasons);
    if (end.chunk !== undefined) note?.([end.chunk]);
    const report = reporter.last(end.chunk);
    yield [
      create(StreamChatCompletionResponseSchema, end.chunk === undefined ? { report } : { chunk: end.chunk, report }),
    ];
  } catch (thrown) {
    const error = failed(attempt, scope, thrown);
    noteEnd(log);
    throw error;
  } finally {
    // A client that stops reading leaves here.
    attempt.cancelled();
    void stopQuietly(stream.rest);
  }
}

/** How a stream is read once it has begun. */
interface Reading {
  readonly hidesReasoning: boolean;
  readonly idleMs: number | undefined;
  readonly meter: Meter;
  /** Is told of what is sent, where somebody wants to know. */
  readonly note: ReturnType<typeof noteStream>;
}

/** Passes on what comes after the first output, as it comes. */
async function* streamRest(
  { rest, grammar, origin }: OpenStream,
  scope: CallScope,
  { hidesReasoning, idleMs, meter, note }: Reading,
): AsyncGenerator<StreamChatCompletionResponse[], { readonly chunk: ChatCompletionChunk | undefined }> {
  scope.awaitOutput(idleMs);
  for await (const batch of { [Symbol.asyncIterator]: () => rest }) {
    const chunks: ChatCompletionChunk[] = [];
    readBatch(batch, { grammar, origin, hidesReasoning }, chunks);
    if (chunks.length > 0) {
      scope.outputCame();
      meter.gaveMore(chunks.length);
      note?.(chunks);
      yield messagesOf(chunks);
    }
    scope.awaitOutput(idleMs);
  }
  scope.outputCame();
  scope.signal.throwIfAborted();
  return { chunk: grammar.finish() };
}

const messagesOf = (chunks: readonly ChatCompletionChunk[]): StreamChatCompletionResponse[] =>
  chunks.map((chunk) => create(StreamChatCompletionResponseSchema, { chunk }));

/** Tells the attempt what a stream ended with. The end of the call is no failure of its target, but for its silence. */
function failed(attempt: Attempt, scope: CallScope, thrown: unknown): GatewayError {
  const error = GatewayError.from(thrown);
  if (scope.signal.aborted && !scope.fellSilent) attempt.cancelled();
  else attempt.failed(error, scope.fellSilent || verdictOf(error).isFault);
  return error;
}
