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
    ["anthropic/compaction", "stop"],
    ["anthropic/unknown-stop", "stop"],
    ["google/thought-tools-stream", "tool_calls"],
    ["google/max-tokens-empty", "length"],
    ["google/blocked-prompt", "content_filter"],
    ["google/safety-stream", "content_filter"],
    ["google/recitation", "content_filter"],
    ["google/model-armor", "content_filter"],
    ["google/language-text-stream", "stop"],
    ["google/array-stream", "stop"],
    ["google/array-tools-stream", "tool_calls"],
    ["google/calls-over-events-stream", "tool_calls"],
    ["openai/forced-function-stop", "stop"],
    ["anthropic/pause-turn", "stop"],
    ["anthropic/compaction-only", "stop"],
    ["anthropic/new-stop-reason", "stop"],
    ["anthropic/context-window", "length"],
    ["anthropic/refusal-at-once-stream", "content_filter"],
    ["google/no-parts-stream", "length"],
    ["google/recitation-stream", "content_filter"],
    ["google/language-with-text", "stop"],
    ["google/unspecified-finish", "stop"],
    ["compatible/snowflake-stream", "stop"],
    ["compatible/snowflake-calls-stream", "tool_calls"],
    ["compatible/together-eos", "stop"],
    ["compatible/finish-model-length", "length"],
    ["compatible/finish-empty-word", "stop"],
    ["compatible/finish-stop-with-calls", "tool_calls"],
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
    ["anthropic/thinking-tools-stream", { prompt: 30, completion: 77, total: 107, reasoning: 25 }],
    ["google/text", { prompt: 8, completion: 26, total: 34, cached: 4, reasoning: 20 }],
    ["google/grounding-stream", { prompt: 80, completion: 12, total: 92 }],
    ["google/vertex", { prompt: 31, completion: 4, total: 35, cached: 8, promptAudio: 8 }],
    ["google/url-context", { prompt: 400, completion: 6, total: 406 }],
    ["google/calls-over-events-stream", { prompt: 128, completion: 74, total: 202, reasoning: 30 }],
    ["openai/usage-null-details-stream", { prompt: 7, completion: 2, total: 9 }],
    ["openai/prediction", { prompt: 90, completion: 22, total: 112, accepted: 11, rejected: 6 }],
    ["anthropic/usage-revised-stream", { prompt: 193, completion: 9, total: 202, cacheWrite: 12 }],
    ["anthropic/compaction", { prompt: 1090, completion: 84, total: 1174, cached: 40, cacheWrite: 30 }],
    ["google/audio-input", { prompt: 60, completion: 3, total: 63, cached: 12, promptAudio: 32 }],
    ["google/usage-without-prompt", { completion: 3, total: 3, prompt: 0 }],
    ["google/code-execution-stream", { prompt: 43, completion: 14, total: 57 }],
    ["google/text-after-finish-stream", { prompt: 9, completion: 6, total: 15 }],
    ["compatible/usage-then-null-stream", { prompt: 7, completion: 3, total: 10 }],
    ["compatible/perplexity-stream", { prompt: 5, completion: 7, total: 12 }],
    ["compatible/google-endpoint-stream", { prompt: 35, completion: 74, total: 109, reasoning: 62 }],
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
    ["google/error-429-day", "INSUFFICIENT_QUOTA"],
    ["google/error-403", "UPSTREAM_AUTHENTICATION_FAILED"],
    ["google/error-404", "MODEL_NOT_FOUND"],
    ["google/error-500", "UPSTREAM_ERROR"],
    ["google/array-error-400", "INVALID_REQUEST"],
    ["google/array-error-in-stream", "OVERLOADED"],
    ["google/array-cut-stream", "UPSTREAM_STREAM_INTERRUPTED"],
    ["google/other-empty", "UPSTREAM_INVALID_RESPONSE"],
    ["google/unexpected-call-stream", "UPSTREAM_INVALID_RESPONSE"],
    ["google/malformed-call", "UPSTREAM_INVALID_RESPONSE"],
    ["google/cut-stream", "UPSTREAM_STREAM_INTERRUPTED"],
    ["openai/error-in-stream", "RATE_LIMIT_EXCEEDED"],
    ["anthropic/error-402", "UPSTREAM_QUOTA_EXHAUSTED"],
    ["anthropic/error-400-credit", "UPSTREAM_QUOTA_EXHAUSTED"],
    ["anthropic/error-413", "REQUEST_TOO_LARGE"],
    ["anthropic/error-520-html", "UPSTREAM_INVALID_RESPONSE"],
    ["anthropic/error-400-too-long", "CONTEXT_LENGTH_EXCEEDED"],
    ["google/error-400-too-long", "CONTEXT_LENGTH_EXCEEDED"],
    ["google/error-400-precondition", "FAILED_PRECONDITION"],
    ["google/error-429-day", "INSUFFICIENT_QUOTA"],
    ["google/no-candidates", "UPSTREAM_INVALID_RESPONSE"],
    ["google/other-at-once", "UPSTREAM_INVALID_RESPONSE"],
    ["google/too-many-calls", "UPSTREAM_INVALID_RESPONSE"],
    ["google/not-ended", "UPSTREAM_INVALID_RESPONSE"],
    ["compatible/vllm-too-long", "CONTEXT_LENGTH_EXCEEDED"],
    ["compatible/llamacpp-too-long", "CONTEXT_LENGTH_EXCEEDED"],
    ["compatible/groq-too-long", "CONTEXT_LENGTH_EXCEEDED"],
    ["compatible/azure-429", "RATE_LIMIT_EXCEEDED"],
    ["compatible/azure-innererror", "CONTENT_FILTERED"],
    ["compatible/azure-management-401", "UPSTREAM_AUTHENTICATION_FAILED"],
    ["compatible/mistral-error-401", "UPSTREAM_AUTHENTICATION_FAILED"],
    ["compatible/groq-error-event-stream", "INVALID_REQUEST"],
    ["compatible/openrouter-200-error", "RATE_LIMIT_EXCEEDED"],
    ["compatible/openrouter-finish-error-stream", "UPSTREAM_INVALID_RESPONSE"],
    ["compatible/json-error-for-stream", "OVERLOADED"],
    ["compatible/done-at-once-stream", "UPSTREAM_INVALID_RESPONSE"],
    ["compatible/no-finish-no-done-stream", "UPSTREAM_STREAM_INTERRUPTED"],
  ])("know why %s is none: %s", (title, reason) => {
    expect(read(title)).toMatchObject({ kind: "error", reason });
  });

  it.each([
    ["anthropic/web-search-stream", ["Tides turn twice a day"]],
    ["anthropic/citations-stream", ["high 🌊 water", "high 🌊 water"]],
    ["google/grounding-stream", ["Die Flut in Çeşme 🌊", "kommt um zwölf.", "kommt um zwölf."]],
    ["google/grounding-parts", ["Ebbe in Büsum 🦀.", "Çeşme", "Çeşme", "Flut"]],
    ["google/grounding", ["Die Flut in Çeşme 🌊", "kommt um zwölf.", "kommt um zwölf."]],
    ["openai/citations", ["([tides.example](https://tides.example/a))"]],
    ["openai/annotations-stream", ["([tide.example](https://tide.example/t))", "Flood"]],
    ["anthropic/web-search-many", ["Nord ⚓️", "Nord ⚓️", "Süd"]],
    ["anthropic/page-citations", []],
    ["google/grounding-two-parts", ["Ebbe um fünf 🌊.", "Ebbe um fünf 🌊.", "Flut um elf."]],
  ])("know what %s cites its sources for", (title, cited) => {
    const [choice] = answer(title).choices;
    const characters = [...(choice?.content ?? "")];
    expect(choice?.annotations.map(({ from, to }) => characters.slice(from, to).join(""))).toEqual(cited);
  });

  it.each([
    ["openai/legacy-function-call", "openai/legacy-function-call-stream"],
    ["google/grounding", "google/grounding-stream"],
    ["google/gemini-2.5-two-candidates", "google/gemini-2.5-two-candidates-stream"],
    ["anthropic/thinking-tools", "anthropic/thinking-tools-again-stream"],
    ["anthropic/compaction", "anthropic/compaction-stream"],
    ["anthropic/pause-turn", "anthropic/pause-turn-stream"],
    ["anthropic/page-citations", "anthropic/page-citations-stream"],
    ["anthropic/thinking-omitted", "anthropic/thinking-omitted-stream"],
    ["google/no-usage", "google/no-usage-stream"],
  ])("find in %s what is in %s", (whole, stream) => {
    expect(answer(stream)).toEqual(answer(whole));
  });

  it.each([
    [
      "openai/n2-tools-interleaved-stream",
      ["call_A0 tide_at", "call_A1 moon_at", "call_B0 moon_at", "call_B1 tide_at"],
    ],
    ["compatible/index-from-1-stream", ["call_i1 tide_at", "call_i3 moon_at"]],
    ["compatible/no-index-stream", ["call_n1 tide_at", "call_n2 tide_at", "call_n3 moon_at"]],
    ["anthropic/bedrock-ids-stream", ["toolu_bdrk_01Abc tide_at", "toolu_bdrk_01Def moon_at"]],
    ["anthropic/code-execution-stream", ["toolu_01Z note"]],
    ["anthropic/mcp-tools", ["toolu_01M save"]],
  ])("know the calls of %s", (title, calls) => {
    const found = answer(title).choices.flatMap((choice) => choice.calls.map(({ id, name }) => `${id} ${name}`));
    expect(found).toEqual(calls);
  });

  it.each([
    ["openai/surrogates-apart-stream", ["Moon 🌙 naïve 月"]],
    ["anthropic/unknown-all-over-stream", ["Sea salt 🧂"]],
    ["anthropic/code-execution", ["I count. It is 42."]],
    ["google/code-execution-stream", ["I count. It is 42."]],
    ["google/gemini-2.0-two-candidates-stream", ["One 🌊", "Two, cut"]],
    ["google/text-after-finish-stream", ["The end comes later."]],
    ["compatible/deltas-null-stream", ["Ahoy."]],
    ["compatible/mistral-thinking-stream", ["Six."]],
  ])("know the text of %s", (title, texts) => {
    expect(answer(title).choices.map(({ content }) => content)).toEqual(texts);
  });
});
