import type { Http2ServerResponse } from "node:http2";
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
  const late: Refusal = { status: 408, message: `the request did not arrive within ${requestTimeoutMs} ms` };
  const expire = (): void => {
    // Where an answer has begun, the two sides are talking (a call that streams both ways), and there is no whole request to wait for.
    if (stream.destroyed || stream.headersSent || stream.state.remoteClose === 1) return;
    response.statusCode = late.status; // For the log: what is sent goes past the response.
    refuse.stream(stream, late, idOf(response));
  };
  const timer = setTimeout(expire, requestTimeoutMs);
  stream.once("close", () => clearTimeout(timer));
}
