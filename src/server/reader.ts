import { ServerResponse } from "node:http";
import { constants, Http2ServerResponse, type ServerHttp2Stream } from "node:http2";
import type { HttpResponse } from "../lib/http-exchange.ts";

/**
 * Ends an exchange whose client has left an answer waiting, and taken none of it, for `timeoutMs`: the stream on HTTP/2, the
 * connection on HTTP/1.1. Else such a client would hold its call for as long as it likes, past the deadline too, which is not
 * heeded before there is room for what it says. Silence of ours does not count: where nothing waits to be sent, nothing ends.
 */
export function endStalledReader(answer: HttpResponse | ServerHttp2Stream, timeoutMs: number): void {
  if (answer instanceof Http2ServerResponse) {
    endStalledReader(answer.stream, timeoutMs);
    return;
  }
  // Node's timer starts again with each packet that the system takes; it is over when none was taken.
  answer.setTimeout(timeoutMs);
  // Without this listener, Node would end HTTP/1.1 connections for silence.
  answer.on("timeout", () => {
    if (answer.writableLength === 0) return;
    // On HTTP/2, the reset alone would have to wait behind all that is not taken, in case that it is the whole connection that is not read.
    if (!(answer instanceof ServerResponse)) answer.close(constants.NGHTTP2_CANCEL);
    answer.destroy();
  });
}
