/** Streams of providers, as their servers send them: the words of an answer, one event for each. */
import { USAGE } from "./usage.ts";

/** Whose form a stream has. */
export type Family = "openai" | "anthropic" | "google";

/** Names of all families. */
export const FAMILIES = ["openai", "anthropic", "google"] as const;

/** A stream of so many words, with so many events in each write. Its model's name says both. */
export interface StreamShape {
  readonly words: number;
  readonly packed: number;
}

/** The name of the model that answers with a stream. */
export const modelOf = ({ words, packed }: StreamShape): string => `words-${words}-by-${packed}`;

/** The stream that a model's name stands for; undefined for any other name. */
export function shapeOf(model: string): StreamShape | undefined {
  const [, words, packed] = /^words-(\d+)-by-(\d+)$/.exec(model) ?? [];
  return words === undefined ? undefined : { words: Number(words), packed: Number(packed) };
}

/** Where a family is called below the address that it is configured with, and below the upstream's. */
export const PATHS: Readonly<Record<Family, (model: string) => string>> = {
  openai: () => "/v1/chat/completions",
  anthropic: () => "/v1/messages",
  google: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
};

/** The writes of a stream. */
export function writesOf(family: Family, { words, packed }: StreamShape): Buffer[] {
  const [opening, word, ending] = EVENTS[family];
  const writes = Array.from({ length: Math.ceil(words / packed) }, (_, at) =>
    word.repeat(Math.min(packed, words - at * packed)),
  );
  return [opening, ...writes, ending].filter((text) => text !== "").map((text) => Buffer.from(text));
}

const data = (json: object): string => `data: ${JSON.stringify(json)}\n\n`;
const named = (type: string, fields: object = {}): string => `event: ${type}\n${data({ type, ...fields })}`;
const crlf = (text: string): string => text.replaceAll("\n", "\r\n");

const chunk = (choices: object[], usage: object | null): string =>
  data({
    id: "chatcmpl-0123456789abcdefghijklmn",
    object: "chat.completion.chunk",
    created: 1790000000,
    model: "words",
    service_tier: "default",
    system_fingerprint: "fp_0123456789",
    choices,
    usage,
    obfuscation: "a1b2c3",
  });
const choice = (delta: object, finish_reason: string | null): object => ({
  index: 0,
  delta,
  logprobs: null,
  finish_reason,
});

const response = (parts: object[], finish: object): string =>
  crlf(
    data({
      candidates: [{ content: { parts, role: "model" }, index: 0, ...finish }],
      usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 30, totalTokenCount: 130 },
      modelVersion: "words",
      responseId: "0123456789abcdef",
    }),
  );

/** What comes first, a word, and what comes last. */
const EVENTS: Readonly<Record<Family, readonly [string, string, string]>> = {
  openai: [
    chunk([choice({ role: "assistant", content: "", refusal: null }, null)], null),
    chunk([choice({ content: " time" }, null)], null),
    `${chunk([choice({}, "stop")], null)}${chunk([], USAGE)}data: [DONE]\n\n`,
  ],
  anthropic: [
    named("message_start", {
      message: {
        id: "msg_0123456789abcdef",
        type: "message",
        role: "assistant",
        model: "words",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 100, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
      },
    }) + named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    named("content_block_delta", { index: 0, delta: { type: "text_delta", text: " time" } }),
    named("content_block_stop", { index: 0 }) +
      named("message_delta", {
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 30 },
      }) +
      named("message_stop"),
  ],
  google: ["", response([{ text: " time" }], {}), response([{ text: "." }], { finishReason: "STOP" })],
};
