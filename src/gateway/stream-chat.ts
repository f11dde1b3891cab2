import type { GatewayError } from "../errors/gateway-error.ts";
import { blankStreamChatCompletionResponse } from "../gen/parley/chat/v1/blanks.ts";
import {
  type StreamChatCompletionRequest,
  StreamChatCompletionRequestSchema,
  type StreamChatCompletionResponse,
} from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { stopQuietly } from "../lib/stop-quietly.ts";
import { takeValue } from "../lib/take-value.ts";
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
type Step = IteratorResult<Response[], undefined>;

/**
 * Streams the answer to a request. Nothing comes before the first output; from then on, whatever fails is an error, and nobody else is
 * asked. The last message has the usage, where there is one, and the whole report. One batch is to be asked for at a time.
 *
 * It is an iterator by hand, because an async generator takes several times as long for each batch, and two of them would be needed.
 */
export function streamChat(
  request: StreamChatCompletionRequest,
  serving: Serving,
): AsyncIterableIterator<Response[], undefined> {
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

class ChatStream implements AsyncIterableIterator<Response[], undefined>, CallPart {
  /** Until it answers: a stream may be open for long, and a request be large. */
  #request: StreamChatCompletionRequest | undefined;
  readonly #serving: Serving;
  #scope: CallScope | undefined;
  #meter: Meter | undefined;
  #answer: Answer | undefined;
  /** The batch that was asked for last. */
  #reading: Promise<Step> | undefined;
  /** Whether somebody waits for it. */
  #isRead = false;
  #hasLast = false;
  #isOver = false;
  #isTold = false;

  constructor(request: StreamChatCompletionRequest, serving: Serving) {
    this.#request = request;
    this.#serving = serving;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    this.#isRead = true;
    this.#reading = this.#answer === undefined ? this.#begin() : this.#readOn(this.#answer);
    return this.#reading;
  }

  /** The reader leaves. What it still waits for comes first. */
  async return(): Promise<Step> {
    await this.#reading?.catch(() => undefined);
    this.#close();
    this.#isTold = true;
    return DONE;
  }

  /** Who reads hears of it by what is read; while nobody does, the work would wait for ever. */
  callEnded(): void {
    if (!this.#isRead) this.#close();
  }

  async #begin(): Promise<Step> {
    if (this.#isOver) return this.#end();
    let answer: Answer;
    try {
      answer = await this.#open(this.#request as StreamChatCompletionRequest);
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    this.#answer = answer;
    this.#request = undefined;
    const [first, ...others] = messagesOf(answer.stream.held.splice(0));
    if (first === undefined) return this.#readOn(answer);
    first.report = answer.reporter.first();
    return this.#give([first, ...others]);
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

  /** Passes on what comes after the first output, as it comes. */
  async #readOn(answer: Answer): Promise<Step> {
    const { stream, scope, meter, note } = answer;
    const { idleMs } = this.#serving.options;
    try {
      if (this.#isOver || this.#hasLast) return this.#end();
      while (stream.end === undefined) {
        scope.awaitOutput(idleMs);
        const next = await stream.rest.next();
        if (next.done === true) {
          scope.outputCame();
          scope.throwIfEnded();
          stream.end = { chunk: stream.grammar.finish() };
          break;
        }
        const chunks: ChatCompletionChunk[] = [];
        readBatch(takeValue(next), stream, chunks);
        if (chunks.length === 0) continue;
        scope.outputCame();
        meter.gaveMore(chunks.length);
        note?.(chunks);
        return this.#give(messagesOf(chunks));
      }
      return this.#give([this.#last(answer, stream.end.chunk)]);
    } catch (thrown) {
      throw this.#failed(thrown);
    }
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

  #give(value: Response[]): Step {
    this.#isRead = false;
    // It would keep the batch while its reader waits for room to write it.
    this.#reading = undefined;
    // It ended just when this came: nobody may ever read on.
    if (this.#scope?.ended !== undefined) this.#close();
    return { done: false, value };
  }

  /** There is no more. A call that was ended before it was read to its end fails all the same. */
  #end(): Step {
    this.#close();
    if (!this.#isTold) this.#scope?.throwIfEnded();
    this.#isTold = true;
    return DONE;
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

const DONE: Step = { done: true, value: undefined };

function messagesOf(chunks: readonly ChatCompletionChunk[]): Response[] {
  const messages: Response[] = [];
  for (const chunk of chunks) {
    const message = blankStreamChatCompletionResponse();
    message.chunk = chunk;
    messages.push(message);
  }
  return messages;
}
