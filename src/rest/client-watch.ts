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
  return new Watch(response);
}

class Watch implements ClientWatch {
  readonly #response: RestResponse;
  readonly #controller = new AbortController();
  // Bound, and not an arrow function: tsx names each of those as it is made, for a microsecond.
  readonly #closed = this.#abort.bind(this);

  constructor(response: RestResponse) {
    this.#response = response;
    response.on("close", this.#closed);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    this.#response.off("close", this.#closed);
  }

  #abort(): void {
    this.#controller.abort(clientGone());
  }
}
