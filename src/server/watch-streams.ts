import type { ServerHttp2Stream } from "node:http2";
import { DueList } from "../lib/due-list.ts";
import { isLate, lateRefusal } from "./late-request.ts";
import type { ServerOptions } from "./options.ts";
import type { Refuser } from "./refuse.ts";
import { WatchedReader } from "./watched-reader.ts";

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

class WatchedStream extends WatchedReader {
  readonly #stream: ServerHttp2Stream;
  readonly #id: string;
  readonly #refuse: Refuser;
  readonly #requestTimeoutMs: number;
  /** When the request has to be there. */
  #requestAt: number;

  constructor(
    stream: ServerHttp2Stream,
    id: string,
    { requestTimeoutMs, readerTimeoutMs }: ServerOptions,
    refuse: Refuser,
  ) {
    super(stream, readerTimeoutMs);
    this.#stream = stream;
    this.#id = id;
    this.#refuse = refuse;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#requestAt = stream.endAfterHeaders ? Number.POSITIVE_INFINITY : performance.now() + requestTimeoutMs;
  }

  override get dueAt(): number {
    return Math.min(this.#requestAt, super.dueAt);
  }

  override due(): void {
    if (this.#requestAt <= performance.now()) this.#expire();
    super.due();
  }

  #expire(): void {
    this.#requestAt = Number.POSITIVE_INFINITY;
    if (isLate(this.#stream)) this.#refuse.stream(this.#stream, lateRefusal(this.#requestTimeoutMs), this.#id);
  }
}
