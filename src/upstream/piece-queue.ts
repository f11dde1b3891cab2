/** Bytes at which the source has to pause; it goes on when they are read. */
const HIGH_WATER = 256 * 1024;
const NOTHING = new Uint8Array();

/**
 * The pieces of a body on their way from a connection to its reader. What came in the same turn is read as one piece: a packet often
 * has many small pieces in it, and each step of a reader costs about as much as its work.
 */
export class PieceQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #source: PieceSource;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #isPaused = false;
  #isEnded = false;
  #explain: (() => unknown) | undefined;
  /** The reader that waits. */
  #waiting: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined;
  /** Whether the reader is told at the end of this turn. */
  #isRoused = false;

  constructor(source: PieceSource) {
    this.#source = source;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size >= HIGH_WATER && !this.#isPaused) {
      this.#isPaused = true;
      this.#source.pause();
    }
    this.#rouse();
  }

  /** No more will come. Pieces that are still there are read first. */
  end(): void {
    this.#isEnded = true;
    this.#rouse();
  }

  /** No more will come, because of a fault; `explain` makes an error of it for the reader. Pieces that are still there are read first. */
  fail(explain: () => unknown): void {
    this.#explain = explain;
    this.end();
  }

  /** Drops what is there. */
  clear(): void {
    this.#pieces = [];
    this.#size = 0;
    this.#resume();
  }

  /** All of it, where all has come and nothing went wrong; else undefined, and nothing is taken. */
  all(): Uint8Array | undefined {
    if (!this.#isEnded || this.#explain !== undefined) return undefined;
    return this.#size > 0 ? this.#take() : NOTHING;
  }

  /** One reader waits at a time. */
  next(): Promise<IteratorResult<Uint8Array>> {
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    if (this.#size > 0 || this.#isEnded) this.#serve();
    return promise;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#source.abandon();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): Uint8Array {
    const [first] = this.#pieces;
    const piece = this.#pieces.length === 1 ? (first as Uint8Array) : Buffer.concat(this.#pieces);
    this.clear();
    return piece;
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#source.resume();
  }

  #rouse(): void {
    if (this.#waiting === undefined || this.#isRoused) return;
    this.#isRoused = true;
    // The rest of the turn's pieces come first.
    queueMicrotask(this.#serve);
  }

  readonly #serve = (): void => {
    this.#isRoused = false;
    const { resolve, reject } = this.#waiting ?? {};
    if (resolve === undefined || (this.#size === 0 && !this.#isEnded)) return;
    this.#waiting = undefined;
    if (this.#size > 0) resolve({ done: false, value: this.#take() });
    else if (this.#explain === undefined) resolve({ done: true, value: undefined });
    else reject?.(this.#explain());
  };
}

/** Where the pieces come from. */
export interface PieceSource {
  pause(): void;
  resume(): void;
  /** The reader wants no more. */
  abandon(): void;
}
