import { clientGone } from "../errors/client-gone.ts";
import type { RestResponse } from "./exchange.ts";

/** Tells whether the client of one exchange is still there. */
export interface ClientWatch {
  /** Aborted with a GatewayError of reason CANCELLED as soon as the client is gone. */
  readonly signal: AbortSignal;
  /** Ends the watch; after that, nothing aborts the signal. To be called before the response ends by itself. */
  release(): void;
}

/**
 * Watches a response: when it closes, the client is gone, be it its connection or the stream of an HTTP/2 connection.
 */
export function watchClient(response: RestResponse): ClientWatch {
  const controller = new AbortController();
  const abort = (): void => controller.abort(clientGone());
  response.on("close", abort);
  return { signal: controller.signal, release: () => void response.off("close", abort) };
}
