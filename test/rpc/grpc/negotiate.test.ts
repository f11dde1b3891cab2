import { compressionNegotiate } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createNegotiate } from "../../../src/rpc/grpc/negotiate.ts";

const AVAILABLE = [compressionGzip, compressionBrotli];
const ENCODING = fc.constantFrom(null, "", "identity", "gzip", "br", "snappy");
const ACCEPTED = fc.constantFrom(null, "", "identity", "identity,deflate,gzip", "br, gzip", "snappy");

describe("createNegotiate()", () => {
  it("finds what Connect finds, however often it is asked", () => {
    const negotiate = createNegotiate(AVAILABLE);
    fc.assert(
      fc.property(ENCODING, ACCEPTED, (encoding, accepted) => {
        const expected = compressionNegotiate(AVAILABLE, encoding, accepted, "grpc-accept-encoding");
        expect(negotiate(encoding, accepted)).toEqual(expected);
      }),
    );
  });

  it("makes an error for each call", () => {
    const negotiate = createNegotiate(AVAILABLE);
    const [one, other] = [negotiate("snappy", null), negotiate("snappy", null)];
    expect(one.error).toBeInstanceOf(Error);
    expect(one.error).not.toBe(other.error);
  });
});
