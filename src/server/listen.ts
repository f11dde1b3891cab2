import http from "node:http";
import http2 from "node:http2";
import type net from "node:net";
import type { ServerChange, ServerOptions, TlsIdentity } from "./options.ts";
import type { Refuser } from "./refuse.ts";
import { createSniffer } from "./sniff.ts";

/** One port with two protocols behind it. Under TLS both fields are the same server. */
export interface Port {
  /** What listens: every connection is its, and it speaks HTTP/1.1. */
  readonly listener: http.Server | TlsServer;
  /** What speaks HTTP/2. */
  readonly http2: http2.Http2Server | TlsServer;
}

/** A server with both protocols has these members of HTTP/1.1's too, though its declaration lacks them. */
type TlsServer = http2.Http2SecureServer & Pick<http.Server, "closeIdleConnections" | "requestTimeout">;

/** Node looks for expired HTTP/1.1 requests this often, at most; its own default of 30 s would add that much to every timeout. */
const MAX_CHECK_INTERVAL_MS = 1_000;

/** Finds peers that vanished without a word while a long answer is silent. */
export const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Bounds on what one HTTP/2 client may do to us. A gateway's clients do cancel a lot: a proxy that carries many users may reset
 * hundreds of streams a second, where a "rapid reset" attack (CVE-2023-44487) makes a hundred thousand.
 */
const FLOOD_LIMITS = {
  /** Resets at once before the session is ended, and how many a second are forgiven. */
  streamResetBurst: 10_000,
  streamResetRate: 1_000,
  /** Frames that make no sense. */
  maxSessionInvalidFrames: 100,
  maxSettings: 32,
} as const satisfies http2.ServerSessionOptions;

/**
 * What a stream may hold in buffers, in bytes, before the session takes no more streams. Node's own limit of 10 MB a session broke
 * one with a thousand streams and a slow reader, 60 kB waiting in each.
 */
const STREAM_MEMORY = 64 * 1024;

/** Makes the port's servers, not yet listening. Throws if the TLS key and certificate cannot be used. */
export function createPort(options: ServerOptions, refuse: Refuser): Port {
  const port = options.tls === undefined ? createPlainPort(options, refuse) : createTlsPort(options, options.tls);
  port.listener.maxConnections = options.maxConnections;
  return port;
}

/** Changes what Node lets be changed of servers that listen. Throws before anything is changed if key and certificate cannot be used. */
export function changePort({ listener }: Port, { tls, maxConnections, requestTimeoutMs }: ServerChange): void {
  if (tls !== undefined && "setSecureContext" in listener) withIdentity(() => listener.setSecureContext(tls));
  listener.maxConnections = maxConnections;
  listener.requestTimeout = requestTimeoutMs;
}

/**
 * The HTTP/1.1 server listens, so that Node enforces its timeouts and keeps its list of idle connections (it does neither for a
 * server that never listens); sockets that open with the HTTP/2 preface are handed to a server that does not listen.
 */
function createPlainPort(options: ServerOptions, refuse: Refuser): Port {
  const listener = http.createServer(http1Options(options));
  const h2 = http2.createServer(http2Options(options));
  const serve = listener.listeners("connection") as ((socket: net.Socket) => void)[];
  const sniff = createSniffer(
    {
      http1: (socket) => {
        for (const accept of serve) accept.call(listener, socket);
      },
      http2: (socket) => {
        // Sockets of an HTTP/1.1 server stay open when the client closes its side, for that server to end them. A session does
        // not: it would keep its streams, and never hear that the client is gone.
        socket.allowHalfOpen = false;
        h2.emit("connection", socket);
      },
    },
    options.headersTimeoutMs,
    refuse,
  );
  listener.removeAllListeners("connection").on("connection", sniff);
  return { listener, http2: h2 };
}

function createTlsPort(options: ServerOptions, tls: TlsIdentity): Port {
  const settings = {
    ...http1Options(options),
    ...http2Options(options),
    ...tls,
    allowHTTP1: true,
    handshakeTimeout: options.headersTimeoutMs,
  };
  const server = withIdentity(() => http2.createSecureServer(settings) as TlsServer);
  return { listener: server, http2: server };
}

/** Does what needs key and certificate, and says so where they are the reason that it fails. */
function withIdentity<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new Error("the TLS key and certificate cannot be used; both must be PEM, and belong together", { cause });
  }
}

const http1Options = (options: ServerOptions) =>
  ({
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, Math.ceil(options.headersTimeoutMs / 2)),
    maxHeaderSize: options.maxHeaderBytes,
    // Node's own 400 for a missing Host has no body; see requests.ts for ours.
    requireHostHeader: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  }) satisfies http.ServerOptions;

const http2Options = (options: ServerOptions) =>
  ({
    settings: { maxConcurrentStreams: options.maxConcurrentStreams, maxHeaderListSize: options.maxHeaderBytes },
    // In units of 1,000,000 bytes, and not below Node's default.
    maxSessionMemory: Math.max(10, Math.ceil((options.maxConcurrentStreams * STREAM_MEMORY) / 1_000_000)),
    // Refusals in a row until the session is ended: a client may open this many too many before it has read our settings.
    maxSessionRejectedStreams: options.maxConcurrentStreams,
    ...FLOOD_LIMITS,
  }) satisfies http2.ServerOptions;
