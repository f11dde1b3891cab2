import { clientGone } from "../errors/client-gone.ts";
import { deadlineExceeded } from "../errors/deadline-exceeded.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { announcedLength } from "../lib/unread-body.ts";
import type { RestRequest } from "./exchange.ts";

/** What a body may take. */
export interface BodyBounds {
  readonly maxBytes: number;
  /** The time that the client gives the call, and what is left of it, in milliseconds; undefined: nothing here bounds the time. */
  readonly deadline: { readonly timeoutMs: number; readonly leftMs: number } | undefined;
}

/**
 * Reads the whole body of a request. Throws a GatewayError: REQUEST_TOO_LARGE as soon as it is announced, or found, to
 * be longer than `maxBytes`, and DEADLINE_EXCEEDED when it is not there in time, with the rest of it left unread;
 * CANCELLED when the client goes away.
 */
export function readBody(request: RestRequest, bounds: BodyBounds): Promise<Uint8Array> {
  const { maxBytes } = bounds;
  if (announcedLength(request) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  if (request.aborted) return Promise.reject(clientGone());
  return new BodyReading(request, bounds).done;
}

/** One body while it arrives. Its listeners are bound methods: tsx names each arrow function as it is made, for a microsecond. */
class BodyReading {
  readonly #request: RestRequest;
  readonly #maxBytes: number;
  readonly #outcome = Promise.withResolvers<Uint8Array>();
  #chunks: Uint8Array[] = [];
  readonly #taken = this.#take.bind(this);
  readonly #ended = this.#finish.bind(this);
  readonly #gone = this.#fail.bind(this);
  readonly #timer: NodeJS.Timeout | undefined;
  #size = 0;
  #isOver = false;

  constructor(request: RestRequest, { maxBytes, deadline }: BodyBounds) {
    this.#request = request;
    this.#maxBytes = maxBytes;
    if (deadline !== undefined) {
      const { timeoutMs, leftMs } = deadline;
      this.#timer = setTimeout(() => this.#refuse(deadlineExceeded(timeoutMs)), Math.max(0, leftMs));
    }
    request.on("data", this.#taken);
    request.on("end", this.#ended);
    request.on("close", this.#gone);
    request.on("error", this.#gone);
  }

  /** The whole body. */
  get done(): Promise<Uint8Array> {
    return this.#outcome.promise;
  }

  #take(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) this.#refuse(tooLarge(this.#maxBytes));
  }

  #finish(): void {
    if (this.#isOver) return;
    const chunks = this.#chunks;
    this.#settle();
    this.#outcome.resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, this.#size));
  }

  #fail(): void {
    if (this.#isOver) return;
    this.#settle();
    this.#outcome.reject(clientGone());
  }

  #refuse(error: GatewayError): void {
    if (this.#isOver) return;
    this.#request.pause();
    this.#settle();
    this.#outcome.reject(error);
  }

  /** The listeners stay, and hear nothing more: to take four off costs more than the rest of it. */
  #settle(): void {
    this.#isOver = true;
    this.#chunks = [];
    clearTimeout(this.#timer);
  }
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(Reason.REQUEST_TOO_LARGE, `the body is longer than ${maxBytes} bytes`);
}
