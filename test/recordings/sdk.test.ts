import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReplayServer, startReplayServer } from "../support/replay-server.ts";
import { readRecording } from "./reading/read.ts";
import type { Answer } from "./reading/reading.ts";
import { loadRecordings, type Recording, titleOf } from "./recordings.ts";
import { wholeByAnthropic } from "./vendors/anthropic.ts";
import { callVendor, isForSdk } from "./vendors/call-vendor.ts";
import { wholeByOpenAI } from "./vendors/openai.ts";
import { UNJOINED, UNSEEN } from "./vendors/silent.ts";
import type { VendorResult } from "./vendors/vendor.ts";

const recordings = loadRecordings();
const readable = recordings.filter(isForSdk).map((recording) => {
  const reading = readRecording(recording);
  return { title: titleOf(recording), recording, reading };
});
const seen = readable.filter(({ title }) => UNSEEN[title] === undefined);
const answers = seen.filter(({ reading }) => reading.kind === "answer");
const errors = seen.flatMap(({ title, recording, reading }) =>
  reading.kind === "error" && reading.upstream !== undefined ? [{ title, recording, said: reading.upstream }] : [],
);

let replay: ReplayServer;
beforeAll(async () => {
  replay = await startReplayServer(recordings);
});
afterAll(() => replay.close());

const call = (recording: Recording): Promise<VendorResult> => callVendor(replay.baseUrl(recording.provider), recording);

/** Streams that the vendor's SDK puts together itself. It repairs arguments that are cut, which is no reading. */
const isPutTogether = ({ title, recording, reading }: (typeof answers)[number]): boolean =>
  UNJOINED[title] === undefined &&
  recording.streaming &&
  /^(?:openai|anthropic)$/.test(recording.provider) &&
  "answer" in reading &&
  hasWholeCalls(reading.answer);
const hasWholeCalls = ({ choices }: Answer): boolean =>
  choices.every(({ calls }) => calls.every(({ type, input }) => type === "custom" || typeof input === "object"));

describe("a vendor's own SDK", () => {
  it.each(readable.filter(({ title }) => UNSEEN[title] !== undefined))("does not see $title", async (row) => {
    expect(await call(row.recording)).not.toEqual(row.reading);
  });

  it.each(answers)("reads $title as we do", async ({ recording, reading }) => {
    expect(await call(recording)).toEqual(reading);
  });

  it.each(answers.filter(isPutTogether))("puts $title together as we do", async ({ recording, reading }) => {
    const { provider, name } = recording;
    const base = replay.baseUrl(provider);
    const result =
      provider === "anthropic" ? wholeByAnthropic(base, recording) : wholeByOpenAI(base, recording, { model: name });
    expect(await result).toEqual(reading);
  });

  it.each(errors.filter(({ recording }) => recording.status >= 400))("fails at $title as we do", async (row) => {
    expect(await call(row.recording)).toEqual({
      kind: "error",
      status: row.said.status,
      text: expect.stringContaining(row.said.message),
    });
  });

  it.each(errors.filter(({ recording }) => recording.status < 400))("finds the error within $title", async (row) => {
    expect(await call(row.recording)).toMatchObject({
      kind: "error",
      text: expect.stringContaining(row.said.message),
    });
  });
});
