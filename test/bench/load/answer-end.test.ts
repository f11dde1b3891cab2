import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerEnd } from "./answer-end.ts";

const ANSWERS = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n0\r\na\r\n0123456789\r\n0\r\n\r\n",
];

describe("AnswerEnd", () => {
  it("finds the end of an answer however it is cut, and not before", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ANSWERS), fc.array(fc.nat(), { maxLength: 12 }), (answer, cuts) => {
        const ends = [...new Set([...cuts.map((cut) => 1 + (cut % answer.length)), answer.length])].sort(
          (a, b) => a - b,
        );
        const end = new AnswerEnd();
        const found = ends.map((to, at) => {
          const piece = Buffer.from(answer.slice(ends[at - 1] ?? 0, to));
          const isOver = end.push(piece);
          piece.fill(0);
          return isOver;
        });
        expect(found).toEqual(ends.map((to) => to === answer.length));
        expect(end.statusLine).toBe("HTTP/1.1 200 OK");
      }),
    );
  });
});
