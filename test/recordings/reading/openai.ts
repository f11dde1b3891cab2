import { readError, STATUS_OF } from "./errors.ts";
import {
  type Answer,
  type AnswerCall,
  type AnswerChoice,
  type AnswerDetail,
  type AnswerEnding,
  type AnswerLogprob,
  type AnswerUsage,
  type Before,
  broken,
  cutShort,
  type ErrorReading,
  eventsOf,
  NOTHING,
  parseInput,
  portableId,
  type Reading,
} from "./reading.ts";

/** Text, or Mistral's parts. */
type Content = string | readonly ContentPart[] | null;
interface ContentPart {
  readonly type: string;
  readonly text?: string;
  readonly thinking?: readonly { readonly text?: string }[];
}

/** A piece of a message, or a whole one: both have the same keys. */
interface Message {
  content?: Content;
  refusal?: string | null;
  reasoning_content?: string | null;
  reasoning?: string | null;
  reasoning_details?: readonly Detail[] | null;
  tool_calls?: readonly Call[] | null;
  function_call?: { name?: string; arguments?: string } | null;
  annotations?: readonly Annotation[] | null;
  images?: readonly { readonly image_url: { readonly url: string } }[] | null;
  audio?: { id?: string; data?: string; transcript?: string } | null;
}
interface Detail {
  readonly type?: string;
  readonly index?: number;
  readonly id?: string | null;
  readonly text?: string | null;
  readonly summary?: string | null;
  readonly data?: string | null;
  readonly signature?: string | null;
}
interface Call {
  readonly index?: number | null;
  readonly id?: string | null;
  readonly type?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: string | null };
  readonly custom?: { readonly name?: string | null; readonly input?: string | null };
  readonly extra_content?: unknown;
}
interface Annotation {
  readonly type: string;
  readonly url_citation?: { start_index: number; end_index: number; title: string; url: string };
}
interface Token {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[] | null;
  readonly top_logprobs?: readonly Token[];
}
interface Choice {
  readonly index?: number;
  readonly message?: Message;
  readonly delta?: Message;
  readonly finish_reason?: string | null;
  readonly logprobs?: { readonly content?: readonly Token[] | null } | null;
  /** Moonshot's, on the choice that ends. */
  readonly usage?: Usage | null;
}
interface Usage {
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  readonly total_tokens?: number;
  readonly prompt_tokens_details?: Readonly<Record<string, number | null>> | null;
  readonly completion_tokens_details?: Readonly<Record<string, number | null>> | null;
  readonly prompt_cache_hit_tokens?: number;
  readonly cached_tokens?: number;
}
interface ErrorObject {
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | number | null;
  readonly status_code?: number;
}

/** A body, or the data of an event. */
export interface OpenAIJson {
  readonly choices?: readonly Choice[] | null;
  readonly usage?: Usage | null;
  readonly service_tier?: string | null;
  readonly system_fingerprint?: string | null;
  readonly error?: ErrorObject | string | null;
  readonly detail?: string | readonly { readonly msg: string }[];
  readonly object?: string;
  readonly message?: string | { readonly detail: readonly { readonly msg: string }[] };
  readonly type?: string;
  readonly code?: string | number | null;
}

/** Reads a recording in OpenAI's form. `isOpenAI`: by OpenAI itself, whose finish reasons are taken at their word. */
export function readOpenAI(body: string, status: number, streaming: boolean, isOpenAI: boolean): Reading {
  if (status >= 400) return errorOf(parseBody(body), status, NOTHING);
  if (!streaming || body.trimStart().startsWith("{")) {
    const json = parseBody(body);
    if (json.error) return errorOf(json, 500, NOTHING);
    return json.choices?.length ? { kind: "answer", answer: answerOf(json, isOpenAI) } : broken();
  }
  const events = eventsOf(body);
  const chunks: OpenAIJson[] = [];
  for (const data of events) {
    if (data.trim() === "[DONE]") return readOpenAIChunks(chunks, true, isOpenAI);
    const chunk = JSON.parse(data) as OpenAIJson;
    if (chunk.error) return errorOf(chunk, 500, beforeOf(chunks));
    chunks.push(chunk);
  }
  return readOpenAIChunks(chunks, false, isOpenAI);
}

