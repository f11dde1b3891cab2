import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { invalidResponse } from "../providers/upstream-error.ts";
import type { UpstreamAnswer } from "./client.ts";
import { PieceQueue } from "./piece-queue.ts";
import { faultBeforeHead, faultInBody, faultInStream } from "./upstream-fault.ts";

/** How long, and for how many bytes, a body that nobody wants may go on before its connection is closed. */
const RELEASE_MS = 1_000;
const RELEASE_BYTES = 64 * 1024;

const utf8 = new TextDecoder();

/**
 * One request and its answer, as the client's handler. It listens to the signal as long as it runs, and closes the connection when
 * the signal is aborted.
 */
export class Exchange implements Dispatcher.DispatchHandler, UpstreamAnswer {
  /** Resolves with this when the head of the answer is there. */
  readonly head: Promise<UpstreamAnswer>;
  status = 0;
  receivedAt = 0;

  readonly #provider: string;
  readonly #signal: AbortSignal;
  readonly #pieces: PieceQueue;
  #resolveHead!: (answer: UpstreamAnswer) => void;
  #rejectHead!: (fault: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #headers: IncomingHttpHeaders = {};
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
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
    });
    this.#pieces = new PieceQueue({
      pause: () => this.#controller?.pause(),
      resume: () => this.#controller?.resume(),
      abandon: () => this.discard(),
    });
    signal.addEventListener("abort", this.#aborted);
  }

  // What readers of the answer see.

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get body(): AsyncIterable<Uint8Array> {
    return this.#pieces;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  async text(maxBytes: number): Promise<string> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    this.#isWhole = true;
    // A small body is there with its head.
    while (!this.#pieces.isRead) {
      const piece = this.#pieces.poll() ?? (await this.#pieces.next()).value;
      if (piece === undefined) break;
      size += piece.length;
      pieces.push(piece);
      if (size <= maxBytes) continue;
      this.discard();
      throw invalidResponse(this.#provider, `a body of more than ${maxBytes} bytes`);
    }
    return utf8.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
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
    this.#signal.removeEventListener("abort", this.#aborted);
    this.#released = RELEASE_BYTES;
    this.#releaseTimer = setTimeout(() => this.discard(), RELEASE_MS);
    this.#releaseTimer.unref();
  }

  // What the client calls.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#closedBy !== undefined) controller.abort(this.#closedBy);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#isOver) return; // An interim answer: the real one is still to come.
    // Else they, and all that came with them, are kept to the end of a stream.
    controller.rawHeaders = null;
    this.status = status;
    this.#headers = headers;
    this.receivedAt = Date.now();
    this.#resolveHead(this);
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#isOver) return;
    if (this.#released === undefined) {
      this.#pieces.push(piece);
      return;
    }
    this.#released -= piece.length;
    if (this.#released < 0) this.discard();
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#pieces.end();
    this.#settle();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, fault: Error): void {
    if (this.#isOver) return;
    this.#settle();
    if (this.status === 0) {
      this.#rejectHead(faultBeforeHead(this.#provider, fault));
      return;
    }
    // How it is read may not be known yet: head and fault can come in one packet.
    this.#pieces.fail(() => (this.#isWhole ? faultInBody : faultInStream)(this.#provider, fault));
  }

  readonly #aborted = (): void => {
    if (this.#isOver) return;
    const reason: unknown = this.#signal.reason;
    this.#rejectHead(reason);
    this.#pieces.clear();
    this.#pieces.fail(() => reason);
    this.#close(reason instanceof Error ? reason : new Error("aborted"));
  };

  #close(reason: Error): void {
    this.#settle();
    this.#closedBy = reason;
    this.#controller?.abort(reason);
  }

  #settle(): void {
    this.#isOver = true;
    this.#signal.removeEventListener("abort", this.#aborted);
    clearTimeout(this.#releaseTimer);
  }
}
