import { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import { DueList } from "../lib/due-list.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import { createClientErrorListener } from "./client-error.ts";
import type { Connections } from "./connections.ts";
import type { Exchanges } from "./exchanges.ts";
import { expireLateRequest } from "./late-request.ts";
import type { Port } from "./listen.ts";
import type { ServerOptions } from "./options.ts";
import type { Refusal, Refuser } from "./refuse.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { serveStreams } from "./streams.ts";
import { WatchedReader } from "./watched-reader.ts";

const NO_HOST: Refusal = { status: 400, message: "an HTTP/1.1 request must have one Host header" };
const NO_TUNNEL: Refusal = { status: 501, message: "the method CONNECT is not supported: this is not a proxy" };
const NO_EXPECTATION: Refusal = { status: 417, message: "the only expectation that can be met is 100-continue" };

/** The parts of a port that requests meet. */
export interface Parts {
  readonly refuse: Refuser;
  readonly exchanges: Exchanges;
  readonly connections: Connections;
}

/**
 * Brings requests of both protocols to the handler, and answers in the project's error shape what Node would answer without a
 * body: no Host, CONNECT, an unknown expectation, and what is not HTTP. Node itself answers `Expect: 100-continue`.
 */
export function serveRequests(port: Port, options: ServerOptions, { refuse, exchanges, connections }: Parts): void {
  const { handler, readerTimeoutMs } = options;
  const readers = new DueList<WatchedReader>();

  const serve = (request: HttpRequest, response: HttpResponse): void => {
    if (response instanceof Http2ServerResponse || request instanceof Http2ServerRequest) {
      if (response instanceof Http2ServerResponse) expireLateRequest(response, options, refuse);
      answer(request, response);
    } else if (exchanges.begin(request, response, () => answer(request, response))) {
      connections.spoke(request.socket);
    }
  };
  const answer = (request: HttpRequest, response: HttpResponse): void => {
    const reader = new WatchedReader(response, readerTimeoutMs);
    readers.add(reader);
    response.on("close", () => readers.delete(reader));
    // RFC 9112 §3.2. HTTP/2 has :authority, which RFC 9113 does not require.
    if (request.httpVersion === "1.1" && countHosts(request) !== 1) refuse.request(request, response, NO_HOST);
    else handler(request, response);
  };
  const refuseExpectation = (request: HttpRequest, response: HttpResponse): void => {
    refuse.request(request, response, NO_EXPECTATION);
  };
  const refuseTunnel = (request: HttpRequest, target: Duplex | Http2ServerResponse): void => {
    if (target instanceof Http2ServerResponse) refuse.request(request, target, NO_TUNNEL);
    else if (!exchanges.isAnswerable(target)) target.destroy();
    else refuse.socket(target, NO_TUNNEL, requestIdOf(request.headers[REQUEST_ID_HEADER]));
  };

  for (const server of new Set([port.listener, port.http2])) {
    server.on("request", serve);
    server.on("checkExpectation", refuseExpectation);
    server.on("connect", refuseTunnel);
  }
  serveStreams(port.http2, options, refuse);
  port.listener.on("clientError", createClientErrorListener(options, exchanges, refuse));
}

/** Counts the Host headers; of several, Node would show the first. */
function countHosts({ rawHeaders }: HttpRequest): number {
  let count = 0;
  // Names and values take turns.
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === "host") count += 1;
  return count;
}
