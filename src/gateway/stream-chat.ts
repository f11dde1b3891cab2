import type { GatewayError } from "../errors/gateway-error.ts";
import { blankStreamChatCompletionResponse } from "../gen/parley/chat/v1/blanks.ts";
import {
  type StreamChatCompletionRequest,
  StreamChatCompletionRequestSchema,
  type StreamChatCompletionResponse,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { DONE, Feed } from "../lib/feed.ts";
import { stopQuietly } from "../lib/stop-quietly.ts";
import { verdictOf } from "../routing/verdict.ts";
import type { Attempt } from "./attempt.ts";
import type { CallPart, CallScope } from "./call-scope.ts";
import { noteAsked, noteStream } from "./content.ts";
import { type AnswerKind, findAnswer } from "./find-answer.ts";
import { beginCall, type Meter } from "./meter.ts";
import { type OpenStream, openStream, readBatch } from "./open-stream.ts";
import { Reporter } from "./report.ts";
import { type Serving, searchOptions } from "./serving.ts";
import { failed } from "./settled.ts";
import { noteEnd } from "./trail.ts";

type Response = StreamChatCompletionResponse;

/**
 * Streams the answer to a request. Nothing comes before the first output; from then on, whatever fails is an error, and nobody else is
 * asked. The last message has the usage, where there is one, and the whole report.
 */
export function streamChat(request: StreamChatCompletionRequest, serving: Serving): Feed<Response> {
  return new ChatStream(request, serving);
}

/** What a stream has once it answers. */
interface Answer {
  readonly stream: OpenStream;
  readonly attempt: Attempt;
  readonly scope: CallScope;
  readonly meter: Meter;
  readonly reporter: Reporter;
  /** Is told of what is sent, where somebody wants to know. */
  readonly note: ReturnType<typeof noteStream>;
}

class ChatStream extends Feed<Response> implements CallPart {
  /** Until it answers: a stream may be open for long, and a request be large. */
  #request: StreamChatCompletionRequest | undefined;
  readonly #serving: Serving;
  #scope: CallScope | undefined;
  #meter: Meter | undefined;
  #answer: Answer | undefined;
  /** What came up to the first output, and what went wrong before it. */
  #first: readonly Response[] | undefined;
  #fault: { readonly thrown: unknown } | undefined;
  /** What the reader waits for. */
  #waiting: Promise<void> | undefined;
  /** Whether somebody waits for the next batch. */
  #isRead = false;
  #hasLast = false;
  #isOver = false;
  #isTold = false;

  constructor(request: StreamChatCompletionRequest, serving: Serving) {
    super();
    this.#request = request;
    this.#serving = serving;
  }

  ready(): Promise<void> | undefined {
    this.#isRead = true;
    if (this.#answer === undefined) {
      if (this.#isOver || this.#fault !== undefined) return undefined;
      this.#waiting ??= this.#begin(this.#request as StreamChatCompletionRequest);
      return this.#waiting;
    }
    const { stream, scope } = this.#answer;
    if (this.#isOver || this.#hasLast || this.#first !== undefined || stream.end !== undefined) return undefined;
    scope.awaitOutput(this.#serving.options.idleMs);
    this.#waiting = stream.rest.ready();
    return this.#waiting;
  }

  take(): readonly Response[] | undefined {
    try {
      if (this.#fault !== undefined) throw this.#fault.thrown;
      if (this.#isOver || this.#hasLast) return this.#end();
      if (this.#answer === undefined) return NONE;
      if (this.#first === undefined) return this.#readOn(this.#answer);
      const first = this.#first;
      this.#first = undefined;
      return this.#give(first);
    } catch (thrown) {
      this.#fault = undefined;
      throw this.#failed(thrown);
    }
  }

  /** The reader leaves. What it still waits for comes first. */
  async return(): Promise<IteratorResult<readonly Response[], undefined>> {
    await this.#waiting;
    this.#close();
    this.#isTold = true;
    return DONE;
  }

  /** Who reads hears of it by what is read; while nobody does, the work would wait for ever. */
  callEnded(): void {
    if (!this.#isRead) this.#close();
  }

  async #begin(request: StreamChatCompletionRequest): Promise<void> {
    try {
      const answer = await this.#open(request);
      const first = messagesOf(answer.stream.held.splice(0));
      if (first[0] !== undefined) {
        first[0].report = answer.reporter.first();
        this.#first = first;
      }
      this.#answer = answer;
      this.#request = undefined;
    } catch (thrown) {
      this.#fault = { thrown };
    }
  }

  async #open(request: StreamChatCompletionRequest): Promise<Answer> {
    const { call, options, open } = this.#serving;
    const { log } = call;
    const scope = open(call);
    this.#scope = scope;
    scope.throwIfEnded();
    scope.join(this);
    noteAsked(call, request.params);
    const beginning = beginCall(StreamChatCompletionRequestSchema, request, true, this.#serving);
    const { prepared, meter } = beginning instanceof Promise ? await beginning : beginning;
    this.#meter = meter;
    const parts = { prepared, scope, log, options: searchOptions(options, request.options) };
    const { attempt, value: stream } = await findAnswer(STREAM, parts);
    const note = noteStream(log);
    note?.(stream.held);
    // Rather too few than too many: a piece is a token, or several.
    meter.gave(attempt.candidate.target, stream.held.length);
    return { stream, attempt, scope, meter, note, reporter: new Reporter(log, attempt, stream.origin) };
  }

  /** Passes on what came after the first output. */
  #readOn(answer: Answer): readonly Response[] {
    const { stream, scope, meter, note } = answer;
    if (stream.end === undefined) {
      const batch = stream.rest.take();
      if (batch !== undefined) {
        const chunks: ChatCompletionChunk[] = [];
        readBatch(batch, stream, chunks);
        if (chunks.length === 0) return NONE;
        scope.outputCame();
        meter.gaveMore(chunks.length);
        note?.(chunks);
        return this.#give(messagesOf(chunks));
      }
      scope.outputCame();
      scope.throwIfEnded();
      stream.end = { chunk: stream.grammar.finish() };
    }
    return this.#give([this.#last(answer, stream.end.chunk)]);
  }

  /** The last message, which has the whole report. */
  #last({ attempt, stream, note, reporter }: Answer, chunk: ChatCompletionChunk | undefined): Response {
    attempt.succeeded();
    this.#serving.call.log.finished(stream.grammar.finishReasons);
    if (chunk !== undefined) note?.([chunk]);
    this.#hasLast = true;
    const message = blankStreamChatCompletionResponse();
    message.chunk = chunk;
    message.report = reporter.last(chunk);
    return message;
  }

  #give(batch: readonly Response[]): readonly Response[] {
    this.#isRead = false;
    this.#waiting = undefined;
    // It ended just when this came: nobody may ever read on.
    if (this.#scope?.ended !== undefined) this.#close();
    return batch;
  }

  /** There is no more. A call that was ended before it was read to its end fails all the same. */
  #end(): undefined {
    this.#close();
    if (!this.#isTold) this.#scope?.throwIfEnded();
    this.#isTold = true;
  }

  /** The end of the call is no failure of its target, but for its silence. */
  #failed(thrown: unknown): GatewayError {
    const { call } = this.#serving;
    const error = failed(call, thrown);
    if (this.#answer !== undefined) {
      const { attempt, scope } = this.#answer;
      if (scope.ended !== undefined && !scope.fellSilent) attempt.cancelled();
      else attempt.failed(error, scope.fellSilent || verdictOf(error).isFault);
      noteEnd(call.log);
    }
    this.#isTold = true;
    this.#close();
    return error;
  }

  #close(): void {
    this.#isRead = false;
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#answer !== undefined) {
      this.#answer.attempt.cancelled();
      void stopQuietly(this.#answer.stream.rest);
    }
    this.#meter?.settle();
    this.#scope?.leave(this);
    this.#scope?.close();
  }
}

const STREAM: AnswerKind<OpenStream, OpenStream> = {
  ask: (plan, attempt, { prepared: { request, demand }, options }) =>
    openStream(plan, attempt, {
      choices: demand.choices,
      hidesReasoning: request.options?.includeReasoning === false,
      idleMs: options.idleMs,
    }),
  take: (stream) => stream,
  discard: ({ rest }) => void stopQuietly(rest),
};

const NONE: readonly Response[] = [];

function messagesOf(chunks: readonly ChatCompletionChunk[]): Response[] {
  const messages: Response[] = [];
  for (const chunk of chunks) {
    const message = blankStreamChatCompletionResponse();
    message.chunk = chunk;
    messages.push(message);
  }
  return messages;
}
