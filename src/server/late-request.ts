import type { Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import type { ServerOptions } from "./options.ts";
import type { Refusal, Refuser } from "./refuse.ts";
import { idOf } from "./request-id.ts";

/** Refuses a request on HTTP/2 that is not there in time; Node does so on HTTP/1.1 only. */
export function expireLateRequest(response: Http2ServerResponse, options: ServerOptions, refuse: Refuser): void {
  const { stream } = response;
  expireLateStream(stream, options, (late) => {
    response.statusCode = late.status; // For the log: what is sent goes past the response.
    refuse.stream(stream, late, idOf(response));
  });
}

/** Has the request of a stream refused that is not there in time. */
export function expireLateStream(
  stream: ServerHttp2Stream,
  { requestTimeoutMs }: ServerOptions,
  refuse: (late: Refusal) => void,
): void {
  if (stream.endAfterHeaders) return;
  const timer = setTimeout(() => {
    // Where an answer has begun, the two sides are talking (a call that streams both ways), and there is no whole request to wait for.
    if (stream.destroyed || stream.headersSent || stream.state.remoteClose === 1) return;
    refuse({ status: 408, message: `the request did not arrive within ${requestTimeoutMs} ms` });
  }, requestTimeoutMs);
  stream.on("close", () => clearTimeout(timer));
}
