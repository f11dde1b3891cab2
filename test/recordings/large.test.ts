import { describe, expect, it } from "vitest";
import { collect } from "../support/collect.ts";
import { DOORS, type DoorClient } from "../support/doors.ts";
import { fold } from "../support/fold.ts";
import { comparable } from "./comparable.ts";
import { useReplay } from "./gateway.ts";
import { paramsFor } from "./params-for.ts";
import { readRecording } from "./reading/read.ts";
import { type Family, type Recording, titleOf } from "./recordings.ts";

/** A text of characters of 1 to 4 bytes. */
const textOf = (length: number): string => "aé月🌊".repeat(Math.ceil(length / 5)).slice(0, length - (length % 5));

/** The events of an answer whose text comes in these pieces. */
const EVENTS: Readonly<Record<Exclude<Family, "openai">, (pieces: readonly string[]) => string[]>> = {
  compatible: (pieces) => [
    ...pieces.map((content) => JSON.stringify({ choices: [{ index: 0, delta: { content } }] })),
    '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
    "[DONE]",
  ],
  anthropic: (pieces) => [
    '{"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1}}}',
    '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    ...pieces.map((text) =>
      JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
    ),
    '{"type":"content_block_stop","index":0}',
    '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}',
    '{"type":"message_stop"}',
  ],
  google: (pieces) => [
    ...pieces.map((text) => JSON.stringify({ candidates: [{ content: { parts: [{ text }] } }] })),
    '{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":9}}',
  ],
};

const recordingOf = (provider: keyof typeof EVENTS, name: string, pieces: readonly string[]): Recording => ({
  name,
  provider,
  status: 200,
  streaming: true,
  headers: {},
  body: Buffer.from(
    EVENTS[provider](pieces)
      .map((data) => `data: ${data}\n\n`)
      .join(""),
  ),
  pieces: undefined,
});

const FAMILIES = Object.keys(EVENTS) as (keyof typeof EVENTS)[];
/** One event with a line of a megabyte, and thousands with a character each. */
const recordings = FAMILIES.flatMap((provider) => [
  recordingOf(provider, "long-line", [textOf(500_000)]),
  recordingOf(provider, "tiny-events", [...textOf(2_000)]),
]);
const { replay, door } = useReplay(recordings);

describe("large streams", () => {
  const rows = recordings.flatMap((recording) =>
    DOORS.map((name): { title: string; recording: Recording; name: DoorClient["name"] } => ({
      title: `${titleOf(recording)} through ${name}`,
      recording,
      name,
    })),
  );

  it.each(rows)("say all of $title", async ({ recording, name }) => {
    // A prime: sooner or later it cuts at any place of an event.
    replay().cut = { kind: "every", bytes: 1021 };
    const reading = readRecording(recording);
    const chunks = await collect(door(name).stream(paramsFor(recording, reading)));
    expect({ kind: "answer", answer: comparable(fold(chunks)) }).toEqual(reading);
  });
});
