import type { ServerHttp2Stream } from "node:http2";
import type { Message } from "@bufbuild/protobuf";
import { clientGone } from "../../errors/client-gone.ts";
import { deadlineExceeded } from "../../errors/deadline-exceeded.ts";
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

/** Reads the one message of a request, up to the request's end. Rejects as soon as that cannot be any more. */
export function readMessage(stream: ServerHttp2Stream, format: RequestFormat): Promise<Message> {
  const outcome = Promise.withResolvers<Message>();
  new RequestReader(stream, format, outcome);
  return outcome.promise;
}

class RequestReader {
  readonly #stream: ServerHttp2Stream;
  readonly #envelope: EnvelopeReader;
  readonly #format: RequestFormat;
  /** Undefined when it is over: the listeners stay as long as the stream, and would keep the message. */
  #outcome: PromiseWithResolvers<Message> | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(stream: ServerHttp2Stream, format: RequestFormat, outcome: PromiseWithResolvers<Message>) {
    this.#stream = stream;
    this.#envelope = new EnvelopeReader(format.maxBytes);
    this.#format = format;
    this.#outcome = outcome;
    if (stream.destroyed) this.#leave();
    else if (format.deadline !== undefined) this.#timer = this.#setTimer(format.deadline);
    stream.on("data", this.#take.bind(this));
    stream.on("end", this.#finish.bind(this));
    stream.on("close", this.#leave.bind(this));
  }

  #setTimer({ timeoutMs, leftMs }: Deadline): NodeJS.Timeout | undefined {
    const expire = (): void => this.#fail(deadlineExceeded(timeoutMs));
    if (leftMs > 0) return setTimeout(expire, leftMs);
    expire();
    return undefined;
  }

  #take(piece: Buffer<ArrayBuffer>): void {
    if (this.#outcome === undefined) return;
    try {
      this.#envelope.push(piece);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** A reset ends what is read, too. */
  #finish(): void {
    if (this.#stream.closed) this.#leave();
    if (this.#outcome === undefined) return;
    try {
      const message = this.#format.decode(this.#envelope.finish());
      this.#end()?.resolve(message);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #leave(): void {
    if (this.#outcome !== undefined) this.#fail(clientGone());
  }

  #fail(error: unknown): void {
    this.#end()?.reject(error);
  }

  /** Returns the outcome, where it is not over. */
  #end(): PromiseWithResolvers<Message> | undefined {
    const outcome = this.#outcome;
    this.#outcome = undefined;
    clearTimeout(this.#timer);
    return outcome;
  }
}
