import { STATUS_CODES } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { constants, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import { GatewayError } from "../errors/gateway-error.ts";
import { toOpenAIError } from "../errors/openai-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import { requestId } from "../lib/ids.ts";
import { idOf, REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { sendJson } from "./send-json.ts";

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

/** Hears of each refusal, under the id that its answer has in `x-request-id`. */
export type RefusalListener = (requestId: string, refusal: Refusal) => void;

/** Gives the refusals. */
export interface Refuser {
  /**
   * Writes the refusal as plain HTTP/1.1 onto a socket that has no usable response object, and ends the connection: when the
   * client does, or after LINGER_MS. Without an id, it gets a new one.
   */
  socket(socket: Duplex, refusal: Refusal, id?: string): void;
  /** Sends the refusal through a response that nothing was written to. An HTTP/1.1 connection ends with it. */
  request(request: HttpRequest, response: HttpResponse, refusal: Refusal): void;
  /** Sends the refusal on a stream that nothing was written to, and tells the client to stop sending (RFC 9113 §8.1). */
  stream(stream: ServerHttp2Stream, refusal: Refusal, id?: string): void;
}

/** Makes the refuser of one port. */
export function createRefuser(onRefusal: RefusalListener): Refuser {
  return {
    socket(socket, refusal, id = requestId()) {
      writeAndHangUp(socket, refusal, id);
      onRefusal(id, refusal);
    },
    request(request, response, refusal) {
      if (!(response instanceof Http2ServerResponse)) response.shouldKeepAlive = false;
      const id = idOf(response) ?? requestIdOf(request.headers[REQUEST_ID_HEADER]);
      response.setHeader(REQUEST_ID_HEADER, id);
      sendJson(response, refusal.status, encodeBody(refusal));
      onRefusal(id, refusal);
    },
    stream(stream, refusal, id = requestId()) {
      const body = encodeBody(refusal);
      stream.respond({
        ":status": refusal.status,
        [REQUEST_ID_HEADER]: id,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      });
      stream.end(body);
      stream.close(constants.NGHTTP2_NO_ERROR);
      onRefusal(id, refusal);
    },
  };
}

function writeAndHangUp(socket: Duplex, refusal: Refusal, id: string): void {
  const body = encodeBody(refusal);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}`,
    "connection: close",
    `${REQUEST_ID_HEADER}: ${id}`,
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
