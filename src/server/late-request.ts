import type { Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import type { ServerOptions } from "./options.ts";
import type { Refusal, Refuser } from "./refuse.ts";
import { idOf } from "./request-id.ts";

/** Refuses a request on HTTP/2 that is not there in time; Node does so on HTTP/1.1 only. */
export function expireLateRequest(
  response: Http2ServerResponse,
  { requestTimeoutMs }: ServerOptions,
  refuse: Refuser,
): void {
  const { stream } = response;
  if (stream.endAfterHeaders) return;
  const timer = setTimeout(() => {
    if (!isLate(stream)) return;
    const late = lateRefusal(requestTimeoutMs);
    response.statusCode = late.status; // For the log: what is sent goes past the response.
    refuse.stream(stream, late, idOf(response));
  }, requestTimeoutMs);
  stream.on("close", () => clearTimeout(timer));
}

/**
 * Whether the request of a stream is not there, and is still waited for. Where an answer has begun, the two sides are talking (a call
 * that streams both ways), and there is no whole request to wait for.
 */
export const isLate = (stream: ServerHttp2Stream): boolean =>
  !stream.destroyed && !stream.headersSent && stream.state.remoteClose !== 1;

/** What is said of a request that was not there in time. */
export const lateRefusal = (timeoutMs: number): Refusal => ({
  status: 408,
  message: `the request did not arrive within ${timeoutMs} ms`,
});
