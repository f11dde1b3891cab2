/** What the mock upstream answers: whole answers, and the parts of streams in the form of each family's servers. */
import { MARK, STAMP_LENGTH } from "../load/mark.ts";

/** Whose form a stream has. */
export type Family = "openai" | "anthropic" | "google";

/** A stream of so many chunks, with so much time between two of them. */
export interface StreamShape {
  readonly chunks: number;
  readonly delayMs: number;
}

/** The words of a request that ask for a stream. They stand in its first message. */
export const wordsOf = ({ chunks, delayMs }: StreamShape): string => `[stream ${chunks} ${delayMs}]`;

/** The stream that a request asks for, of the beginning of its body; undefined: it asks for none. */
export function shapeOf(body: string): StreamShape | undefined {
  const [, chunks, delayMs] = /\[stream (\d+) (\d+)\]/.exec(body) ?? [];
  return chunks === undefined ? undefined : { chunks: Number(chunks), delayMs: Number(delayMs) };
}

/** Whose API the path belongs to. */
export function familyOf(path: string): Family {
  if (path.endsWith("/messages")) return "anthropic";
  return path.includes(":streamGenerateContent") ? "google" : "openai";
}

/** Texts of a stream on the wire. An event of a chunk is `before`, a stamped mark, and `after`. */
export interface StreamParts {
  /** The head of the answer, and what comes before the first chunk. */
  readonly opening: string;
  readonly before: string;
  readonly after: string;
  /** What comes after the last chunk, to the end of the body. */
  readonly ending: string;
}

/** As many headers as OpenAI sends. */
const HEAD = [
  "HTTP/1.1 200 OK",
  "date: Thu, 01 Jan 2026 12:00:00 GMT",
  "connection: keep-alive",
  "openai-organization: org-0123456789",
  "openai-processing-ms: 12",
  "openai-version: 2020-10-01",
  "x-ratelimit-limit-requests: 10000",
  "x-ratelimit-limit-tokens: 2000000",
  "x-ratelimit-remaining-requests: 9999",
  "x-ratelimit-remaining-tokens: 1999000",
  "x-ratelimit-reset-requests: 6ms",
  "x-ratelimit-reset-tokens: 30ms",
  "x-request-id: req_0123456789abcdef",
  "",
].join("\r\n");

const data = (json: object): string => `data: ${JSON.stringify(json)}\n\n`;
const named = (type: string, fields: object = {}): string => `event: ${type}\n${data({ type, ...fields })}`;
/** Chunks of the body's transfer coding (RFC 9112, 7.1). */
const coded = (text: string): string => (text === "" ? "" : `${text.length.toString(16)}\r\n${text}\r\n`);

const USAGE = { prompt_tokens: 412, completion_tokens: 128, total_tokens: 540 };
const ID = { id: "chatcmpl-0123456789abcdefghijklmn", created: 1790000000, model: "gpt-4o-mini-2024-07-18" };

const chunk = (choices: object[], usage?: object): string =>
  data({
    object: "chat.completion.chunk",
    ...ID,
    system_fingerprint: "fp_0123456789",
    choices,
    ...(usage === undefined ? {} : { usage }),
  });
const choice = (delta: object, finish_reason: string | null = null): object => ({
  index: 0,
  delta,
  finish_reason,
});
const candidate = (text: string, more: object): string =>
  data({
    candidates: [{ content: { parts: [{ text }], role: "model" }, index: 0, ...more }],
    usageMetadata: { promptTokenCount: 412, candidatesTokenCount: 128, totalTokenCount: 540 },
    modelVersion: "gemini-2.5-flash",
    responseId: "0123456789abcdef",
  }).replaceAll("\n", "\r\n");

/** What comes first, the event of a chunk with that text, and what comes last. */
interface Events {
  readonly first: string;
  readonly word: (text: string) => string;
  readonly last: string;
}

const EVENTS: Readonly<Record<Family, Events>> = {
  openai: {
    first: chunk([choice({ role: "assistant", content: "", refusal: null })]),
    word: (content) => chunk([choice({ content })]),
    last: `${chunk([choice({}, "stop")])}${chunk([], USAGE)}data: [DONE]\n\n`,
  },
  anthropic: {
    first:
      named("message_start", {
        message: {
          id: "msg_0123456789abcdef",
          type: "message",
          role: "assistant",
          model: "claude-sonnet-4-5",
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 412, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
        },
      }) + named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    word: (text) => named("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    last:
      named("content_block_stop", { index: 0 }) +
      named("message_delta", {
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 128 },
      }) +
      named("message_stop"),
  },
  google: { first: "", word: (text) => candidate(text, {}), last: candidate(".", { finishReason: "STOP" }) },
};

/** The parts of a family's streams. */
export function partsOf(family: Family): StreamParts {
  const { first, word, last } = EVENTS[family];
  const hole = "#".repeat(STAMP_LENGTH);
  const [before = "", after = ""] = coded(word(` ${hole}`)).split(hole);
  return {
    opening: `${HEAD}content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n${coded(first)}`,
    before,
    after,
    ending: `${coded(last)}0\r\n\r\n`,
  };
}

/** An answer with that body. */
const wholeOf = (json: object): Buffer => {
  const body = JSON.stringify(json);
  return Buffer.from(`${HEAD}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
};

const TEXT = `${MARK} ${"The quick brown fox jumps over the lazy dog. ".repeat(13)}`;

/** A whole answer in OpenAI's form, of 1 kB. */
export const COMPLETION = wholeOf({
  object: "chat.completion",
  ...ID,
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: TEXT, refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: USAGE,
  service_tier: "default",
  system_fingerprint: "fp_0123456789",
});

/** A list of models, empty in the form of each family. */
export const MODELS = wholeOf({ object: "list", data: [], has_more: false, models: [] });
