import { events } from "./upstream.ts";

/** A vendor, as a hand-made upstream plays it. */
export interface Vendor {
  /** Id of the provider in the gateway; its family is the one of that name. */
  readonly id: "openai" | "anthropic" | "google";
  /** The key that the gateway has for it. */
  readonly key: string;
  /** Its entry in the gateway's file. */
  settings(url: string): object;
  /** A whole answer that says this. */
  whole(text: string): object;
  /** How its stream begins, without output. */
  readonly opening: readonly string[];
  /** The event that says this. */
  said(text: string): string;
  /** How its stream ends. */
  readonly ending: readonly string[];
  /** What it sends for as long as it has nothing to say. */
  readonly ping: string;
  /** The body of an error, with the vendor's own word for it. */
  error(word: string, message: string, more?: object): object;
  /** An error with that word, as an event. */
  errorEvent(word: string, message: string): string;
  /** The word for an overload. */
  readonly overloaded: string;
}

/** Anthropic names its events. */
const named = (type: string, data: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
const unnamed = (data: object): string => events(JSON.stringify(data)).join("");

const CHUNK = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "large" };
const openaiChunk = (delta: object, finish: string | null = null): string =>
  unnamed({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: finish }] });

const OPENAI: Vendor = {
  id: "openai",
  key: "sk-proj-AbCd1234EfGh5678IjKl",
  settings: (url) => ({
    id: "openai",
    openai_compatible: { base_url: `${url}/openai/v1`, api_key: OPENAI.key, vendor: "openai" },
  }),
  whole: (content) => ({
    ...CHUNK,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  }),
  opening: [openaiChunk({ role: "assistant", content: "" })],
  said: (content) => openaiChunk({ content }),
  ending: [openaiChunk({}, "stop"), ...events("[DONE]")],
  ping: ": ping\n\n",
  error: (code, message, more = {}) => ({
    error: { message, type: "invalid_request_error", param: null, code, ...more },
  }),
  errorEvent: (code, message) => unnamed(OPENAI.error(code, message, { type: "server_error" })),
  overloaded: "overloaded",
};

const ANTHROPIC: Vendor = {
  id: "anthropic",
  key: "sk-ant-api03-AbCd1234EfGh5678",
  settings: (url) => ({ id: "anthropic", anthropic: { base_url: `${url}/anthropic`, api_key: ANTHROPIC.key } }),
  whole: (text) => ({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "large",
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  }),
  get opening() {
    const message = { ...ANTHROPIC.whole(""), content: [], stop_reason: null };
    const block = { index: 0, content_block: { type: "text", text: "" } };
    return [named("message_start", { message }), named("content_block_start", block)];
  },
  said: (text) => named("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
  ending: [
    named("content_block_stop", { index: 0 }),
    named("message_delta", {
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 1 },
    }),
    named("message_stop"),
  ],
  ping: named("ping"),
  error: (type, message, more = {}) => ({
    type: "error",
    error: { type, message, ...more },
    request_id: "req_AbCd1234",
  }),
  errorEvent: (type, message) => named("error", ANTHROPIC.error(type, message)),
  overloaded: "overloaded_error",
};

const geminiChunk = (text: string, more: object = {}): object => ({
  candidates: [{ index: 0, content: { role: "model", parts: [{ text }] }, ...more }],
  modelVersion: "large",
  responseId: "r1",
});
const GEMINI_STOP = { finishReason: "STOP" };

const GOOGLE: Vendor = {
  id: "google",
  key: "AIzaSyAbCd1234EfGh5678IjKlMnOpQrStUvWxY",
  settings: (url) => ({ id: "google", google: { base_url: `${url}/google`, api_key: GOOGLE.key } }),
  whole: (text) => geminiChunk(text, GEMINI_STOP),
  opening: [],
  said: (text) => unnamed(geminiChunk(text)),
  ending: [unnamed(geminiChunk("", GEMINI_STOP))],
  ping: ": ping\n\n",
  error: (status, message, more = {}) => ({ error: { code: 0, message, status, ...more } }),
  errorEvent: (status, message) => unnamed(GOOGLE.error(status, message)),
  overloaded: "UNAVAILABLE",
};

/** One vendor of each family. */
export const VENDORS: readonly Vendor[] = [OPENAI, ANTHROPIC, GOOGLE];
