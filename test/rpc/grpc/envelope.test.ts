import { describe, expect, it } from "vitest";
import type { GatewayError } from "../../../src/errors/gateway-error.ts";
import { Reason } from "../../../src/gen/parley/errors/v1/errors_pb.ts";
import { EnvelopeReader } from "../../../src/rpc/grpc/envelope.ts";
import { envelope } from "../../support/raw-call.ts";

const MESSAGE = Buffer.from(Array.from({ length: 300 }, (_, at) => at % 256));
const WHOLE = Buffer.from(envelope(MESSAGE, 1));

function read(pieces: readonly Buffer<ArrayBuffer>[], maxBytes = 1_000) {
  const reader = new EnvelopeReader(maxBytes);
  for (const piece of pieces) reader.push(piece);
  return reader.finish();
}

function reasonOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (thrown) {
    return Reason[(thrown as GatewayError).reason];
  }
  return undefined;
}

describe("EnvelopeReader", () => {
  it("reads a message, wherever it is cut", () => {
    for (let first = 0; first <= WHOLE.length; first++) {
      for (const second of [first, first + 1, first + 4, first + 100, WHOLE.length]) {
        const { flags, data } = read([WHOLE.subarray(0, first), WHOLE.subarray(first, second), WHOLE.subarray(second)]);
        expect([flags, Buffer.from(data).equals(MESSAGE)]).toEqual([1, true]);
      }
    }
  });

  it("reads a message in single bytes, and leaves them as they are", () => {
    const pieces = Array.from(WHOLE, (byte) => Buffer.from([byte]));
    expect(Buffer.from(read(pieces).data).equals(MESSAGE)).toBe(true);
    expect(Buffer.concat(pieces).equals(WHOLE)).toBe(true);
  });

  it("reads an empty message", () => {
    expect(read([Buffer.alloc(5)])).toEqual({ flags: 0, data: new Uint8Array() });
  });

  it("takes a message of as many bytes as it may have, and no larger one", () => {
    expect(read([WHOLE], 300).data).toHaveLength(300);
    expect(reasonOf(() => new EnvelopeReader(299).push(WHOLE.subarray(0, 5)))).toBe("REQUEST_TOO_LARGE");
  });

  it.each([
    ["nothing", [], "NOT_IMPLEMENTED"],
    ["half of a prefix", [WHOLE.subarray(0, 4)], "INVALID_REQUEST"],
    ["a prefix alone", [WHOLE.subarray(0, 5)], "INVALID_REQUEST"],
    ["all but the last byte", [WHOLE.subarray(0, -1)], "INVALID_REQUEST"],
    ["a byte too many", [WHOLE, Buffer.from([0])], "NOT_IMPLEMENTED"],
    ["two messages in one piece", [Buffer.concat([WHOLE, WHOLE])], "NOT_IMPLEMENTED"],
  ] as const)("refuses %s", (_what, pieces, reason) => {
    expect(reasonOf(() => read(pieces))).toBe(reason);
  });
});
