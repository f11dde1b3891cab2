import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Address } from "../lib/address.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import { MAX_TIMER_MS } from "../lib/sleep.ts";
import type { RefusalListener } from "./refuse.ts";

/**
 * Answers every request, whatever its protocol. It answers its own failures too: what it throws is nobody's, and ends the
 * process.
 */
export type RequestHandler = (request: HttpRequest, response: HttpResponse) => void;

/**
 * Answers a request on its own stream of HTTP/2, and returns the id that its answer has; undefined for a request that it leaves to
 * the other handler. It is the same with its failures.
 */
export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => string | undefined;

/** A private key and the chain of its certificate, as PEM text. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/** Where connections come from in the place of a port of one's own: another process accepts them, and gives this one some. */
export interface ConnectionSource {
  /** Where that process listens. */
  readonly address: Address;
  /** Has each connection given to a server from now on. */
  open(take: (socket: Socket) => void): void;
  /** Takes no more of them. */
  close(): void;
}

/** What a server is made of. Times are whole milliseconds. */
export interface ServerOptions {
  /** Address or host name to listen on. */
  readonly host: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** Set: it does not listen itself. */
  readonly source?: ConnectionSource | undefined;
  /** With it the port speaks TLS and the client chooses by ALPN; without, HTTP/2 is told from HTTP/1.1 by its preface. */
  readonly tls?: TlsIdentity;
  /** Time for the first byte, for a TLS handshake, for the headers of a request, and for the settings of an HTTP/2 client. */
  readonly headersTimeoutMs: number;
  /** Time to receive a whole request, body included. Time that the answer takes is not counted. */
  readonly requestTimeoutMs: number;
  /** How long a connection may stay open with nothing asked on it. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may take nothing of an answer that waits for it. */
  readonly readerTimeoutMs: number;
  /** Connections at once. The next one is closed as soon as it is accepted. */
  readonly maxConnections: number;
  /** Request line and headers together, in bytes. */
  readonly maxHeaderBytes: number;
  /** Streams at once on one HTTP/2 connection. */
  readonly maxConcurrentStreams: number;
  readonly handler: RequestHandler;
  /** Is asked first, for each request on HTTP/2. */
  readonly streamHandler: StreamHandler;
  /** Hears of the requests that the port refuses by itself. */
  readonly onRefusal: RefusalListener;
}

/** What can be changed of a server that listens. */
export interface ServerChange {
  /** For connections that come from now on; whether there is TLS at all does not change. */
  readonly tls: TlsIdentity | undefined;
  readonly maxConnections: number;
  readonly requestTimeoutMs: number;
}

/** Options as they are given: what is left out takes its default. */
export type GivenServerOptions = Partial<ServerOptions> & Pick<ServerOptions, "host" | "port" | "handler">;

/** The defaults, each with its reason. */
export const SERVER_DEFAULTS = {
  /** Far above a slow mobile link's round trips, and short enough that a thousand silent sockets are soon gone. */
  headersTimeoutMs: 10_000,
  /** 32 MiB of images in five minutes is 900 kbit/s. */
  requestTimeoutMs: 300_000,
  /** Above the 60 s at which common load balancers let go, so that it is they who close and no request meets a closing socket. */
  keepAliveTimeoutMs: 75_000,
  /** What proxies commonly grant between two reads. The system's own buffers come on top: they are full before it counts. */
  readerTimeoutMs: 60_000,
  maxConnections: 10_000,
  /** Four times Node's own default: gateways in front add long tokens and traces. */
  maxHeaderBytes: 64 * 1024,
  /** Ten times the least that RFC 9113 §6.5.2 recommends: one proxy may carry the streams of many users. */
  maxConcurrentStreams: 1_000,
  /** All requests are the other handler's. */
  streamHandler: () => undefined,
  onRefusal: () => undefined,
} as const satisfies Partial<ServerOptions>;

const BOUNDS = {
  port: [0, 65_535],
  headersTimeoutMs: [1, MAX_TIMER_MS],
  requestTimeoutMs: [1, MAX_TIMER_MS],
  keepAliveTimeoutMs: [1, MAX_TIMER_MS],
  readerTimeoutMs: [1, MAX_TIMER_MS],
  maxConnections: [1, 2 ** 31 - 1],
  maxHeaderBytes: [1_024, 16 * 1024 * 1024],
  maxConcurrentStreams: [1, 2 ** 31 - 1],
} as const satisfies Partial<Record<keyof ServerOptions, readonly [number, number]>>;

/** Fills in the defaults. Throws a RangeError that names the option, its value and its bound. */
export function completeServerOptions(given: GivenServerOptions): ServerOptions {
  const options: ServerOptions = { ...SERVER_DEFAULTS, ...given };
  for (const name of Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]) {
    const [least, most] = BOUNDS[name];
    const value = options[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`server option ${name}: ${value} must be an integer from ${least} to ${most}`);
    }
  }
  if (options.headersTimeoutMs > options.requestTimeoutMs) {
    throw new RangeError(
      `server option headersTimeoutMs: ${options.headersTimeoutMs} must be <= requestTimeoutMs, ${options.requestTimeoutMs}`,
    );
  }
  return options;
}
