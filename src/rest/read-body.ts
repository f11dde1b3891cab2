import { clientGone } from "../errors/client-gone.ts";
import { deadlineExceeded } from "../errors/deadline-exceeded.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { isLarge } from "../lib/breathe.ts";
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
  const outcome = Promise.withResolvers<Uint8Array>();
  new BodyReading(request, bounds, outcome);
  return outcome.promise;
}

/** One body while it arrives. Its listeners are bound methods: tsx names each arrow function as it is made, for a microsecond. */
class BodyReading {
  readonly #request: RestRequest;
  readonly #maxBytes: number;
  /** Undefined when it is over: the listeners stay as long as the request, and would keep the body. */
  #outcome: PromiseWithResolvers<Uint8Array> | undefined;
  #chunks: Uint8Array[] = [];
  /** Of a large body whose length is known, the beginning so far: to join its chunks at the end would hold others up. */
  #whole: Buffer | undefined;
  readonly #taken = this.#take.bind(this);
  readonly #ended = this.#finish.bind(this);
  readonly #gone = this.#fail.bind(this);
  readonly #timer: NodeJS.Timeout | undefined;
  #size = 0;

  constructor(request: RestRequest, { maxBytes, deadline }: BodyBounds, outcome: PromiseWithResolvers<Uint8Array>) {
    this.#outcome = outcome;
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

  #take(chunk: Uint8Array): void {
    if (this.#outcome === undefined) return;
    this.#keep(chunk);
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) this.#refuse(tooLarge(this.#maxBytes));
  }

  #keep(chunk: Uint8Array): void {
    if (this.#size === 0) this.#whole = this.#room();
    if (this.#whole === undefined) this.#chunks.push(chunk);
    else if (this.#size + chunk.length <= this.#whole.length) this.#whole.set(chunk, this.#size);
    else {
      // It is longer than was announced.
      this.#chunks.push(this.#whole.subarray(0, this.#size), chunk);
      this.#whole = undefined;
    }
  }

  #room(): Buffer | undefined {
    const length = announcedLength(this.#request);
    return isLarge(length) ? Buffer.allocUnsafeSlow(length) : undefined;
  }

  #finish(): void {
    if (this.#outcome === undefined) return;
    const chunks = this.#whole === undefined ? this.#chunks : [this.#whole.subarray(0, this.#size)];
    this.#settle()?.resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, this.#size));
  }

  #fail(): void {
    this.#settle()?.reject(clientGone());
  }

  #refuse(error: GatewayError): void {
    if (this.#outcome === undefined) return;
    this.#request.pause();
    this.#settle()?.reject(error);
  }

  /** Returns the outcome, where it is not over. The listeners stay, and hear nothing more: to take four off costs more than the rest of it. */
  #settle(): PromiseWithResolvers<Uint8Array> | undefined {
    const outcome = this.#outcome;
    this.#outcome = undefined;
    this.#chunks = [];
    this.#whole = undefined;
    clearTimeout(this.#timer);
    return outcome;
  }
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(Reason.REQUEST_TOO_LARGE, `the body is longer than ${maxBytes} bytes`);
}
