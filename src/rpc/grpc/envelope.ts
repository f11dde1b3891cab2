import { GatewayError } from "../../errors/gateway-error.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";

/** A message as it goes over the wire (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export interface Envelope {
  /** 1 where the message is compressed. */
  readonly flags: number;
  readonly data: Uint8Array;
}

/** What stands before a message: one byte of flags, and the length in four. */
export const PREFIX_BYTES = 5;

const NOTHING = Buffer.alloc(0);

/** Takes the one message of a request out of the pieces of its body. */
export class EnvelopeReader {
  readonly #maxBytes: number;
  /** What came, and behind it perhaps room for more. */
  #bytes: Buffer<ArrayBuffer> = NOTHING;
  #size = 0;
  /** Size of the message with its prefix; Infinity while that is not known. */
  #wanted = Number.POSITIVE_INFINITY;

  /** `maxBytes`: of the message as it is sent. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next piece. Fails for a message that will be too large, and for bytes behind the message. */
  push(piece: Buffer<ArrayBuffer>): void {
    this.#append(piece);
    if (this.#wanted === Number.POSITIVE_INFINITY && this.#size >= PREFIX_BYTES) this.#readPrefix();
    if (this.#size > this.#wanted) {
      throw new GatewayError(Reason.NOT_IMPLEMENTED, "the request has more than one message, and this rpc takes one");
    }
  }

  /** Most messages come in one piece, and are not copied. The room doubles: however small the pieces are, each byte is copied twice at most. */
  #append(piece: Buffer<ArrayBuffer>): void {
    const size = this.#size + piece.length;
    if (this.#size === 0) {
      this.#bytes = piece;
    } else {
      if (size > this.#bytes.length) {
        const bytes = Buffer.allocUnsafe(Math.max(size, Math.min(this.#wanted, 2 * this.#bytes.length)));
        this.#bytes.copy(bytes, 0, 0, this.#size);
        this.#bytes = bytes;
      }
      piece.copy(this.#bytes, this.#size);
    }
    this.#size = size;
  }

  #readPrefix(): void {
    const length = this.#bytes.readUInt32BE(1);
    if (length > this.#maxBytes) {
      throw new GatewayError(
        Reason.REQUEST_TOO_LARGE,
        `the message has ${length} bytes, which must be <= ${this.#maxBytes}`,
      );
    }
    this.#wanted = PREFIX_BYTES + length;
  }

  /** The message, when the body has ended. Fails where there is none, or not the whole of it. */
  finish(): Envelope {
    if (this.#size === 0) {
      throw new GatewayError(Reason.NOT_IMPLEMENTED, "the request has no message, and this rpc takes one");
    }
    if (this.#size !== this.#wanted) {
      throw new GatewayError(Reason.INVALID_REQUEST, "the request ended within its message");
    }
    const { buffer, byteOffset } = this.#bytes;
    return {
      flags: this.#bytes[0] as number,
      data: new Uint8Array(buffer, byteOffset + PREFIX_BYTES, this.#size - PREFIX_BYTES),
    };
  }
}
