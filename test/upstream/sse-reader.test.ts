import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import type { StreamEvent } from "../../src/providers/provider.ts";
import { createSseReader } from "../../src/upstream/sse-reader.ts";

/** The events of a body that comes in these pieces. */
function read(pieces: readonly Uint8Array[], maxEventBytes?: number): StreamEvent[] {
  const reader = createSseReader("tiny", maxEventBytes);
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.finish()];
}

/** A body cut before each of these positions. */
function cut(body: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(positions)].sort((a, b) => a - b);
  return [0, ...cuts].map((start, index) => body.subarray(start, cuts[index]));
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const data = (...texts: readonly string[]): StreamEvent[] => texts.map((text) => ({ event: undefined, data: text }));

const TABLE: readonly (readonly [string, string, readonly StreamEvent[]])[] = [
  ["LF", "data: a\n\ndata: b\n\n", data("a", "b")],
  ["CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", data("a", "b")],
  ["CR", "data: a\r\rdata: b\r\r", data("a", "b")],
  ["line ends of all kinds", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", data("a", "b", "c")],
  ["no space behind the colon", "data:a\n\n", data("a")],
  ["two spaces, of which one is text", "data:  a\n\n", data(" a")],
  ["several lines of data", "data: a\ndata:\ndata: b\n\n", data("a\n\nb")],
  ["an event's name", "event: ping\ndata: {}\n\ndata: a\n\n", [{ event: "ping", data: "{}" }, ...data("a")]],
  ["a name behind the data", "data: a\nevent: late\n\n", [{ event: "late", data: "a" }]],
  ["a name without data", "event: ping\n\ndata: a\n\n", data("a")],
  ["comments", ": hello\n\n:\ndata: a\n: in between\ndata: b\n\n", data("a\nb")],
  ["ids and retry times", "id: 7\nretry: 10\ndata: a\n\nid: 8\n\nretry: x\n\n", data("a")],
  [
    "fields that are not known, and lines that are none",
    "dat: x\nhello\n{}\ndata : x\nDATA: x\ndata: a\n\n",
    data("a"),
  ],
  ["empty data", "data:\n\ndata: \n\ndata\n\ndata: a\n\n", data("a")],
  ["blank data", "data:  \n\ndata:\ndata:\n\ndata: a\n\n", data("a")],
  ["runs of blank lines", "\n\n\n\ndata: a\n\n\n\n\n\r\n\r\ndata: b\n\n\n", data("a", "b")],
  ["a byte order mark", "\uFEFFdata: a\n\n", data("a")],
  ["two byte order marks, of which the second is text", "\uFEFF\uFEFFdata: a\n\ndata: b\n\n", data("b")],
  ["letters that look like a byte order mark", "\u00EF\u00BB\u00BFdata: a\n\ndata: b\n\n", data("b")],
  ["a byte order mark in the middle, which is text", "data: \uFEFFa\n\n", data("\uFEFFa")],
  ["no blank line at the end", "data: a\n\ndata: b\n", data("a", "b")],
  ["no line end at the end", "data: a\n\ndata: b", data("a", "b")],
  ["a CR at the end", "data: a\r", data("a")],
  ["half a field at the end", "data: a\n\ndat", data("a")],
  ["characters of one to four bytes", "data: aé€😀\n\ndata: 漢字\n\n", data("aé€😀", "漢字")],
  ["colons in the data", 'data: {"a":"b: c"}\n\n', data('{"a":"b: c"}')],
  ["nothing", "", []],
  ["what is no event stream", "<!doctype html>\n<html></html>\n", []],
];

describe("createSseReader()", () => {
  it.each(TABLE)("reads %s", (_what, body, events) => {
    expect(read([bytes(body)])).toEqual(events);
  });

  it.each(TABLE)("reads %s, byte by byte", (_what, body, events) => {
    expect(read([...bytes(body)].map((byte) => Uint8Array.of(byte)))).toEqual(events);
  });

  it.each(TABLE)("reads %s, cut in two anywhere", (_what, body, events) => {
    const whole = bytes(body);
    for (let at = 0; at <= whole.length; at++) expect(read(cut(whole, [at]))).toEqual(events);
  });

  it("puts U+FFFD for bytes that are no UTF-8", () => {
    expect(read([Uint8Array.of(...bytes("data: a"), 0xff, 0xe2, 0x82, ...bytes("b\n\n"))])).toEqual(
      data("a\uFFFD\uFFFDb"),
    );
  });

  it("returns the events of a piece together, and none for half a one", () => {
    const reader = createSseReader("tiny");
    expect(reader.push(bytes("data: a\n\ndata: b\n\ndata: c"))).toEqual(data("a", "b"));
    expect(reader.push(bytes(": still here"))).toEqual([]);
    expect(reader.push(bytes("\n\n"))).toEqual(data("c: still here"));
    expect(reader.finish()).toEqual([]);
  });

  it("reads an event of 32 MiB", () => {
    const text = "x".repeat(32 * 1024 * 1024 - 8);
    const [event, ...others] = read([bytes(`data: ${text}\n\n`)]);
    expect([event?.data.length, others.length]).toEqual([text.length, 0]);
  });

  it.each([
    ["a line that does not end", "data: ", "x", ""],
    ["a line of something else that does not end", "", "x", ""],
    ["a line of many bytes a character", "data: ", "€", ""],
    ["an event of many lines", "", "data: x\n", ""],
    ["an event of empty lines of data", "", "data\n", ""],
    ["a comment that does not end", ":", "x", ""],
    ["comments without an event", "", ": x\n\n", ""],
    ["the name of an event", "event: ", "x", "\n"],
  ])("refuses %s", (_what, start, repeated, end) => {
    const maxBytes = 256 * 1024;
    const piece = bytes(repeated.repeat(1_000));
    const reader = createSseReader("tiny", maxBytes);
    let taken = 0;
    const feed = (): void => {
      reader.push(bytes(start));
      for (; taken < 2 * maxBytes; taken += piece.length) reader.push(piece);
      reader.push(bytes(end));
    };
    expect(feed).toThrow(
      expect.objectContaining({ name: "GatewayError", reason: Reason.UPSTREAM_INVALID_RESPONSE }) as Error,
    );
    expect(taken).toBeLessThanOrEqual(maxBytes + 64 * 1024);
  });

  it("does not count what came before an event", () => {
    const body = bytes("data: x\n\n".repeat(10_000));
    expect(read([body], 100_000)).toHaveLength(10_000);
  });
});

/** Bodies of an event stream's own words, and of anything. */
const body = fc
  .array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.constantFrom(
          "data:",
          " ",
          "event:",
          "id:",
          "retry:",
          ":",
          "\n",
          "\r",
          "\r\n",
          "\n\n",
          "a",
          "😀",
          "é",
          "\uFEFF",
        ),
      },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 5 }) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 5 }) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part))));

