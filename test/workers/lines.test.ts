import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forwardLines } from "../../src/workers/lines.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("forwardLines()", () => {
  it("passes on whole lines alone, wherever their bytes are cut", async () => {
    const lines = fc.array(fc.constantFrom("", "a", "é", "a😀é", "abcdefgh"), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lines, lines, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), async (a, b, cuts) => {
        const written: string[] = [];
        const sources = [a, b].map((own) => ({
          own,
          stream: new PassThrough(),
          bytes: Buffer.from(own.map((line) => `${line}\n`).join("")),
        }));
        for (const { stream } of sources) forwardLines(stream, { write: (text) => written.push(text) });
        for (let at = 0; sources.some(({ bytes }) => bytes.length > 0); at++) {
          for (const source of sources) {
            const cut = cuts[at % cuts.length] as number;
            source.stream.write(source.bytes.subarray(0, cut));
            source.bytes = source.bytes.subarray(cut);
          }
          await nextTurn();
        }
        expect(written.filter((text) => !text.endsWith("\n"))).toEqual([]);
        const found = written.join("").split("\n").slice(0, -1);
        expect(found.toSorted()).toEqual([...a, ...b].toSorted());
      }),
      { numRuns: 50 },
    );
  });

  it("drops the line that its writer did not end", async () => {
    const written: string[] = [];
    const stream = new PassThrough();
    forwardLines(stream, { write: (text) => written.push(text) });
    stream.write("one\ntw");
    await nextTurn();
    stream.end();
    await nextTurn();
    expect(written).toEqual(["one\n"]);
  });
});
