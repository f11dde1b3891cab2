import { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import { createClientErrorListener } from "./client-error.ts";
import type { Connections } from "./connections.ts";
import type { Exchanges } from "./exchanges.ts";
import type { Port } from "./listen.ts";
import type { ServerOptions } from "./options.ts";
import { endStalledReader } from "./reader.ts";
import { type Refusal, refuseRequest, refuseSocket } from "./refuse.ts";

const NO_HOST: Refusal = { status: 400, message: "an HTTP/1.1 request must have a Host header" };
const NO_TUNNEL: Refusal = { status: 501, message: "the method CONNECT is not supported: this is not a proxy" };
const NO_EXPECTATION: Refusal = { status: 417, message: "the only expectation that can be met is 100-continue" };

/**
 * Brings requests of both protocols to the handler, and answers in the project's error shape what Node would answer without a
 * body: no Host, CONNECT, an unknown expectation, and what is not HTTP. Node itself answers `Expect: 100-continue`.
 */
export function serveRequests(
  port: Port,
  options: ServerOptions,
  exchanges: Exchanges,
  connections: Connections,
): void {
  const { handler, readerTimeoutMs } = options;

  const serve = (request: HttpRequest, response: HttpResponse): void => {
    if (request instanceof Http2ServerRequest || response instanceof Http2ServerResponse) answer(request, response);
    else if (exchanges.begin(request, response, () => answer(request, response))) connections.spoke(request.socket);
  };
  const answer = (request: HttpRequest, response: HttpResponse): void => {
    endStalledReader(response, readerTimeoutMs);
    // RFC 9112 §3.2. HTTP/2 has :authority, which RFC 9113 does not require.
    if (request.httpVersion === "1.1" && request.headers.host === undefined) refuseRequest(response, NO_HOST);
    else handler(request, response);
  };
  const refuseExpectation = (_request: HttpRequest, response: HttpResponse): void => {
    refuseRequest(response, NO_EXPECTATION);
  };
  const refuseTunnel = (_request: HttpRequest, target: Duplex | Http2ServerResponse): void => {
    if (target instanceof Http2ServerResponse) refuseRequest(target, NO_TUNNEL);
    else refuseSocket(target, NO_TUNNEL);
  };

  for (const server of new Set([port.listener, port.http2])) {
    server.on("request", serve);
    server.on("checkExpectation", refuseExpectation);
    server.on("connect", refuseTunnel);
  }
  port.listener.on("clientError", createClientErrorListener(options, exchanges));
}
