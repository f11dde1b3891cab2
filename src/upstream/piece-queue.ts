/** Bytes at which the source has to pause; it goes on when they are read. */
const HIGH_WATER = 64 * 1024;
/**
 * Bytes at which no further piece is joined to those that are read as one. All that is made of what is read at once is there at the same
 * time, and takes ten times the memory: of a reader that is late, that would be most of what its stream takes.
 */
const MOST_AT_ONCE = 16 * 1024;
const NOTHING = new Uint8Array();

/** A body that is read piece by piece. A loop over it is the simple way; who has many of them waits and takes. */
export interface Pieces extends AsyncIterable<Uint8Array> {
  /** Resolves when there is something to take, or nothing more will come; undefined: that is so now. One reader waits at a time. */
  ready(): Promise<void> | undefined;
  /**
   * What is there, as one piece, or the beginning of it where that is much; undefined: nothing more will come. Throws where something went
   * wrong, when all before that was taken.
   */
  take(): Uint8Array | undefined;
}

/**
 * The pieces of a body on their way from a connection to its reader. What came in the same turn is read as one piece: a packet often
 * has many small pieces in it, and each step of a reader costs about as much as its work.
 */
export class PieceQueue implements Pieces {
  readonly #source: PieceSource;
  /** Undefined: none. A list that has waited for pieces is old, and would keep them, and the memory that they are in, after they were read. */
  #pieces: Uint8Array[] | undefined;
  #size = 0;
  #isPaused = false;
  #isEnded = false;
  #explain: (() => unknown) | undefined;
  /** The reader that waits. It goes on behind the rest of the turn, and so of the turn's pieces. */
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(source: PieceSource) {
    this.#source = source;
  }

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    if (this.#pieces === undefined) this.#pieces = [piece];
    else this.#pieces.push(piece);
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
    this.#pieces = undefined;
    this.#size = 0;
    this.#resume();
  }

  /** All of it, where all has come and nothing went wrong; else undefined, and nothing is taken. */
  all(): Uint8Array | undefined {
    if (!this.#isEnded || this.#explain !== undefined) return undefined;
    return this.#takeAll() ?? NOTHING;
  }

  ready(): Promise<void> | undefined {
    if (this.#size > 0 || this.#isEnded) return undefined;
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  take(): Uint8Array | undefined {
    if (this.#pieces === undefined && this.#explain !== undefined) throw this.#explain();
    return this.#size <= MOST_AT_ONCE ? this.#takeAll() : this.#takeSome(this.#pieces ?? []);
  }

  #takeAll(): Uint8Array | undefined {
    const pieces = this.#pieces;
    if (pieces === undefined) return undefined;
    this.clear();
    return joined(pieces);
  }

  #takeSome(pieces: Uint8Array[]): Uint8Array | undefined {
    let size = 0;
    let count = 0;
    while (size < MOST_AT_ONCE) size += (pieces[count++] as Uint8Array).length;
    if (count === pieces.length) return this.#takeAll();
    this.#size -= size;
    return joined(pieces.splice(0, count));
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      for (;;) {
        await this.ready();
        const piece = this.take();
        if (piece === undefined) return;
        yield piece;
      }
    } finally {
      this.#source.abandon();
    }
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#source.resume();
  }

  #rouse(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

const joined = (pieces: readonly Uint8Array[]): Uint8Array =>
  pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);

/** Where the pieces come from. */
export interface PieceSource {
  pause(): void;
  resume(): void;
  /** The reader wants no more. */
  abandon(): void;
}
