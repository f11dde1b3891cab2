import type { Endpoint, Failure, WireRequest } from "../providers/provider.ts";

/** An answer of a provider, whose body is still to be read. Whoever gets one reads it to its end, or discards it. */
export interface UpstreamAnswer extends Omit<Failure, "body"> {
  /** Whether the status is one of success. */
  readonly ok: boolean;
  /**
   * The body as it comes. The iteration fails with a GatewayError (UPSTREAM_STREAM_INTERRUPTED, or the signal's reason); leaving it
   * early closes the exchange.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body as text. Fails as the iteration does, and with UPSTREAM_INVALID_RESPONSE when it has more bytes than that. */
  text(maxBytes: number): Promise<string>;
  /** Closes the exchange without reading on. */
  discard(): void;
}

/** The one way to providers: it keeps connections, follows the proxy of the environment, and redirects nowhere. */
export interface UpstreamClient {
  /**
   * Sends a request and waits for the head of its answer. Fails with a GatewayError: UPSTREAM_UNREACHABLE where there is no
   * connection, UPSTREAM_STREAM_INTERRUPTED where it ends before the head, and the reason of the signal, which closes the socket
   * at once.
   */
  request(endpoint: Endpoint, request: WireRequest, signal: AbortSignal): Promise<UpstreamAnswer>;
  /** Closes all connections. */
  close(): Promise<void>;
}
