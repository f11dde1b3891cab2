import type { Due, DueList } from "../lib/due-list.ts";
import type { Listed } from "../lib/roster.ts";
import type { AnswerHeaders, RestResponse, RestSocket } from "./exchange.ts";

/**
 * The headers of every event stream. Of a connection's keep-alive, Node tells on HTTP/1.1 by itself; HTTP/2 has no such
 * header.
 */
const HEADERS: AnswerHeaders = [
  ...["content-type", "text/event-stream; charset=utf-8"],
  // Proxies must neither keep events back nor pack them.
  ...["cache-control", "no-cache, no-transform"],
  ...["x-accel-buffering", "no"],
];
const COMMENT = ": keep-alive\n\n";

/** What a writer of events needs. */
export interface SseOptions {
  /** The other headers; called once, when they are sent. */
  headers(): AnswerHeaders;
  /** After so many milliseconds without a word, and each time again, a comment is sent. */
  readonly keepAliveMs: number;
  /** Aborted when the response is closed. */
  readonly signal: AbortSignal;
  readonly open: OpenWriters;
}

/** The one writer of an event stream. */
export interface SseWriter {
  /** Whether the status and the headers are sent. */
  readonly committed: boolean;
  /**
   * Writes events, whole ones; the first time, behind the status 200 and the headers. A promise: the reader is behind,
   * and nothing should be written before it is resolved. It resolves too when the response is closed, and after that
   * nothing is written.
   */
  write(events: string): Promise<void> | undefined;
  /** Keeps events back, which are written before all that is written next. */
  hold(events: string): void;
  /** Writes the last events and ends the response. */
  end(events: string): void;
  /** Stops the comments. To be called in the end, however it came. */
  release(): void;
}

/** The writers of streams that are open: each is told when it was silent for long. One timer for all costs less than one for each. */
export type OpenWriters = DueList<Due & Listed>;

/**
 * Makes the writer of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). A stream that
 * is silent from its start on is committed by its first comment.
 */
export function createSseWriter(response: RestResponse, options: SseOptions): SseWriter {
  return new Writer(response, options);
}

class Writer implements SseWriter, Due, Listed {
  place = -1;
  dueAt: number;
  readonly #response: RestResponse;
  readonly #options: SseOptions;
  #isCommitted = false;
  #isBehind = false;
  #held = "";

  constructor(response: RestResponse, options: SseOptions) {
    this.#response = response;
    this.#options = options;
    this.dueAt = performance.now() + options.keepAliveMs;
    options.open.add(this);
  }

  get committed(): boolean {
    return this.#isCommitted;
  }

  write(events: string): Promise<void> | undefined {
    if (this.#options.signal.aborted) return undefined;
    this.#spoke();
    const text = this.#withHeld(events);
    const socket = this.#isCommitted ? this.#socket() : undefined;
    if (socket === undefined) {
      this.#commit();
      return this.#response.write(text) ? undefined : this.#drained(this.#response);
    }
    return socket.write(chunkOf(text)) ? undefined : this.#drained(socket);
  }

  hold(events: string): void {
    this.#held = this.#withHeld(events);
  }

  end(events: string): void {
    if (this.#options.signal.aborted) return;
    this.#commit();
    this.#response.end(this.#withHeld(events));
  }

  release(): void {
    this.#options.open.delete(this);
  }

  /** It was silent for long. */
  due(): void {
    this.#spoke();
    // A reader that is behind has enough to read.
    if (this.#isBehind || this.#options.signal.aborted) return;
    this.#commit();
    this.#response.write(this.#withHeld(COMMENT));
  }

  #withHeld(events: string): string {
    if (this.#held === "") return events;
    const held = this.#held;
    this.#held = "";
    return held + events;
  }

  #spoke(): void {
    this.dueAt = performance.now() + this.#options.keepAliveMs;
  }

  #commit(): void {
    if (this.#isCommitted) return;
    this.#isCommitted = true;
    this.#response.writeHead(200, [...HEADERS, ...this.#options.headers()]);
  }

  /**
   * What events behind the first ones can be written to as one piece. The response would write each as four: the length of the chunk, a line
   * end, the events, a line end. That takes twice as long. Undefined where the body is not sent in chunks, or the connection is going.
   */
  #socket(): RestSocket | undefined {
    if (this.#response.chunkedEncoding !== true) return undefined;
    const { socket } = this.#response;
    return socket?.writable === true ? socket : undefined;
  }

  /** `source`: what was written to. */
  #drained(source: Pick<RestSocket, "on" | "off">): Promise<void> {
    const response = this.#response;
    return new Promise((resolve) => {
      this.#isBehind = true;
      const settle = (): void => {
        this.#isBehind = false;
        source.off("drain", settle);
        response.off("close", settle);
        resolve();
      };
      source.on("drain", settle);
      response.on("close", settle);
    });
  }
}

/** A chunk of the transfer coding (RFC 9112, 7.1). */
const chunkOf = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
