import type { ServerHttp2Stream } from "node:http2";
import { type Due, DueList } from "../lib/due-list.ts";
import type { Listed } from "../lib/roster.ts";
import { isLate, lateRefusal } from "./late-request.ts";
import type { ServerOptions } from "./options.ts";
import { endStalledStream } from "./reader.ts";
import type { Refuser } from "./refuse.ts";

/** Watches a stream from its beginning to its close. `id`: what its answer has. */
export type WatchStream = (stream: ServerHttp2Stream, id: string) => void;

/**
 * Makes the watch of all streams: it refuses requests that are not there in time, and ends streams whose clients take nothing of their
 * answers. One timer for all costs less than two for each, and hardly any stream is open for so long.
 */
export function createStreamWatch(options: ServerOptions, refuse: Refuser): WatchStream {
  const open = new DueList<WatchedStream>();
  return (stream, id) => {
    const watched = new WatchedStream(stream, id, options, refuse);
    open.add(watched);
    stream.on("close", () => open.delete(watched));
  };
}

/** How often it is looked for an answer that waits, in the time that a client may take nothing of it. */
const LOOKS = 4;

class WatchedStream implements Due, Listed {
  place = -1;
  readonly #stream: ServerHttp2Stream;
  readonly #id: string;
  readonly #refuse: Refuser;
  readonly #requestTimeoutMs: number;
  readonly #readerTimeoutMs: number;
  /** When the request has to be there. */
  #requestAt: number;
  /** When it is looked next for an answer that waits. */
  #lookAt: number;

  constructor(
    stream: ServerHttp2Stream,
    id: string,
    { requestTimeoutMs, readerTimeoutMs }: ServerOptions,
    refuse: Refuser,
  ) {
    const now = performance.now();
    this.#stream = stream;
    this.#id = id;
    this.#refuse = refuse;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#readerTimeoutMs = readerTimeoutMs;
    this.#requestAt = stream.endAfterHeaders ? Number.POSITIVE_INFINITY : now + requestTimeoutMs;
    this.#lookAt = now + readerTimeoutMs / LOOKS;
  }

  get dueAt(): number {
    return Math.min(this.#requestAt, this.#lookAt);
  }

  due(): void {
    const now = performance.now();
    if (this.#requestAt <= now) this.#expire();
    if (this.#lookAt <= now) this.#look(now);
  }

  #expire(): void {
    this.#requestAt = Number.POSITIVE_INFINITY;
    if (isLate(this.#stream)) this.#refuse.stream(this.#stream, lateRefusal(this.#requestTimeoutMs), this.#id);
  }

  /** A stream with something that waits gets a timer of its own: Node's, which knows whether any of it was taken. */
  #look(now: number): void {
    if (this.#stream.writableLength === 0) {
      this.#lookAt = now + this.#readerTimeoutMs / LOOKS;
      return;
    }
    this.#lookAt = Number.POSITIVE_INFINITY;
    endStalledStream(this.#stream, this.#readerTimeoutMs);
  }
}
