import type { AnswerHeaders, RestResponse } from "./exchange.ts";

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
  /** Writes the last events and ends the response. */
  end(events: string): void;
  /** Stops the comments. To be called in the end, however it came. */
  release(): void;
}

/**
 * Makes the writer of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). A stream that
 * is silent from its start on is committed by its first comment.
 */
export function createSseWriter(response: RestResponse, { headers, keepAliveMs, signal }: SseOptions): SseWriter {
  let committed = false;
  let behind = false;

  const commit = (): void => {
    if (committed) return;
    committed = true;
    response.writeHead(200, [...HEADERS, ...headers()]);
  };
  // One timer for the whole stream: a refresh only moves it to the end of node's list.
  const timer = setTimeout(() => {
    timer.refresh();
    // A reader that is behind has enough to read.
    if (behind || signal.aborted) return;
    commit();
    response.write(COMMENT);
  }, keepAliveMs);
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      behind = true;
      const settle = (): void => {
        behind = false;
        response.off("drain", settle);
        response.off("close", settle);
        resolve();
      };
      response.on("drain", settle);
      response.on("close", settle);
    });

  return {
    get committed() {
      return committed;
    },
    write(events) {
      if (signal.aborted) return undefined;
      commit();
      timer.refresh();
      return response.write(events) ? undefined : drained();
    },
    end(events) {
      if (signal.aborted) return;
      commit();
      response.end(events);
    },
    release: () => clearTimeout(timer),
  };
}
