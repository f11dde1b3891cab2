import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MARK, MarkReader, stamp } from "./mark.ts";

/** Cuts bytes into pieces, each in a buffer that is overwritten when it was read. */
function feed(reader: MarkReader, bytes: Buffer, cuts: readonly number[]): void {
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    const piece = Buffer.from(bytes.subarray(from, end));
    reader.push(piece);
    piece.fill(0);
    from = end;
  }
}

const someCuts = fc.array(fc.nat(), { maxLength: 12 });

describe("MarkReader", () => {
  it("counts marks however the bytes are cut", () => {
    const texts = fc.array(fc.constantFrom("apple", "app", "le", "a", " ", "apples"), { maxLength: 20 });
    fc.assert(
      fc.property(texts, someCuts, (parts, cuts) => {
        const text = parts.join("");
        const reader = new MarkReader("apple");
        feed(reader, Buffer.from(text), cuts);
        expect(reader.count).toBe(text.split("apple").length - 1);
      }),
    );
  });

  it("reads the times of stamps however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2 ** 40 }), { maxLength: 8 }), someCuts, (times, cuts) => {
        const read: number[] = [];
        const reader = new MarkReader(MARK, (us) => read.push(us));
        feed(reader, Buffer.from(times.map((us) => `{"text":"${stamp(us)}"}\n\n`).join("")), cuts);
        expect(read).toEqual(times);
      }),
    );
  });
});