/** Reads the chunks of a stream. `isDone`: "[DONE]" came. */
export function readOpenAIChunks(chunks: readonly OpenAIJson[], isDone: boolean, isOpenAI: boolean): Reading {
  const before = beforeOf(chunks);
  const whole = mergeChunks(chunks);
  const hasOutput = before.content !== "" || before.calls > 0;
  const hasEnded = whole.choices?.length && whole.choices.every(({ finish_reason }) => finish_reason !== undefined);
  if (isDone && !whole.choices?.length) return broken(before);
  if (!hasEnded && !(isDone && hasOutput)) return cutShort(before);
  return { kind: "answer", answer: answerOf(whole, isOpenAI) };
}

function parseBody(body: string): OpenAIJson {
  try {
    const json = JSON.parse(body) as OpenAIJson | OpenAIJson[];
    return Array.isArray(json) ? (json[0] ?? {}) : json;
  } catch {
    return { error: body.trim() };
  }
}

function errorOf(json: OpenAIJson, status: number, before: Before): ErrorReading {
  const { error = null, detail } = json;
  const details = typeof json.message === "object" ? json.message.detail : detail;
  const text = typeof details === "string" ? details : details?.map(({ msg }) => msg).join("; ");
  const { type, code, message } = json;
  const own = { ...json, type, code, message: text ?? (message as string | undefined) } as ErrorObject;
  const object: ErrorObject = typeof error === "string" ? { message: error } : (error ?? own);
  const numbers = [object.status_code, object.code].map(Number).filter((number) => number >= 400 && number <= 599);
  const words = [object.code, object.type].flatMap((word) => STATUS_OF[word ?? ""] ?? []);
  const [inside] = [...numbers, ...words];
  return readError(
    {
      status: status === 500 ? (inside ?? status) : status,
      type: object.type,
      code: typeof object.code === "string" ? object.code : undefined,
      message: object.message ?? "",
    },
    before,
  );
}

/** What stood in the chunks before an error. */
function beforeOf(chunks: readonly OpenAIJson[]): Before {
  const choices = mergeChunks(chunks).choices ?? [];
  return {
    events: chunks.length,
    content: choices.map(({ message }) => textOf(message?.content)).join(""),
    reasoning: choices.map(({ message }) => reasoningOf(message ?? {})).join(""),
    calls: choices.reduce((sum, { message }) => sum + (message?.tool_calls?.length ?? 0), 0),
  };
}

/** One body out of the chunks. */
function mergeChunks(chunks: readonly OpenAIJson[]): OpenAIJson {
  const indexes = new Set(chunks.flatMap(({ choices }) => (choices ?? []).map(({ index }) => index ?? 0)));
  const choices = [...indexes]
    .sort((a, b) => a - b)
    .map((index): Choice => {
      const pieces = chunks.flatMap(({ choices }) => (choices ?? []).filter((choice) => (choice.index ?? 0) === index));
      return {
        index,
        message: mergeDeltas(pieces.map(({ delta }) => delta ?? {})),
        ...firstFinish(pieces),
        logprobs: { content: pieces.flatMap(({ logprobs }) => logprobs?.content ?? []) },
      };
    });
  return {
    choices,
    usage:
      chunks.findLast(({ usage }) => usage)?.usage ??
      chunks.flatMap(({ choices }) => choices ?? []).findLast(({ usage }) => usage)?.usage ??
      null,
    service_tier: chunks.findLast(({ service_tier }) => service_tier)?.service_tier ?? null,
    system_fingerprint: chunks.findLast((chunk) => chunk.system_fingerprint)?.system_fingerprint ?? null,
  };
}

/** The first one that is said counts; "" is said, too. */
function firstFinish(pieces: readonly Choice[]): Pick<Choice, "finish_reason"> {
  const said = pieces.find(({ finish_reason }) => finish_reason !== null && finish_reason !== undefined);
  return said?.finish_reason === undefined ? {} : { finish_reason: said.finish_reason };
}

