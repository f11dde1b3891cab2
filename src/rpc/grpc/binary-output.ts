/** How much room there is at first, and is kept when more was needed. */
const ROOM = 16 * 1024;

/** Longest text that is written letter by letter: for longer ones a call into the engine costs less. */
const SHORT_TEXT = 32;

/** The wire format of Protobuf, written into one buffer that is used again and again (https://protobuf.dev/programming-guides/encoding). */
export class BinaryOutput {
  #bytes = Buffer.allocUnsafeSlow(ROOM);
  #at = 0;

  /** How much is written. */
  get size(): number {
    return this.#at;
  }

  /** A copy of what is written; then there is nothing. */
  take(): Buffer<ArrayBuffer> {
    const taken = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(taken, 0, 0, this.#at);
    this.clear();
    return taken;
  }

  /** Drops what is written. */
  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > ROOM) this.#bytes = Buffer.allocUnsafeSlow(ROOM);
  }

  /** Drops what is written from there on. */
  rewind(size: number): void {
    this.#at = size;
  }

  #ensure(size: number): void {
    const needed = this.#at + size;
    if (needed <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(bytes, 0, 0, this.#at);
    this.#bytes = bytes;
  }

  /** An integer from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#ensure(8);
    this.#put(value);
  }

  /** The same where there is room. */
  #put(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    while (rest > 0x7f_ff_ff_ff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  /** An integer of 64 bits, of either sign. */
  varint64(value: bigint): void {
    if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(Number(value));
      return;
    }
    this.#ensure(10);
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#at++] = Number(rest);
  }

  double(value: number): void {
    this.#ensure(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** A text with its length. What has no form in UTF-8 becomes U+FFFD. */
  text(value: string): void {
    const { length } = value;
    this.#ensure(3 * length + 5);
    if (length > SHORT_TEXT || !this.#ascii(value)) this.#utf8(value);
  }

  /** Writes a short text that is ASCII; nothing where it is not. */
  #ascii(value: string): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = value.length;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  /** The length stands before the text, and is known after it: most texts are ASCII, and are where they belong at once. */
  #utf8(value: string): void {
    const guessed = this.#at + sizeOfVarint(value.length);
    const written = this.#bytes.write(value, guessed, "utf8");
    const start = this.#at + sizeOfVarint(written);
    if (start !== guessed) this.#bytes.copyWithin(start, guessed, guessed + written);
    this.#put(written);
    this.#at += written;
  }

  /** Bytes with their length. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): void {
    this.#ensure(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Begins what has its length before it; returns what `end` has to be told. */
  begin(): number {
    this.#ensure(1);
    return ++this.#at;
  }

  /** Ends it: most are shorter than 128 bytes, and stay where they are. */
  end(begun: number): void {
    const length = this.#at - begun;
    const more = sizeOfVarint(length) - 1;
    if (more > 0) {
      this.#ensure(more);
      this.#bytes.copyWithin(begun + more, begun, this.#at);
    }
    this.#at = begun - 1;
    this.#put(length);
    this.#at += length;
  }

  /** Begins a message of gRPC; returns what `endEnvelope` has to be told. */
  beginEnvelope(): number {
    this.#ensure(5);
    this.#at += 5;
    return this.#at;
  }

  endEnvelope(begun: number): void {
    this.#bytes[begun - 5] = 0;
    this.#bytes.writeUInt32BE(this.#at - begun, begun - 4);
  }
}

function sizeOfVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x40_00) return 2;
  if (value < 0x20_00_00) return 3;
  return value < 0x10_00_00_00 ? 4 : 5;
}
