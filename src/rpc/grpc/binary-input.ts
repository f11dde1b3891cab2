/** The wire format of Protobuf, read from one buffer (https://protobuf.dev/programming-guides/encoding). */
export class BinaryInput {
  /** How many messages are being read that hold one another. */
  depth = 0;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the next byte stands. */
  get at(): number {
    return this.#at;
  }

  /** An integer from 0 to 2^53 - 1. NaN for a larger one, and where the bytes end within it. */
  varint(): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at++] ?? Number.NaN;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let factor = 2 ** 7; factor <= 2 ** 49; factor *= 2 ** 7) {
      const byte = bytes[this.#at++] ?? Number.NaN;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN;
    }
    return Number.NaN;
  }

  double(): number {
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  /** So many bytes as text; what is not UTF-8 becomes U+FFFD. */
  text(length: number): string {
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }

  /** So many bytes; they are not copied. */
  bytes(length: number): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    this.#at += length;
    return new Uint8Array(buffer, byteOffset + this.#at - length, length);
  }
}
