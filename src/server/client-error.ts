import type { Duplex } from "node:stream";
import type { Exchanges } from "./exchanges.ts";
import type { ServerOptions } from "./options.ts";
import type { Refusal, Refuser } from "./refuse.ts";
import { idOf } from "./request-id.ts";

/** An error of Node's HTTP/1.1 parser, of TLS, or of a socket. */
export interface ClientError extends Error {
  readonly code?: string;
  /** What the parser says is wrong, in fixed words: never bytes of the client's. */
  readonly reason?: string;
}

/** What to answer to an error, or undefined where the client does not speak HTTP, or does not listen any more. */
export function mapClientError(error: ClientError, options: ServerOptions): Refusal | undefined {
  const { code = "" } = error;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const { headersTimeoutMs, requestTimeoutMs } = options;
    return {
      status: 408,
      message: `the request did not arrive in time: headers within ${headersTimeoutMs} ms, the whole of it within ${requestTimeoutMs} ms`,
    };
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return { status: 431, message: `the request's headers must be <= ${options.maxHeaderBytes} bytes` };
  }
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") {
    return { status: 413, message: "the extensions of the request's chunks are too large" };
  }
  if (code.startsWith("HPE_")) {
    return { status: 400, message: `the request is not valid HTTP/1.1: ${error.reason ?? code}` };
  }
  return undefined;
}

/** Makes the listener of `clientError`: it answers where there is somebody to answer, and closes the connection. */
export function createClientErrorListener(
  options: ServerOptions,
  exchanges: Exchanges,
  refuse: Refuser,
): (error: ClientError, socket: Duplex) => void {
  return (error, socket) => {
    // Refused already; the parser complains again about everything that arrives until the socket is closed.
    if (socket.writableEnded) return;
    const refusal = mapClientError(error, options);
    if (refusal === undefined || !socket.writable || !exchanges.isAnswerable(socket)) socket.destroy();
    else refuse.socket(socket, refusal, idOf(exchanges.unfinishedResponse(socket)));
  };
}
