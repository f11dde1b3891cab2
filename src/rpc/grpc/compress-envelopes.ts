import { type Compression, encodeEnvelopes, envelopeCompress } from "@connectrpc/connect/protocol";
import { PREFIX_BYTES } from "./envelope.ts";

/** Smaller messages are not compressed: what Connect does by default. */
export const COMPRESS_MIN_BYTES = 1024;

/** Compresses the large ones of messages that stand one behind the other. */
export async function compressEnvelopes(bytes: Buffer<ArrayBuffer>, compression: Compression): Promise<Uint8Array> {
  const compressed: ReturnType<typeof envelopeCompress>[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + PREFIX_BYTES;
    at = start + bytes.readUInt32BE(at + 1);
    compressed.push(envelopeCompress({ flags: 0, data: bytes.subarray(start, at) }, compression, COMPRESS_MIN_BYTES));
  }
  return encodeEnvelopes(...(await Promise.all(compressed)));
}