function mergeDeltas(deltas: readonly Message[]): Message {
  const text = (pick: (delta: Message) => string | null | undefined): string =>
    deltas.map((delta) => pick(delta) ?? "").join("");
  const calls = deltas.flatMap(({ function_call }) => function_call ?? []);
  const audio = deltas.flatMap(({ audio }) => audio ?? []);
  return {
    content: text(({ content }) => textOf(content)),
    refusal: text(({ refusal }) => refusal) || null,
    reasoning_content: text(thoughtsOf),
    reasoning_details: mergeDetails(deltas.flatMap(({ reasoning_details }) => reasoning_details ?? [])),
    tool_calls: mergeCalls(deltas.flatMap(({ tool_calls }) => tool_calls ?? [])),
    function_call:
      calls.length === 0
        ? null
        : {
            name: calls.map(({ name }) => name ?? "").join(""),
            arguments: calls.map((call) => call.arguments ?? "").join(""),
          },
    annotations: deltas.flatMap(({ annotations }) => annotations ?? []),
    images: deltas.flatMap(({ images }) => images ?? []),
    audio:
      audio.length === 0
        ? null
        : {
            id: audio.map(({ id }) => id ?? "").join(""),
            data: audio.map(({ data }) => data ?? "").join(""),
            transcript: audio.map(({ transcript }) => transcript ?? "").join(""),
          },
  };
}

/** Details of the same index and type are pieces of one. */
function mergeDetails(pieces: readonly Detail[]): Detail[] {
  const keys = [...new Set(pieces.map(({ index, type }) => `${index} ${type}`))];
  return keys.map((key) => {
    const own = pieces.filter(({ index, type }) => `${index} ${type}` === key);
    return {
      ...own[0],
      id: own.map(({ id }) => id ?? "").find((id) => id !== "") ?? null,
      text: own.map(({ text }) => text ?? "").join(""),
      summary: own.map(({ summary }) => summary ?? "").join(""),
      data: own.map(({ data }) => data ?? "").join(""),
      signature: own.findLast(({ signature }) => signature)?.signature ?? "",
    };
  });
}

/**
 * A new id opens a call; a piece without one belongs to the call that was opened last on its index. Where there is no index either, a
 * name opens one.
 */
function mergeCalls(pieces: readonly Call[]): Call[] {
  const calls: { index: number | undefined; id: string; parts: Call[] }[] = [];
  for (const piece of pieces) {
    const index = piece.index ?? undefined;
    const open = calls.findLast((call) => index === undefined || call.index === index);
    const isNamed = index === undefined && !piece.id && piece.function?.name;
    const isNew = open === undefined || (piece.id && piece.id !== open.id) || isNamed;
    if (isNew) calls.push({ index, id: piece.id ?? "", parts: [piece] });
    else open.parts.push(piece);
  }
  return calls.map(({ id, parts }) => ({
    ...parts[0],
    id,
    ...(parts.some(({ custom }) => custom)
      ? {
          type: "custom",
          custom: {
            name: parts.map(({ custom }) => custom?.name ?? "").join(""),
            input: parts.map(({ custom }) => custom?.input ?? "").join(""),
          },
        }
      : {
          function: {
            name: parts.map((part) => part.function?.name ?? "").join(""),
            arguments: parts.map((part) => part.function?.arguments ?? "").join(""),
          },
        }),
  }));
}

function textOf(content: Content | undefined): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => (part.type === "text" ? (part.text ?? "") : "")).join("");
}

/** What was thought; details say it again, where it is said at all. */
const reasoningOf = (message: Message): string =>
  thoughtsOf(message) || (message.reasoning_details ?? []).map(({ text, summary }) => text || summary || "").join("");

/** `reasoning` says again what `reasoning_content` says. */
function thoughtsOf({ reasoning_content, reasoning, content }: Message): string {
  if (typeof reasoning_content === "string" && reasoning_content !== "") return reasoning_content;
  if (typeof reasoning === "string" && reasoning !== "") return reasoning;
  const parts = Array.isArray(content) ? (content as readonly ContentPart[]) : [];
  return parts.flatMap(({ thinking }) => (thinking ?? []).map(({ text }) => text ?? "")).join("");
}

const FINISHES: Readonly<Record<string, string>> = {
  eos: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  "": "stop",
  max_tokens: "length",
  model_length: "length",
  tool_use: "tool_calls",
};

/** Reads a whole body. */
export function answerOf(json: OpenAIJson, isOpenAI: boolean): Answer {
  return {
    choices: (json.choices ?? []).map((choice) => choiceOf(choice, isOpenAI)),
    usage: json.usage ? usageOf(json.usage) : undefined,
    serviceTier: ["auto", "default", "flex", "scale", "priority", "fast"].find((tier) => tier === json.service_tier),
    systemFingerprint: json.system_fingerprint || undefined,
    endings: (json.choices ?? []).map((choice) => endingOf(choice, isOpenAI)),
  };
}

