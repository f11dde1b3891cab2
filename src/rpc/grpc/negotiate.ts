import type { Compression } from "@connectrpc/connect/protocol";
import { compressionNegotiate } from "@connectrpc/connect/protocol";
import { LRUCache } from "lru-cache";

/** How messages are compressed, both ways. */
export type Negotiated = ReturnType<typeof compressionNegotiate>;

/** Finds that out of the headers `grpc-encoding` and `grpc-accept-encoding`. */
export type Negotiate = (encoding: string | null, accepted: string | null) => Negotiated;

/** Clients send one of a few lists. */
const KEPT = 64;

/** Makes the function that finds it out, which remembers what it has found. */
export function createNegotiate(available: Compression[]): Negotiate {
  const found = new LRUCache<string, Negotiated>({ max: KEPT });
  const none: Negotiated = compressionNegotiate(available, null, null, "grpc-accept-encoding");
  return (encoding, accepted) => {
    if (accepted === null && (encoding === null || encoding === "identity")) return none;
    // No header has a line feed in it.
    const key = `${encoding ?? "identity"}\n${accepted ?? ""}`;
    const known = found.get(key);
    if (known !== undefined) return known;
    const negotiated = compressionNegotiate(available, encoding, accepted, "grpc-accept-encoding");
    // An error is of one call.
    if (negotiated.error === undefined) found.set(key, negotiated);
    return negotiated;
  };
}
