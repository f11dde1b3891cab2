import { constants, Http2ServerResponse, type ServerHttp2Stream } from "node:http2";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import { discardBody, hasUnreadBody } from "../lib/unread-body.ts";

/** How long a client on HTTP/2 may go on sending a request that is answered already, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * Sees to what is left of a request when its answer is out. Connect stops reading a request that it refuses, such as one that is
 * too large. The rest would keep the stream on HTTP/2 open, and the connection on HTTP/1.1 blocked, for as long as the client
 * likes.
 */
export function releaseUnreadBody(request: HttpRequest, response: HttpResponse): void {
  if (!(response instanceof Http2ServerResponse)) {
    response.once("finish", () => {
      if (hasUnreadBody(request)) discardBody(request);
    });
    return;
  }
  const { stream } = response;
  // The response itself says that it is finished only when the client has ended the stream, too.
  stream.once("finish", () => {
    if (!hasUnreadBody(request)) return;
    request.resume();
    lingerForRest(stream);
  });
}

/** Closes an HTTP/2 stream whose answer is out when the client has had its time to send the rest of the request. */
export function lingerForRest(stream: ServerHttp2Stream): void {
  // RFC 9113 §8.1. Done at once, it would overtake the trailers.
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
  stream.once("close", () => clearTimeout(timer));
}
