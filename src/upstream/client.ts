import type { Failure, Provider, WireRequest } from "../providers/provider.ts";
import type { Pieces } from "./piece-queue.ts";

/** An answer of a provider, whose body is still to be read. Whoever gets one reads it to its end, discards it, or releases it. */
export interface UpstreamAnswer extends Omit<Failure, "body"> {
  /** Whether the status is one of success, 200 to 299. */
  readonly ok: boolean;
  /**
   * The body as it comes: each piece is what was there at once. The iteration fails with a GatewayError (UPSTREAM_STREAM_INTERRUPTED,
   * UPSTREAM_INVALID_RESPONSE for a body that cannot be decompressed, or the signal's reason); leaving a loop over it closes the exchange.
   */
  readonly body: Pieces;
  /**
   * The whole body as text; without a promise where all of it is there. Fails with UPSTREAM_INVALID_RESPONSE when it has more bytes than
   * that, or is cut, and with the signal's reason.
   */
  text(maxBytes: number): string | Promise<string>;
  /** Closes the exchange, and the connection where there is more to come on it. Who waits for a piece gets the end. */
  discard(): void;
  /**
   * Ends the reading where nothing of meaning is to come: what is left is dropped, so that the connection can serve again. Closes it
   * when the body goes on for a second or for 64 KiB. The signal is not heeded from here on.
   */
  release(): void;
}

/** A request as it is sent: with a body as text, or as its bytes. */
export interface SentRequest extends Omit<WireRequest, "body" | "headers"> {
  /** Types of the answer that can be read. It is the header `accept`, unless the request has its own. */
  readonly accept?: string;
  readonly headers?: WireRequest["headers"] | undefined;
  readonly body?: string | Uint8Array | undefined;
}

/** The one way to providers: it keeps connections, follows the proxy of the environment, and redirects nowhere. */
export interface UpstreamClient {
  /**
   * Sends a request and waits for the head of its answer. Fails with a GatewayError that names the provider by its id:
   * UPSTREAM_UNREACHABLE where there is no connection, or where it ends before the head; UPSTREAM_INVALID_RESPONSE where what comes
   * is no HTTP; INTERNAL where the configured headers cannot be sent; and the reason of the signal, which closes the socket at once.
   */
  request(
    provider: Pick<Provider, "id" | "endpoint">,
    request: SentRequest,
    signal: AbortSignal,
  ): Promise<UpstreamAnswer>;
  /** Closes all connections; what still runs on them fails. */
  close(): Promise<void>;
}
