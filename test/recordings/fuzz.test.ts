import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { StreamEvent } from "../../src/providers/provider.ts";
import { cutBody } from "../support/replay-server.ts";
import { choicesOf, decodeEvents, type Outcome, openDecoder, readEvents } from "./in-process.ts";
import { mutate, mutations, reorderings } from "./mutate.ts";
import { readRecording } from "./reading/read.ts";
import { cutShort, eventsOf, NOTHING, type Reading } from "./reading/reading.ts";
import { type Family, loadRecordings, type Recording, titleOf } from "./recordings.ts";

interface Stream {
  readonly recording: Recording;
  readonly reading: Reading;
}
const FAMILIES: readonly Family[] = ["openai", "compatible", "anthropic", "google"];
const streams: readonly Stream[] = loadRecordings()
  .filter(
    ({ status, streaming, headers }) => status === 200 && streaming && !/json/.test(headers["content-type"] ?? ""),
  )
  .map((recording) => ({ recording, reading: readRecording(recording) }));
const ofFamily = (family: Family): fc.Arbitrary<Stream> =>
  fc
    .constantFrom(...streams.filter(({ recording }) => recording.provider === family))
    .map((stream) => Object.assign(stream, { toString: () => titleOf(stream.recording) }));

/** Of each property, for each family. */
const RUNS = 400;

const decode = ({ recording, reading }: Stream, events: readonly StreamEvent[]): Outcome =>
  decodeEvents(openDecoder(recording, reading), events, choicesOf(reading));
const asEvents = (data: readonly string[]): StreamEvent[] => data.map((text) => ({ event: undefined, data: text }));

/** What the start of a body says. */
function readStart({ recording, reading }: Stream, position: number): Reading {
  const body = recording.body.subarray(0, position);
  let start: Reading;
  try {
    start = readRecording({ ...recording, body });
  } catch {
    return cutShort(NOTHING); // It ends in the middle of an event.
  }
  return start.kind === "answer" && start.answer.choices.length < choicesOf(reading) ? cutShort(NOTHING) : start;
}

/** Whether an event may end a stream of that family. */
const ENDS: Readonly<Record<Family, RegExp>> = {
  openai: /"finish_reason": ?"|^\[DONE\]$/,
  compatible: /"finish_reason": ?"|^\[DONE\]$/,
  anthropic: /"type": ?"message_stop"/,
  google: /"(?:finishReason|blockReason)":/,
};

describe.each(FAMILIES)("a decoder of streams of %s", (family) => {
  it("ends well only where the answer had ended, wherever the body stops", () => {
    const cuts = ofFamily(family).chain((stream) =>
      fc.record({ stream: fc.constant(stream), position: fc.nat({ max: stream.recording.body.length }) }),
    );
    fc.assert(
      fc.property(cuts, ({ stream, position }) => {
        const { kind } = decode(stream, readEvents([stream.recording.body.subarray(0, position)]));
        expect(kind).toBe(readStart(stream, position).kind);
      }),
      { numRuns: RUNS },
    );
  });

  it("never ends well without an end, whatever comes before", () => {
    fc.assert(
      fc.property(ofFamily(family), reorderings, (stream, changes) => {
        const data = eventsOf(stream.recording.body.toString("utf8")).filter((text) => !ENDS[family].test(text));
        expect(decode(stream, asEvents(mutate(data, changes))).kind).toBe("error");
      }),
      { numRuns: RUNS },
    );
  });

  it("fails with nothing but a GatewayError, whatever comes", () => {
    fc.assert(
      fc.property(ofFamily(family), mutations, (stream, changes) => {
        const data = mutate(eventsOf(stream.recording.body.toString("utf8")), changes);
        expect(() => decode(stream, asEvents(data))).not.toThrow();
      }),
      { numRuns: 3 * RUNS },
    );
  });

  it("takes bytes that are no event stream for what they are", () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .string({
          unit: fc.constantFrom("data: ", "event:", "\n", "\r", "{", "}", '"', "[DONE]", "é", "null", ":", "1"),
        })
        .map((text) => new Uint8Array(Buffer.from(text))),
    );
    fc.assert(
      fc.property(ofFamily(family), fc.array(garbage, { maxLength: 6 }), (stream, pieces) => {
        expect(outcomeOfBytes(stream, pieces)).toBe("error");
      }),
      { numRuns: RUNS },
    );
  });

  it("says the same however the body is cut", () => {
    const cuts = fc.record({ stream: ofFamily(family), bytes: fc.integer({ min: 1, max: 400 }) });
    fc.assert(
      fc.property(cuts, ({ stream, bytes }) => {
        const { recording } = stream;
        const pieces = cutBody(recording, { kind: "every", bytes });
        expect(decode(stream, readEvents(pieces))).toEqual(decode(stream, readEvents([recording.body])));
      }),
      { numRuns: RUNS / 4 },
    );
  });
});

/** The reader may refuse bytes, too. */
function outcomeOfBytes(stream: Stream, pieces: readonly Uint8Array[]): string {
  try {
    return decode(stream, readEvents(pieces)).kind;
  } catch (thrown) {
    return thrown instanceof GatewayError ? "error" : "fault";
  }
}
