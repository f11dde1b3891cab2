import { constants, Http2ServerResponse, type ServerHttp2Stream } from "node:http2";
import type { HttpResponse } from "../lib/http-exchange.ts";

/**
 * Ends an exchange whose client has left an answer waiting, and taken none of it, for `timeoutMs`: the stream on HTTP/2, the
 * connection on HTTP/1.1. Else such a client would hold its call for as long as it likes, past the deadline too, which is not
 * heeded before there is room for what it says. Silence of ours does not count: where nothing waits to be sent, nothing ends.
 */
export function endStalledReader(response: HttpResponse, timeoutMs: number): void {
  if (response instanceof Http2ServerResponse) {
    endStalledStream(response.stream, timeoutMs);
    return;
  }
  // Node's timer of the socket starts again with each packet that the system takes; it is over when none was taken.
  response.setTimeout(timeoutMs);
  // Without this listener, Node would end HTTP/1.1 connections for silence.
  response.on("timeout", () => {
    if (response.writableLength > 0) response.destroy();
  });
}

/** The same for the answer on an HTTP/2 stream. */
export function endStalledStream(stream: ServerHttp2Stream, timeoutMs: number): void {
  stream.setTimeout(timeoutMs);
  stream.on("timeout", () => {
    if (stream.writableLength === 0) return;
    // The reset alone would have to wait behind all that is not taken, in case that it is the whole connection that is not read.
    stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy();
  });
}
