import { readError, STATUS_OF } from "./errors.ts";
import {
  type Answer,
  type AnswerCitation,
  type AnswerDetail,
  type AnswerUsage,
  type Before,
  broken,
  cutShort,
  type ErrorReading,
  eventsOf,
  lengthOf,
  NOTHING,
  parseInput,
  portableId,
  type Reading,
  someText,
} from "./reading.ts";

interface Block {
  readonly type: string;
  text?: string;
  thinking?: string;
  signature?: string;
  readonly data?: string;
  readonly id?: string;
  readonly name?: string;
  input?: unknown;
  citations?: readonly Citation[] | null;
}
interface Citation {
  readonly type: string;
  readonly url?: string;
  readonly title?: string | null;
}
interface Usage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
  readonly service_tier?: string | null;
  readonly iterations?: readonly Usage[] | null;
}
/** A whole message. */
export interface AnthropicMessage {
  readonly type?: string;
  readonly content?: readonly Block[];
  readonly stop_reason?: string | null;
  readonly stop_sequence?: string | null;
  readonly stop_details?: { readonly explanation?: string | null } | null;
  readonly usage?: Usage;
  readonly error?: { readonly type: string; readonly message: string };
}
interface Delta {
  readonly type?: string;
  readonly text?: string;
  readonly thinking?: string;
  readonly signature?: string;
  readonly partial_json?: string;
  readonly citation?: Citation;
  readonly stop_reason?: string | null;
  readonly stop_sequence?: string | null;
  readonly stop_details?: AnthropicMessage["stop_details"];
}
/** An event of a stream. */
export interface AnthropicEvent extends AnthropicMessage {
  readonly index?: number;
  readonly message?: AnthropicMessage;
  readonly content_block?: Block;
  readonly delta?: Delta;
}

/** Reads a recording of Anthropic. */
export function readAnthropic(body: string, status: number, streaming: boolean): Reading {
  if (status >= 400) return errorOf(parseBody(body), status, NOTHING);
  if (!streaming || body.trimStart().startsWith("{")) {
    const message = parseBody(body);
    if (message.type === "error") return errorOf(message, undefined, NOTHING);
    return message.content && message.stop_reason ? { kind: "answer", answer: answerOf(message) } : broken();
  }
  return readAnthropicEvents(eventsOf(body).map((data) => JSON.parse(data) as AnthropicEvent));
}

/** Reads the events of a stream. */
export function readAnthropicEvents(events: readonly AnthropicEvent[]): Reading {
  const end = events.findIndex(({ type }) => type === "message_stop" || type === "error");
  const seen = end < 0 ? events : events.slice(0, end);
  const message = mergeEvents(seen);
  if (end < 0) return cutShort(beforeOf(seen, message));
  const last = events[end] as AnthropicEvent;
  if (last.type === "error") return errorOf(last, undefined, beforeOf(seen, message));
  return { kind: "answer", answer: answerOf(message) };
}

function parseBody(body: string): AnthropicMessage {
  try {
    return JSON.parse(body) as AnthropicMessage;
  } catch {
    return { type: "error", error: { type: "", message: body.trim() } };
  }
}

function errorOf({ error }: AnthropicMessage, status: number | undefined, before: Before): ErrorReading {
  const { type, message } = error ?? { type: "", message: "" };
  // What an answer of Anthropic has for a type is no code of OpenAI's.
  return readError({ status: status ?? STATUS_OF[type] ?? 500, type, code: undefined, message }, before);
}

function beforeOf(events: readonly AnthropicEvent[], { content = [] }: AnthropicMessage): Before {
  return {
    events: events.filter(({ type }) => type !== "ping").length,
    content: content.map(({ type, text }) => (type === "text" ? (text ?? "") : "")).join(""),
    reasoning: content.map(({ thinking }) => thinking ?? "").join(""),
    calls: content.filter(({ type }) => type === "tool_use").length,
  };
}