describe("createSseReader(), whatever comes", () => {
  it("makes the same events of every cut", () => {
    fc.assert(
      fc.property(body, fc.array(fc.nat(400)), (whole, positions) => {
        const cuts = positions.filter((at) => at < whole.length);
        expect(read(cut(whole, cuts))).toEqual(read([whole]));
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds again what was written by the rules", () => {
    const text = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((it) => it.trim() !== "" && !/[\r\n\uFEFF]/.test(it));
    const event = fc.record({
      event: fc.option(text, { nil: undefined }),
      lines: fc.array(text, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom("\n", "\r", "\r\n"), (written, end) => {
        const whole = written
          .map(({ event, lines }) =>
            [...(event === undefined ? [] : [`event: ${event}`]), ...lines.map((line) => `data: ${line}`), "", ""].join(
              end,
            ),
          )
          .join("");
        expect(read([bytes(whole)])).toEqual(written.map(({ event, lines }) => ({ event, data: lines.join("\n") })));
      }),
    );
  });

  it("throws nothing but a GatewayError", () => {
    fc.assert(
      fc.property(fc.array(body), fc.integer({ min: 1, max: 100 }), (pieces, maxBytes) => {
        try {
          read(pieces, maxBytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GatewayError);
        }
      }),
    );
  });
});
