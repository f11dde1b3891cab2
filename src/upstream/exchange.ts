import type { IncomingHttpHeaders } from "node:http";
import { type Dispatcher, interceptors } from "undici";
import type { GatewayError } from "../errors/gateway-error.ts";
import { invalidResponse } from "../providers/upstream-error.ts";
import type { UpstreamAnswer } from "./client.ts";
import { PieceQueue, type PieceSource, type Pieces } from "./piece-queue.ts";
import { faultBeforeHead, faultInBody, faultInStream } from "./upstream-fault.ts";

/** How long, and for how many bytes, a body that nobody wants may go on before its connection is closed. */
const RELEASE_MS = 1_000;
const RELEASE_BYTES = 64 * 1024;

const utf8 = new TextDecoder();

/**
 * One request and its answer, as the client's handler. It listens to the signal as long as it runs, and closes the connection when
 * the signal is aborted.
 */
export class Exchange implements Dispatcher.DispatchHandler, UpstreamAnswer, PieceSource {
  /** Resolves with this when the head of the answer is there. */
  readonly head: Promise<UpstreamAnswer>;
  status = 0;
  receivedAt = 0;

  readonly #provider: string;
  readonly #signal: AbortSignal;
  readonly #pieces: PieceQueue;
  readonly #outcome = Promise.withResolvers<UpstreamAnswer>();
  #controller: Dispatcher.DispatchController | undefined;
  #headers: IncomingHttpHeaders = {};
  /** Undoes the compression of the answer, and gives the rest to this. Few servers compress what they were asked not to. */
  #unpacking: Dispatcher.DispatchHandler | undefined;
  /** Whether only the whole body is of use to whoever reads it. */
  #isWhole = false;
  #isOver = false;
  /** What closed it from this side, when its connection was not there yet. */
  #closedBy: Error | undefined;
  /** Bytes that may still be dropped, once it is released. */
  #released: number | undefined;
  #releaseTimer: NodeJS.Timeout | undefined;

  constructor(provider: string, signal: AbortSignal) {
    this.#provider = provider;
    this.#signal = signal;
    this.head = this.#outcome.promise;
    this.#pieces = new PieceQueue(this);
    signal.addEventListener("abort", this);
  }

  // What readers of the answer see.

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get body(): Pieces {
    return this.#pieces;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  text(maxBytes: number): string | Promise<string> {
    this.#isWhole = true;
    // A small body is there with its head.
    const all = this.#pieces.all();
    if (all === undefined) return this.#readText(maxBytes);
    if (all.length > maxBytes) throw this.#tooLong(maxBytes);
    return utf8.decode(all);
  }

  async #readText(maxBytes: number): Promise<string> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      await this.#pieces.ready();
      const piece = this.#pieces.take();
      if (piece === undefined) break;
      size += piece.length;
      pieces.push(piece);
      if (size > maxBytes) throw this.#tooLong(maxBytes);
    }
    return utf8.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  }

  /** Closes the exchange. Returns the error of whoever reads it. */
  #tooLong(maxBytes: number): GatewayError {
    this.discard();
    return invalidResponse(this.#provider, `a body of more than ${maxBytes} bytes`);
  }

  discard(): void {
    if (this.#isOver) return;
    this.#pieces.end();
    this.#close(new Error("the rest of the answer is not wanted"));
  }

  release(): void {
    this.#pieces.end();
    this.#pieces.clear();
    if (this.#isOver) return;
    this.#signal.removeEventListener("abort", this);
    this.#released = RELEASE_BYTES;
    this.#releaseTimer = setTimeout(() => this.discard(), RELEASE_MS);
    this.#releaseTimer.unref();
  }

  // What the queue of pieces calls.

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abandon(): void {
    this.discard();
  }

  // What the client calls.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#closedBy !== undefined) controller.abort(this.#closedBy);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // An interim answer: the real one is still to come.
    if (headers["content-encoding"] === undefined) {
      this.#begin(controller, status, headers);
      return;
    }
    this.#unpacking = unpack({
      onRequestStart: (unpacked) => {
        this.#controller = unpacked;
      },
      onResponseStart: (unpacked, code, left) => this.#begin(unpacked, code, left),
      onResponseData: (_, piece) => this.#take(piece),
      onResponseEnd: () => this.#finish(),
      onResponseError: (_, fault) => this.#fail(fault),
    });
    this.#unpacking.onRequestStart?.(controller, {});
    this.#unpacking.onResponseStart?.(controller, status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#unpacking === undefined) this.#take(piece);
    else this.#unpacking.onResponseData?.(controller, piece);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#unpacking === undefined) this.#finish();
    else this.#unpacking.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, fault: Error): void {
    if (this.#unpacking === undefined) this.#fail(fault);
    else this.#unpacking.onResponseError?.(controller, fault);
  }

  #begin(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#isOver) return;
    // Else they, and all that came with them, are kept to the end of a stream.
    controller.rawHeaders = null;
    this.status = status;
    this.#headers = headers;
    this.receivedAt = Date.now();
    this.#outcome.resolve(this);
  }

  #take(piece: Buffer): void {
    if (this.#isOver) return;
    if (this.#released === undefined) {
      this.#pieces.push(piece);
      return;
    }
    this.#released -= piece.length;
    if (this.#released < 0) this.discard();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#pieces.end();
    this.#settle();
  }

  #fail(fault: Error): void {
    if (this.#isOver) return;
    this.#settle();
    if (this.status === 0) {
      this.#outcome.reject(faultBeforeHead(this.#provider, fault));
      return;
    }
    // How it is read may not be known yet: head and fault can come in one packet.
    this.#pieces.fail(() => (this.#isWhole ? faultInBody : faultInStream)(this.#provider, fault));
  }

  /** The signal is aborted. */
  handleEvent(): void {
    if (this.#isOver) return;
    const reason: unknown = this.#signal.reason;
    this.#outcome.reject(reason);
    this.#pieces.clear();
    this.#pieces.fail(() => reason);
    this.#close(reason instanceof Error ? reason : new Error("aborted"));
  }

  #close(reason: Error): void {
    this.#settle();
    this.#closedBy = reason;
    this.#controller?.abort(reason);
  }

  #settle(): void {
    this.#isOver = true;
    this.#signal.removeEventListener("abort", this);
    clearTimeout(this.#releaseTimer);
  }
}

const decompress = interceptors.decompress({ skipErrorResponses: false });

/** Makes a handler that undoes compression, and gives what there is then to another one. */
function unpack(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
  let unpacking = handler;
  const dispatch = decompress((_options, decompressing) => {
    unpacking = decompressing;
    return true;
  });
  dispatch({ path: "/", method: "GET" }, handler);
  return unpacking;
}
