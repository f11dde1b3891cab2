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
  return new Promise((resolve, reject) => {
    new RequestReader(stream, format, resolve, reject);
  });
}

class RequestReader {
  readonly #stream: ServerHttp2Stream;
  readonly #envelope: EnvelopeReader;
  readonly #format: RequestFormat;
  readonly #resolve: (message: Message | Promise<Message>) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    stream: ServerHttp2Stream,
    format: RequestFormat,
    resolve: (message: Message | Promise<Message>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#stream = stream;
    this.#envelope = new EnvelopeReader(format.maxBytes);
    this.#format = format;
    this.#resolve = resolve;
    this.#reject = reject;
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
    if (this.#isOver) return;
    try {
      this.#envelope.push(piece);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** A reset ends what is read, too. */
  #finish(): void {
    if (this.#stream.closed) this.#leave();
    if (this.#isOver) return;
    try {
      const message = this.#format.decode(this.#envelope.finish());
      this.#end();
      this.#resolve(message);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #leave(): void {
    if (!this.#isOver) this.#fail(clientGone());
  }

  #fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
