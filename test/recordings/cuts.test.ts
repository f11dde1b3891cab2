import { describe, expect, it } from "vitest";
import type { StreamEvent } from "../../src/providers/provider.ts";
import { cutBody } from "../support/replay-server.ts";
import { choicesOf, decodeEvents, openDecoder, readEvents } from "./in-process.ts";
import { readRecording } from "./reading/read.ts";
import { loadRecordings, type Recording, titleOf } from "./recordings.ts";

/** Bodies that are longer are not cut everywhere, but at so many places, and wherever it could matter. */
const LONG = 20_000;
const PLACES = 2_000;
/** Of the places where a body is cut, one in so many is also decoded to its end; those that could matter all are. */
const DECODED = 50;

const CR = 13;
const LF = 10;

/** Whether a cut before this byte falls into a character, or beside the end of a line. */
function matters(body: Buffer, position: number): boolean {
  const [before = 0, after = 0] = [body[position - 1], body[position]];
  return (after & 0xc0) === 0x80 || [before, after].some((byte) => byte === CR || byte === LF);
}

function placesIn({ body }: Recording): { readonly all: number[]; readonly decoded: number[] } {
  const step = body.length > LONG ? Math.ceil(body.length / PLACES) : 1;
  const every = Array.from({ length: Math.max(0, body.length - 1) }, (_, index) => index + 1);
  const inside = every.filter((position) => matters(body, position));
  return {
    all: [...new Set([...inside, ...every.filter((position) => position % step === 0)])],
    decoded: [...new Set([...inside, ...every.filter((position) => position % DECODED === 0)])],
  };
}

const textOf = (events: readonly StreamEvent[]): string =>
  JSON.stringify(events.map(({ event, data }) => [event, data]));
const streams = loadRecordings()
  .filter(
    ({ status, streaming, headers }) => status === 200 && streaming && !/json/.test(headers["content-type"] ?? ""),
  )
  .map((recording) => ({ title: titleOf(recording), recording }));

describe("a stream that is cut in two", () => {
  it.each(streams)("is the same events wherever: $title", ({ recording }) => {
    const whole = textOf(readEvents([recording.body]));
    const others = placesIn(recording).all.filter(
      (position) => textOf(readEvents(cutBody(recording, { kind: "at", position }))) !== whole,
    );
    expect(others).toEqual([]);
  });

  it.each(streams)("says the same wherever: $title", ({ recording }) => {
    const reading = readRecording(recording);
    const expected = reading.kind === "answer" ? reading : { kind: "error", reason: reading.reason };
    const { decoded } = placesIn(recording);
    for (const position of [0, ...decoded]) {
      const events = readEvents(cutBody(recording, { kind: "at", position }));
      expect(decodeEvents(openDecoder(recording, reading), events, choicesOf(reading)), `cut at ${position}`).toEqual(
        expected,
      );
    }
  });

  it.each(streams)("says the same in pieces of 1, 2 and 3 bytes: $title", ({ recording }) => {
    const reading = readRecording(recording);
    const outcomes = [1, 2, 3].map((bytes) =>
      decodeEvents(
        openDecoder(recording, reading),
        readEvents(cutBody(recording, { kind: "every", bytes })),
        choicesOf(reading),
      ),
    );
    const whole = decodeEvents(openDecoder(recording, reading), readEvents([recording.body]), choicesOf(reading));
    expect(outcomes).toEqual([whole, whole, whole]);
  });
});
