import { STATUS_CODES } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { constants, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import { GatewayError } from "../errors/gateway-error.ts";
import { toOpenAIError } from "../errors/openai-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { HttpResponse } from "../lib/http-exchange.ts";

/** An answer that the port gives by itself, because no handler can be given the request. */
export interface Refusal {
  readonly status: 400 | 408 | 413 | 417 | 431 | 501;
  /** What is wrong and the bound; written for the client. */
  readonly message: string;
}

/**
 * How long a socket that was told goodbye may stay, in milliseconds. Closing it at once would reset the connection while the
 * client still sends, and the reset can overtake the answer (RFC 9112 §9.6).
 */
export const LINGER_MS = 1_000;

const REASONS: Readonly<Partial<Record<Refusal["status"], Reason>>> = {
  408: Reason.REQUEST_TIMEOUT,
  413: Reason.REQUEST_TOO_LARGE,
  501: Reason.NOT_IMPLEMENTED,
};

const encodeBody = ({ status, message }: Refusal): string =>
  JSON.stringify(toOpenAIError(new GatewayError(REASONS[status] ?? Reason.INVALID_REQUEST, message)));

/**
 * Writes the refusal as plain HTTP/1.1 onto a socket that has no usable response object, and ends the connection: when the
 * client does, or after LINGER_MS.
 */
export function refuseSocket(socket: Duplex, refusal: Refusal): void {
  const body = encodeBody(refusal);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}`,
    "connection: close",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const hangUp = (): void => {
    socket.destroy();
  };
  const linger = setTimeout(hangUp, LINGER_MS).unref();
  // A client that does not wait for the answer makes the write fail; the socket is on its way out in any case.
  socket.on("error", hangUp).once("close", () => clearTimeout(linger));
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  // What the client still sends has to be read, even where nobody wants it: bytes left unread turn the close into a reset.
  socket.resume();
}

/** Sends the refusal through a response that nothing was written to. An HTTP/1.1 connection ends with it. */
export function refuseRequest(response: HttpResponse, refusal: Refusal): void {
  if (!(response instanceof Http2ServerResponse)) response.shouldKeepAlive = false;
  const body = encodeBody(refusal);
  response.statusCode = refusal.status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
}

/** Sends the refusal on a stream that nothing was written to, and tells the client to stop sending (RFC 9113 §8.1). */
export function refuseStream(stream: ServerHttp2Stream, refusal: Refusal): void {
  const body = encodeBody(refusal);
  stream.respond({
    ":status": refusal.status,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  stream.end(body);
  stream.close(constants.NGHTTP2_NO_ERROR);
}
