import { describe, expect, it } from "vitest";
import { readRecording } from "./reading/read.ts";
import type { Answer, Reading } from "./reading/reading.ts";
import { loadRecordings, titleOf } from "./recordings.ts";

const readings = new Map(loadRecordings().map((recording) => [titleOf(recording), readRecording(recording)]));
const read = (title: string): Reading => readings.get(title) as Reading;
const answer = (title: string): Answer => (read(title) as { answer: Answer }).answer;

/** What the SDKs do not know, because it is the gateway's to say: read by hand. */
describe("readings of our own recordings", () => {
  it.each([
    ["openai/text", "stop"],
    ["openai/legacy-function-call-stream", "function_call"],
    ["compatible/azure-content-filter", "content_filter"],
    ["compatible/calls-on-one-index-stream", "tool_calls"],
    ["compatible/foreign-finish-twice-stream", "stop"],
    ["compatible/no-finish-stream", "stop"],
    ["anthropic/emoji-stream", "stop"],
    ["anthropic/thinking-tools-stream", "tool_calls"],
    ["anthropic/refusal", "content_filter"],
    ["anthropic/max-tokens-args-stream", "length"],
    ["anthropic/refusal-after-text-stream", "content_filter"],
    ["anthropic/refusal-without-text-stream", "content_filter"],
    ["anthropic/server-tools-stream", "stop"],
    ["anthropic/odd-order-stream", "tool_calls"],
    ["anthropic/text-after-call", "tool_calls"],
    ["anthropic/context-window", "length"],
    ["anthropic/compaction", "stop"],
    ["anthropic/unknown-stop", "stop"],
    ["google/thought-tools-stream", "tool_calls"],
    ["google/max-tokens-empty", "length"],
    ["google/blocked-prompt", "content_filter"],
    ["google/safety-stream", "content_filter"],
  ])("know why %s ended: %s", (title, finish) => {
    expect(answer(title).choices.map((choice) => choice.finish)).toEqual([finish]);
  });

  it.each([
    ["openai/json-schema", { prompt: 70, completion: 15, total: 85, cached: 64, cacheWrite: 4 }],
    ["compatible/reasoning-apart-from-completion", { prompt: 10, completion: 32, total: 42, cached: 4, reasoning: 30 }],
    ["compatible/call-without-id", { prompt: 35, completion: 74, total: 109, reasoning: 62 }],
    ["compatible/reasoning-content-stream", { prompt: 20, completion: 6, total: 26, cached: 8 }],
    ["compatible/crlf-no-done-stream", { prompt: 20, completion: 3, total: 23 }],
    ["anthropic/text-cache", { prompt: 2130, completion: 12, total: 2142, cached: 2000, cacheWrite: 100 }],
    ["anthropic/web-search-stream", { prompt: 9000, completion: 60, total: 9060 }],
    ["anthropic/server-tools-stream", { prompt: 180, completion: 41, total: 221, reasoning: 12 }],
    ["anthropic/compaction", { prompt: 900, completion: 25, total: 925 }],
    ["anthropic/thinking-tools-stream", { prompt: 30, completion: 77, total: 107, reasoning: 25 }],
    ["google/text", { prompt: 8, completion: 26, total: 34, cached: 4, reasoning: 20 }],
    ["google/grounding-stream", { prompt: 80, completion: 12, total: 92 }],
  ])("count the tokens of %s", (title, counted) => {
    const none = {
      cached: 0,
      cacheWrite: 0,
      reasoning: 0,
      promptAudio: 0,
      completionAudio: 0,
      accepted: 0,
      rejected: 0,
    };
    expect(answer(title).usage).toEqual({ ...none, ...counted });
  });

  it.each([
    ["openai/error-401", "UPSTREAM_AUTHENTICATION_FAILED"],
    ["openai/error-429", "RATE_LIMIT_EXCEEDED"],
    ["openai/error-429-quota", "UPSTREAM_QUOTA_EXHAUSTED"],
    ["openai/error-400-too-long", "CONTEXT_LENGTH_EXCEEDED"],
    ["compatible/midstream-error", "UPSTREAM_INVALID_RESPONSE"],
    ["compatible/first-event-error", "INVALID_REQUEST"],
    ["compatible/error-in-200", "OVERLOADED"],
    ["compatible/empty-200", "UPSTREAM_INVALID_RESPONSE"],
    ["compatible/cut-stream", "UPSTREAM_STREAM_INTERRUPTED"],
    ["anthropic/error-529", "OVERLOADED"],
    ["anthropic/error-in-stream", "OVERLOADED"],
    ["anthropic/error-502-html", "UPSTREAM_INVALID_RESPONSE"],
    ["anthropic/cut-stream", "UPSTREAM_STREAM_INTERRUPTED"],
    ["google/error-400-key", "UPSTREAM_AUTHENTICATION_FAILED"],
    ["google/error-429", "RATE_LIMIT_EXCEEDED"],
    ["google/malformed-call", "UPSTREAM_INVALID_RESPONSE"],
    ["google/cut-stream", "UPSTREAM_STREAM_INTERRUPTED"],
  ])("know why %s is none: %s", (title, reason) => {
    expect(read(title)).toMatchObject({ kind: "error", reason });
  });

  it.each([
    ["anthropic/web-search-stream", ["Tides turn twice a day"]],
    ["anthropic/citations-stream", ["high 🌊 water", "high 🌊 water"]],
    ["google/grounding-stream", ["Die Flut in Çeşme 🌊", "kommt um zwölf.", "kommt um zwölf."]],
    ["google/grounding", ["Die Flut in Çeşme 🌊", "kommt um zwölf.", "kommt um zwölf."]],
    ["openai/citations", ["([tides.example](https://tides.example/a))"]],
  ])("know what %s cites its sources for", (title, cited) => {
    const [choice] = answer(title).choices;
    const characters = [...(choice?.content ?? "")];
    expect(choice?.annotations.map(({ from, to }) => characters.slice(from, to).join(""))).toEqual(cited);
  });

  it.each([
    ["openai/legacy-function-call", "openai/legacy-function-call-stream"],
    ["google/grounding", "google/grounding-stream"],
    ["anthropic/thinking-tools", "anthropic/thinking-tools-again-stream"],
  ])("find in %s what is in %s", (whole, stream) => {
    expect(answer(stream)).toEqual(answer(whole));
  });
});
