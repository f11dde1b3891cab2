import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { encodeJson } from "../../src/openai-json/encode.ts";
import { useReplay } from "./gateway.ts";
import { paramsFor } from "./params-for.ts";
import { readRecording } from "./reading/read.ts";
import type { Answer, Reading } from "./reading/reading.ts";
import { loadRecordings, type Recording, titleOf } from "./recordings.ts";
import { callVendor, isForSdk } from "./vendors/call-vendor.ts";
import { chunksByOpenAI, type OpenAIParams, parsedByOpenAI, wholeByOpenAI } from "./vendors/openai.ts";
import { UNSEEN } from "./vendors/silent.ts";
import type { VendorResult } from "./vendors/vendor.ts";

const recordings = loadRecordings();
const { replay, url } = useReplay(recordings);
const failures = recordings.flatMap((recording) => {
  const reading = readRecording(recording);
  return reading.kind === "error" ? [{ title: titleOf(recording), recording, reading }] : [];
});
const rows = recordings.flatMap((recording) => {
  const reading = readRecording(recording);
  return reading.kind === "answer" ? [{ title: titleOf(recording), recording, reading }] : [];
});

/** Parameters of the gateway's call, as OpenAI's SDK wants them. */
function openaiParams(recording: Recording, reading: Reading): OpenAIParams {
  const message = create(ChatCompletionParamsSchema, paramsFor(recording, reading));
  const { messages: _, ...params } = encodeJson(ChatCompletionParamsSchema, message, { nulls: false });
  return params as unknown as OpenAIParams;
}

/** What the gateway's answer is to OpenAI's SDK: one of OpenAI itself. */
const asOpenAI = (recording: Recording): Recording => ({ ...recording, provider: "openai" });

/** What OpenAI's API has: the provider's own word for the end is no part of it. */
const ofOpenAI = (result: VendorResult | Reading): unknown =>
  result.kind === "answer" ? { ...result.answer, endings: [] } : result;

/** What OpenAI's helper for streams keeps: it overwrites what it does not know, where it should append. */
const known = (result: VendorResult): unknown =>
  result.kind === "answer" ? { ...result.answer, endings: [], choices: result.answer.choices.map(knownOf) } : result;
const knownOf = ({ content, refusal, calls, functionCall, finish, logprobs }: Answer["choices"][number]): unknown => ({
  content,
  refusal,
  calls,
  functionCall,
  finish,
  logprobs,
});

/** Answers in one piece that its helper parses: it throws where they were cut or filtered. */
const isParsed = ({ recording, reading }: (typeof rows)[number]): boolean =>
  !recording.streaming &&
  reading.answer.choices.every(({ finish }) => /^(?:stop|tool_calls|function_call)$/.test(finish));

describe("OpenAI's SDK at the gateway", () => {
  it.each(rows)("makes of $title what the vendor's own makes of it", async ({ title, recording, reading }) => {
    const isUnseen = UNSEEN[title] !== undefined || !isForSdk(recording);
    const byVendor = isUnseen ? reading : await callVendor(replay().baseUrl(recording.provider), recording);
    const ask = recording.streaming ? chunksByOpenAI : wholeByOpenAI;
    const byGateway = await ask(`${url()}/v1`, asOpenAI(recording), openaiParams(recording, reading));
    expect(ofOpenAI(byGateway)).toEqual(ofOpenAI(byVendor));
  });

  it.each(rows.filter(({ recording }) => recording.streaming))("puts the stream of $title together", async ({
    recording,
    reading,
  }) => {
    const params = openaiParams(recording, reading);
    const result = await wholeByOpenAI(`${url()}/v1`, asOpenAI(recording), params);
    expect(known(result)).toEqual(known(reading as VendorResult));
  });
  it.each(rows.filter(isParsed))("parses $title as it creates it", async ({ recording, reading }) => {
    // It wants to parse the calls of tools that are given, too.
    const { tools: _tools, functions: _functions, ...params } = openaiParams(recording, reading);
    const result = await parsedByOpenAI(`${url()}/v1`, asOpenAI(recording), params);
    expect(ofOpenAI(result)).toEqual(ofOpenAI(reading));
  });

  it.each(failures)("fails at $title with an error of OpenAI's", async ({ recording, reading }) => {
    const asks = recording.streaming ? [chunksByOpenAI, wholeByOpenAI] : [wholeByOpenAI, parsedByOpenAI];
    const params = openaiParams(recording, reading);
    const results = await Promise.all(asks.map((ask) => ask(`${url()}/v1`, asOpenAI(recording), params)));
    expect(results.map(({ kind }) => kind)).toEqual(["error", "error"]);
  });
});