function choiceOf({ message = {}, finish_reason, logprobs }: Choice, isOpenAI: boolean): AnswerChoice {
  const calls = (message.tool_calls ?? []).map(callOf);
  const word = finish_reason ?? (calls.length > 0 ? "tool_calls" : "stop");
  const finish = FINISHES[word] ?? word;
  const isForeignStop = !isOpenAI && calls.length > 0 && (finish === "stop" || finish === "function_call");
  const legacy = message.function_call;
  return {
    content: textOf(message.content),
    refusal: message.refusal ?? undefined,
    reasoning: reasoningOf(message),
    details: (message.reasoning_details ?? []).map((detail) => detailOf(detail, message.tool_calls ?? [])),
    calls,
    functionCall: legacy ? { name: legacy.name ?? "", input: parseInput(legacy.arguments ?? "") } : undefined,
    finish: isForeignStop ? "tool_calls" : finish,
    annotations: (message.annotations ?? []).flatMap(({ url_citation: it }) =>
      it ? [{ from: it.start_index, to: it.end_index, title: it.title, url: it.url }] : [],
    ),
    images: (message.images ?? []).map(({ image_url }) => image_url.url),
    logprobs: (logprobs?.content ?? []).map(logprobOf),
    audio: message.audio
      ? {
          id: message.audio.id ?? "",
          data: message.audio.data ?? "",
          transcript: message.audio.transcript ?? "",
        }
      : undefined,
  };
}

/** A word that is none of OpenAI's, or that is not what the answer did. */
function endingOf(choice: Choice, isOpenAI: boolean): AnswerEnding {
  const word = choice.finish_reason || undefined;
  return { native: word === choiceOf(choice, isOpenAI).finish ? undefined : word, sequence: undefined };
}

function callOf({ id, custom, function: fn, extra_content }: Call): AnswerCall {
  const shared = { id: portableId(id ?? undefined), extraContent: extra_content };
  return custom
    ? { ...shared, type: "custom", name: custom.name ?? "", input: custom.input ?? "" }
    : { ...shared, type: "function", name: fn?.name ?? "", input: parseInput(fn?.arguments ?? "") };
}

function detailOf({ type, text, summary, data, signature, id }: Detail, calls: readonly Call[]): AnswerDetail {
  const call = calls.findIndex((it) => it.id === id);
  return {
    type: type ?? "",
    text: text || summary || "",
    data: data ?? "",
    signature: signature ?? "",
    call: call < 0 ? undefined : call,
  };
}

const logprobOf = ({ token, logprob, bytes, top_logprobs }: Token): AnswerLogprob => ({
  token,
  logprob,
  bytes: bytes ?? undefined,
  top: (top_logprobs ?? []).map((top) => ({ token: top.token, logprob: top.logprob })),
});

function usageOf(usage: Usage): AnswerUsage {
  const {
    prompt_tokens: prompt = 0,
    total_tokens: total = 0,
    completion_tokens_details,
    prompt_tokens_details,
  } = usage;
  let completion = usage.completion_tokens ?? 0;
  let reasoning = completion_tokens_details?.["reasoning_tokens"] ?? 0;
  const gap = total - prompt - completion;
  // xAI counts what was thought apart from what was said; Google's compatible endpoint does so, too, and does not say how much.
  if (reasoning > 0 && gap === reasoning) completion += reasoning;
  else if (!completion_tokens_details && gap > 0) {
    reasoning = gap;
    completion += gap;
  }
  return {
    prompt,
    completion,
    total: prompt + completion,
    cached: prompt_tokens_details?.["cached_tokens"] ?? usage.prompt_cache_hit_tokens ?? usage.cached_tokens ?? 0,
    cacheWrite: prompt_tokens_details?.["cache_write_tokens"] ?? 0,
    reasoning,
    promptAudio: prompt_tokens_details?.["audio_tokens"] ?? 0,
    completionAudio: completion_tokens_details?.["audio_tokens"] ?? 0,
    accepted: completion_tokens_details?.["accepted_prediction_tokens"] ?? 0,
    rejected: completion_tokens_details?.["rejected_prediction_tokens"] ?? 0,
  };
}
