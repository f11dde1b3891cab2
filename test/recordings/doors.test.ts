import { describe, expect, it } from "vitest";
import type { ChatCompletionChunk } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { collect, failureOf } from "../support/collect.ts";
import type { DoorError } from "../support/door-error.ts";
import { DOORS, type DoorClient } from "../support/doors.ts";
import { fold } from "../support/fold.ts";
import type { Cut } from "../support/replay-server.ts";
import { comparable } from "./comparable.ts";
import { expectedError, shownError } from "./expected-error.ts";
import { useReplay } from "./gateway.ts";
import { paramsFor } from "./params-for.ts";
import { readRecording } from "./reading/read.ts";
import type { Answer, ErrorReading } from "./reading/reading.ts";
import { loadRecordings, type Recording, titleOf } from "./recordings.ts";

const recordings = loadRecordings();
const { replay, door } = useReplay(recordings);

interface Row {
  readonly title: string;
  readonly recording: Recording;
  readonly name: DoorClient["name"];
}
const answers: (Row & { readonly answer: Answer })[] = [];
const errors: (Row & { readonly error: ErrorReading })[] = [];
for (const recording of recordings) {
  const reading = readRecording(recording);
  for (const name of DOORS) {
    const row = { title: `${titleOf(recording)} through ${name}`, recording, name };
    if (reading.kind === "answer") answers.push({ ...row, answer: reading.answer });
    else errors.push({ ...row, error: reading });
  }
}

const isStream = ({ streaming, status }: Recording): boolean => streaming && status === 200;
const CUTS: readonly (readonly [string, Cut, (recording: Recording) => boolean])[] = [
  ["whole", { kind: "whole" }, () => true],
  ["as they came", { kind: "recorded" }, ({ pieces }) => pieces !== undefined],
  // An answer in one piece is put together before it is read: there, one size of pieces is as good as another.
  ["in pieces of 7 bytes", { kind: "every", bytes: 7 }, (recording) => !isStream(recording)],
  ["in pieces of 1 byte", { kind: "every", bytes: 1 }, (recording) => isStream(recording)],
];

async function answerOf({ recording, name, answer }: (typeof answers)[number]): Promise<Answer> {
  const params = paramsFor(recording, { kind: "answer", answer });
  const completion = recording.streaming
    ? fold(await collect(door(name).stream(params)))
    : await door(name).complete(params);
  return comparable(completion);
}

describe.each(CUTS)("recordings that come %s", (_title, cut, isCut) => {
  it.each(answers.filter(({ recording }) => isCut(recording)))("$title say what was read", async (row) => {
    replay().cut = cut;
    expect(await answerOf(row)).toEqual(row.answer);
  });

  it.each(errors.filter(({ recording }) => isCut(recording)))("$title fail as was read", async (row) => {
    replay().cut = cut;
    const { recording, name, error } = row;
    const params = paramsFor(recording, error);
    const chunks: ChatCompletionChunk[] = [];
    const failure = await failureOf(
      recording.streaming ? readInto(chunks, door(name).stream(params)) : door(name).complete(params),
    );
    expect(shownError(failure as DoorError)).toEqual(expectedError(error, name));
    expect(outputOf(chunks)).toEqual({
      content: error.before.content,
      reasoning: error.before.reasoning,
      calls: error.before.calls,
    });
    expect(chunks.filter(({ choices }) => choices.some(({ finishReason }) => finishReason !== 0))).toEqual([]);
  });
});

async function readInto(chunks: ChatCompletionChunk[], stream: AsyncIterable<ChatCompletionChunk>): Promise<void> {
  for await (const chunk of stream) chunks.push(chunk);
}

/** What chunks say before an error. */
function outputOf(chunks: readonly ChatCompletionChunk[]): object {
  const deltas = chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta ?? []));
  return {
    content: deltas.map(({ content }) => content ?? "").join(""),
    reasoning: deltas.map(({ reasoningContent }) => reasoningContent ?? "").join(""),
    calls: deltas.flatMap(({ toolCalls }) => toolCalls.filter(({ id }) => id !== undefined)).length,
  };
}
