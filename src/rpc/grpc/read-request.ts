import type { ServerHttp2Stream } from "node:http2";
import type { Message } from "@bufbuild/protobuf";
import { clientGone } from "../../errors/client-gone.ts";
import { deadlineExceeded } from "../../errors/deadline-exceeded.ts";
import type { Due, DueList } from "../../lib/due-list.ts";
import type { Listed } from "../../lib/roster.ts";
import { type Envelope, EnvelopeReader } from "./envelope.ts";

/** Milliseconds that the client gives a call, and what is left of them. */
export interface Deadline {
  readonly timeoutMs: number;
  readonly leftMs: number;
}

/** How a request is read. */
export interface RequestFormat {
  /** Largest message, in bytes, as it is sent. */
  readonly maxBytes: number;
  readonly deadline: Deadline | undefined;
  decode(envelope: Envelope): Message | Promise<Message>;
}

/** The readers that have a deadline, and wait. */
export type WaitingReaders = DueList<Due & Listed>;

/** Reads the one message of a request, up to the request's end. Is told of all that comes of it. */
export class RequestReader implements Due, Listed {
  place = -1;
  dueAt = Number.POSITIVE_INFINITY;
  readonly #stream: ServerHttp2Stream;
  readonly #envelope: EnvelopeReader;
  readonly #format: RequestFormat;
  readonly #waiting: WaitingReaders;
  readonly #outcome = Promise.withResolvers<Message>();
  #isOver = false;

  constructor(stream: ServerHttp2Stream, format: RequestFormat, waiting: WaitingReaders) {
    this.#stream = stream;
    this.#envelope = new EnvelopeReader(format.maxBytes);
    this.#format = format;
    this.#waiting = waiting;
    if (stream.destroyed) this.leave();
    else if (format.deadline !== undefined) this.#expireIn(format.deadline.leftMs);
  }

  /** The message. Rejects as soon as there can't be one any more. */
  get message(): Promise<Message> {
    return this.#outcome.promise;
  }

  #expireIn(leftMs: number): void {
    this.dueAt = performance.now() + leftMs;
    if (leftMs > 0) this.#waiting.add(this);
    else this.due();
  }

  /** The deadline has passed. */
  due(): void {
    this.#fail(deadlineExceeded(this.#format.deadline?.timeoutMs ?? 0));
  }

  /** Takes the next piece of the request. */
  push(piece: Buffer<ArrayBuffer>): void {
    if (this.#isOver) return;
    try {
      this.#envelope.push(piece);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** The request has ended. A reset ends what is read, too. */
  finish(): void {
    if (this.#stream.closed) this.leave();
    if (this.#isOver) return;
    try {
      const message = this.#format.decode(this.#envelope.finish());
      this.#end();
      this.#outcome.resolve(message);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** The client is gone. */
  leave(): void {
    if (!this.#isOver) this.#fail(clientGone());
  }

  #fail(error: unknown): void {
    this.#end();
    this.#outcome.reject(error);
  }

  #end(): void {
    this.#isOver = true;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.#waiting.delete(this);
  }
}
