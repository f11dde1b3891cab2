import { promisify } from "node:util";
import zlib from "node:zlib";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

type Decompressor = (body: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>;

/** By content coding (RFC 9110 §8.4.1, RFC 7932). */
const DECOMPRESSORS: ReadonlyMap<string, Decompressor> = new Map<string, Decompressor>([
  ["gzip", promisify(zlib.gunzip)],
  ["x-gzip", promisify(zlib.gunzip)],
  ["deflate", promisify(zlib.inflate)],
  ["br", promisify(zlib.brotliDecompress)],
]);

/** Refuses, by a header Content-Encoding, what `decompress` could not undo. */
export function checkContentEncoding(encoding: string | undefined): void {
  const coding = normalize(encoding);
  if (coding === "identity" || DECOMPRESSORS.has(coding)) return;
  throw new GatewayError(
    Reason.UNSUPPORTED_MEDIA_TYPE,
    `content-encoding must be gzip, deflate or br, but is "${coding.slice(0, 40)}"`,
  );
}

/**
 * Undoes the content coding of a body. Throws a GatewayError: REQUEST_TOO_LARGE when it is more than `maxBytes` long
 * afterwards, of which no more than that is ever in memory; INVALID_REQUEST when it is no such coding.
 */
export async function decompress(
  body: Uint8Array,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Uint8Array> {
  const coding = normalize(encoding);
  const decompressor = DECOMPRESSORS.get(coding);
  if (decompressor === undefined) return body;
  try {
    return await decompressor(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new GatewayError(Reason.REQUEST_TOO_LARGE, `the body is longer than ${maxBytes} bytes when it is unpacked`);
    }
    throw new GatewayError(Reason.INVALID_REQUEST, `the body is not valid ${coding}`, { cause: error });
  }
}

function normalize(encoding: string | undefined): string {
  return encoding?.trim().toLowerCase() || "identity";
}