function mergeEvents(events: readonly AnthropicEvent[]): AnthropicMessage {
  const start = events.find(({ type }) => type === "message_start")?.message;
  const ends = events.filter(({ type }) => type === "message_delta");
  const opened = events.filter(({ type }) => type === "content_block_start");
  const content = opened.map(({ index, content_block }) => {
    const block = { ...(content_block as Block) };
    const own = events.filter((event) => event.type === "content_block_delta" && event.index === index);
    const deltas = own.map(({ delta }) => delta ?? {});
    const added = (key: keyof typeof DELTA_TYPES): string =>
      deltas.map((delta) => (delta.type === DELTA_TYPES[key] ? (delta[key] ?? "") : "")).join("");
    if (block.type === "text") block.text = (block.text ?? "") + added("text");
    if (block.type === "thinking") {
      block.thinking = (block.thinking ?? "") + added("thinking");
      block.signature = (block.signature ?? "") + added("signature");
    }
    if (added("partial_json") !== "") block.input = parseInput(added("partial_json"));
    block.citations = [...(block.citations ?? []), ...deltas.flatMap(({ citation }) => citation ?? [])];
    return block;
  });
  const usages = [start?.usage, ...ends.map(({ usage }) => usage)];
  const known = usages.flatMap((usage) => Object.entries(usage ?? {}).filter(([, value]) => value !== null));
  return {
    content,
    ...(known.length > 0 && { usage: Object.fromEntries(known) as Usage }),
    stop_reason: ends.findLast(({ delta }) => delta?.stop_reason)?.delta?.stop_reason ?? null,
    stop_sequence: ends.findLast(({ delta }) => delta?.stop_sequence)?.delta?.stop_sequence ?? null,
    stop_details: ends.findLast(({ delta }) => delta?.stop_details)?.delta?.stop_details ?? null,
  };
}

/** Which delta has what; others say nothing, whatever they have. */
const DELTA_TYPES = {
  text: "text_delta",
  thinking: "thinking_delta",
  signature: "signature_delta",
  partial_json: "input_json_delta",
} as const;

const FINISHES: Readonly<Record<string, string>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

/** Reads a whole message. */
export function answerOf(message: AnthropicMessage): Answer {
  const { content: blocks = [], stop_reason, stop_sequence, stop_details, usage } = message;
  return {
    choices: [
      {
        content: blocks.map(({ type, text }) => (type === "text" ? (text ?? "") : "")).join(""),
        refusal: stop_reason === "refusal" ? (stop_details?.explanation ?? someText()) : undefined,
        reasoning: blocks.map(({ type, thinking }) => (type === "thinking" ? (thinking ?? "") : "")).join(""),
        details: blocks.flatMap(detailsOf),
        calls: blocks
          .filter(({ type }) => type === "tool_use")
          .map(({ id, name = "", input }) => ({
            id: portableId(id),
            type: "function",
            name,
            input,
            extraContent: undefined,
          })),
        functionCall: undefined,
        finish: FINISHES[stop_reason ?? ""] ?? "stop",
        annotations: citationsOf(blocks),
        images: [],
        logprobs: [],
        audio: undefined,
      },
    ],
    usage: usage && usageOf(usage),
    systemFingerprint: undefined,
    endings: [{ native: stop_reason ?? undefined, sequence: stop_sequence ?? undefined }],
    serviceTier: ({ standard: "default", priority: "priority" } as Record<string, string>)[usage?.service_tier ?? ""],
  };
}

function detailsOf({ type, thinking, signature, data }: Block): AnswerDetail[] {
  const empty = { text: "", data: "", signature: "", call: undefined };
  if (type === "thinking")
    return [{ ...empty, type: "reasoning.text", text: thinking ?? "", signature: signature ?? "" }];
  if (type === "redacted_thinking") return [{ ...empty, type: "reasoning.encrypted", data: data ?? "" }];
  return [];
}

/** A citation with an address covers the block that has it. */
function citationsOf(blocks: readonly Block[]): AnswerCitation[] {
  let from = 0;
  return blocks
    .filter(({ type }) => type === "text")
    .flatMap(({ text = "", citations }) => {
      const to = from + lengthOf(text);
      const span = { from, to };
      from = to;
      return (citations ?? []).flatMap(({ url, title }) => (url ? [{ ...span, title: title ?? "", url }] : []));
    });
}

function usageOf(usage: Usage): AnswerUsage {
  // With iterations, the totals leave out the pass that shortened the context.
  const passes = usage.iterations?.length ? usage.iterations : [usage];
  const sum = (key: "input_tokens" | "output_tokens" | "cache_creation_input_tokens" | "cache_read_input_tokens") =>
    passes.reduce((total, pass) => total + (pass[key] ?? 0), 0);
  const prompt = sum("input_tokens") + sum("cache_creation_input_tokens") + sum("cache_read_input_tokens");
  return {
    prompt,
    completion: sum("output_tokens"),
    total: prompt + sum("output_tokens"),
    cached: sum("cache_read_input_tokens"),
    cacheWrite: sum("cache_creation_input_tokens"),
    reasoning: usage.output_tokens_details?.thinking_tokens ?? 0,
    promptAudio: 0,
    completionAudio: 0,
    accepted: 0,
    rejected: 0,
  };
}
