import { readError, STATUS_OF } from "./errors.ts";
import {
  type Answer,
  type AnswerCall,
  type AnswerChoice,
  type AnswerCitation,
  type AnswerDetail,
  type AnswerEnding,
  type AnswerUsage,
  type Before,
  broken,
  cutShort,
  type ErrorReading,
  eventsOf,
  lengthOf,
  NOTHING,
  portableId,
  type Reading,
  someText,
} from "./reading.ts";

interface Part {
  readonly text?: string;
  readonly thought?: boolean;
  readonly thoughtSignature?: string;
  readonly functionCall?: FunctionCall;
  readonly inlineData?: { readonly mimeType?: string; readonly data?: string };
}
interface FunctionCall {
  readonly id?: string;
  readonly name?: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly partialArgs?: readonly PartialArg[];
  readonly willContinue?: boolean;
}
interface PartialArg {
  readonly jsonPath?: string;
  readonly stringValue?: string;
  readonly numberValue?: number;
  readonly boolValue?: boolean;
}
interface Token {
  readonly token?: string;
  readonly logProbability?: number;
}
interface Grounding {
  readonly groundingChunks?: readonly { readonly web?: { readonly uri?: string; readonly title?: string } }[];
  readonly groundingSupports?: readonly {
    readonly segment?: { readonly startIndex?: number; readonly endIndex?: number; readonly partIndex?: number };
    readonly groundingChunkIndices?: readonly number[];
  }[];
}
interface Candidate {
  readonly index?: number;
  readonly content?: { readonly parts?: readonly Part[] };
  readonly finishReason?: string;
  readonly finishMessage?: string;
  readonly groundingMetadata?: Grounding;
  readonly logprobsResult?: {
    readonly chosenCandidates?: readonly Token[];
    readonly topCandidates?: readonly { readonly candidates?: readonly Token[] }[];
  };
}
interface Modality {
  readonly modality?: string;
  readonly tokenCount?: number;
}
interface UsageMetadata {
  readonly promptTokenCount?: number;
  readonly toolUsePromptTokenCount?: number;
  readonly candidatesTokenCount?: number;
  readonly thoughtsTokenCount?: number;
  readonly cachedContentTokenCount?: number;
  readonly promptTokensDetails?: readonly Modality[];
  readonly candidatesTokensDetails?: readonly Modality[];
  readonly serviceTier?: string;
}
interface ErrorObject {
  readonly code?: number;
  readonly message?: string;
  readonly status?: string;
  readonly details?: readonly {
    readonly reason?: string;
    readonly violations?: readonly { readonly quotaId?: string }[];
  }[];
}
/** A body, or the data of an event. */
export interface GoogleJson {
  readonly candidates?: readonly Candidate[];
  readonly promptFeedback?: { readonly blockReason?: string };
  readonly usageMetadata?: UsageMetadata;
  readonly error?: ErrorObject;
}

/** Reads a recording of Google. */
export function readGoogle(body: string, status: number, streaming: boolean): Reading {
  if (status >= 400) return errorOf(parseBody(body)[0] ?? {}, status, NOTHING);
  const isStream = streaming && !body.trimStart().startsWith("{");
  const isList = isStream && body.trimStart().startsWith("[");
  const all = isList ? elementsOf(body) : isStream ? eventsOf(body).map(parseEvent) : parseBody(body);
  const end = all.findIndex(({ error }) => error);
  if (end < 0 && isList && !body.trimEnd().endsWith("]")) return cutShort(beforeOf(all));
  if (end < 0) return readGoogleResponses(all, isStream);
  return errorOf(all[end] as GoogleJson, undefined, beforeOf(all.slice(0, end)));
}

/** Reads the responses of a stream, or the one of a call without. */
export function readGoogleResponses(responses: readonly GoogleJson[], isStream: boolean): Reading {
  const answer = answerOf(responses);
  const before = beforeOf(responses);
  const blocked = responses.some(({ promptFeedback }) => promptFeedback?.blockReason);
  if (answer.choices.length === 0) return isStream ? cutShort(before) : broken();
  if (!blocked && answer.choices.some(({ finish }) => finish === "")) return isStream ? cutShort(before) : broken();
  return answer.choices.some(({ finish }) => finish === "broken")
    ? broken(isStream ? before : NOTHING)
    : { kind: "answer", answer };
}

const parseEvent = (data: string): GoogleJson => JSON.parse(data) as GoogleJson;

/** The elements of a list of events that are whole, where its end may be cut off. */
function elementsOf(body: string): GoogleJson[] {
  for (let end = body.lastIndexOf("}"); end > 0; end = body.lastIndexOf("}", end - 1)) {
    try {
      return JSON.parse(`${body.slice(0, end + 1)}]`) as GoogleJson[];
    } catch {
      // It ends within an element.
    }
  }
  return [];
}

function parseBody(body: string): GoogleJson[] {
  try {
    return [JSON.parse(body) as GoogleJson | GoogleJson[]].flat();
  } catch {
    return [{ error: { message: body.trim() } }];
  }
}

function errorOf({ error = {} }: GoogleJson, status: number | undefined, before: Before): ErrorReading {
  const marks = (error.details ?? []).flatMap(({ reason, violations }) => [
    ...(reason === undefined ? [] : [reason]),
    ...(violations ?? []).flatMap(({ quotaId }) => quotaId ?? []),
  ]);
  return readError(
    {
      status: status ?? error.code ?? STATUS_OF[error.status ?? ""] ?? 500,
      type: error.status,
      code: undefined,
      message: error.message ?? "",
      marks,
    },
    before,
  );
}

function beforeOf(responses: readonly GoogleJson[]): Before {
  const { choices } = answerOf(responses);
  return {
    events: responses.length,
    content: choices.map(({ content }) => content).join(""),
    reasoning: choices.map(({ reasoning }) => reasoning).join(""),
    calls: choices.reduce((sum, { calls }) => sum + calls.length, 0),
  };
}

/** Reads all responses of an answer as one. A choice that has not ended has "" as its finish, one that came to nothing "broken". */
function answerOf(responses: readonly GoogleJson[]): Answer {
  const candidates = responses.flatMap((response) => response.candidates ?? []);
  const indexes = [...new Set(candidates.map(({ index }) => index ?? 0))].sort((a, b) => a - b);
  const usage = responses.findLast(({ usageMetadata }) => usageMetadata)?.usageMetadata;
  const block = responses.findLast(({ promptFeedback }) => promptFeedback?.blockReason);
  const own = (index: number): Candidate[] => candidates.filter((it) => (it.index ?? 0) === index);
  const choices = indexes.map((index) => choiceOf(own(index)));
  const endings = indexes.map((index) => endingOf(own(index).findLast((it) => it.finishReason)?.finishReason));
  return {
    choices: choices.length === 0 && block !== undefined ? [blockedChoice()] : choices,
    usage: usage && usageOf(usage),
    systemFingerprint: undefined,
    endings: choices.length === 0 && block !== undefined ? [endingOf(block.promptFeedback?.blockReason)] : endings,
    serviceTier: ({ standard: "default", flex: "flex", priority: "priority" } as Record<string, string>)[
      (usage?.serviceTier ?? "").toLowerCase()
    ],
  };
}

/** "STOP" and "MAX_TOKENS" say no more than OpenAI's words. */
const endingOf = (word: string | undefined): AnswerEnding => ({
  native: word === "STOP" || word === "MAX_TOKENS" ? undefined : word,
  sequence: undefined,
});

const EMPTY: AnswerChoice = {
  content: "",
  refusal: undefined,
  reasoning: "",
  details: [],
  calls: [],
  functionCall: undefined,
  finish: "",
  annotations: [],
  images: [],
  logprobs: [],
  audio: undefined,
};

const blockedChoice = (): AnswerChoice => ({ ...EMPTY, refusal: someText(), finish: "content_filter" });

const FILTERS =
  /^(?:SAFETY|RECITATION|BLOCKLIST|PROHIBITED_CONTENT|SPII|MODEL_ARMOR|IMAGE_(?:SAFETY|PROHIBITED_CONTENT|RECITATION))$/;
const FAILURES = /^(?:MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL|TOO_MANY_TOOL_CALLS|MALFORMED_RESPONSE)$/;
const NOTHING_SAID = /^(?:LANGUAGE|OTHER|NO_IMAGE|IMAGE_OTHER)$/;

function choiceOf(pieces: readonly Candidate[]): AnswerChoice {
  const parts = joinCalls(pieces.flatMap(({ content }) => content?.parts ?? []));
  const texts = parts.filter(({ text, thought }) => text !== undefined && thought !== true);
  const content = texts.map(({ text }) => text).join("");
  const calls = parts.filter(({ functionCall }) => functionCall).map(callOf);
  const ended = pieces.findLast(({ finishReason }) => finishReason);
  const images = parts.flatMap(({ inlineData }) =>
    inlineData?.mimeType?.startsWith("image/") ? [`data:${inlineData.mimeType};base64,${inlineData.data}`] : [],
  );
  const choice = {
    ...EMPTY,
    content,
    reasoning: parts.map(({ text, thought }) => (thought === true ? (text ?? "") : "")).join(""),
    details: detailsOf(parts),
    calls,
    annotations: citationsOf(pieces.findLast((it) => it.groundingMetadata)?.groundingMetadata ?? {}, parts, content),
    images,
    logprobs: pieces.flatMap(logprobsOf),
  };
  const reason = ended?.finishReason ?? "";
  if (reason === "") return choice;
  if (FAILURES.test(reason)) return { ...choice, finish: "broken" };
  if (FILTERS.test(reason)) return { ...choice, finish: "content_filter", refusal: ended?.finishMessage };
  const isEmpty = content === "" && calls.length === 0 && images.length === 0;
  if (NOTHING_SAID.test(reason) && isEmpty) return { ...choice, finish: "broken" };
  // Of an answer that would go on elsewhere, this is all that there is.
  if (reason === "MAX_TOKENS" || reason === "CONTINUATION") return { ...choice, finish: "length" };
  return { ...choice, finish: calls.length > 0 ? "tool_calls" : "stop" };
}

/** Calls that come in pieces, as one: the first piece has the name, and the one that does not continue is the last. */
function joinCalls(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  let open: { part: Part; args: Record<string, unknown> } | undefined;
  for (const part of parts) {
    const { functionCall: call } = part;
    if (call === undefined || (open === undefined && call.willContinue !== true)) {
      joined.push(part);
      continue;
    }
    open ??= { part, args: {} };
    for (const piece of call.partialArgs ?? []) putPiece(open.args, piece);
    if (call.willContinue === true) continue;
    const { name } = open.part.functionCall ?? {};
    joined.push({ ...open.part, functionCall: { ...(name === undefined ? {} : { name }), args: open.args } });
    open = undefined;
  }
  return joined;
}

/** Puts a piece where its path points: "$.stops[0].name". Texts are appended. */
function putPiece(args: Record<string, unknown>, { jsonPath = "$", ...value }: PartialArg): void {
  const steps = [...jsonPath.matchAll(/\.(\w+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
  const last = steps.pop() as string;
  let parent = args;
  for (const [at, step] of steps.entries()) {
    const next = steps[at + 1] ?? last;
    parent[step] ??= typeof next === "number" ? [] : {};
    parent = parent[step] as Record<string, unknown>;
  }
  const { stringValue, numberValue, boolValue } = value;
  parent[last] = stringValue === undefined ? (numberValue ?? boolValue ?? null) : `${parent[last] ?? ""}${stringValue}`;
}

function callOf({ functionCall, thoughtSignature }: Part): AnswerCall {
  return {
    id: portableId(functionCall?.id),
    type: "function",
    name: functionCall?.name ?? "",
    input: functionCall?.args ?? {},
    extraContent: thoughtSignature === undefined ? undefined : { google: { thought_signature: thoughtSignature } },
  };
}

/**
 * Signatures of calls, of texts and thoughts, of images and of nothing else, with the call that each belongs to. Other parts are left
 * out of answers.
 */
function detailsOf(parts: readonly Part[]): AnswerDetail[] {
  let call = -1;
  return parts.flatMap((part) => {
    const { functionCall, thoughtSignature } = part;
    if (functionCall) call += 1;
    const isBare = Object.keys(part).every((key) => key === "thoughtSignature");
    const isSaid = functionCall ?? part.text ?? part.inlineData;
    if (thoughtSignature === undefined || !(isBare || isSaid !== undefined)) return [];
    const place = functionCall ? call : undefined;
    return [{ type: "reasoning.encrypted", text: "", data: thoughtSignature, signature: "", call: place }];
  });
}

/** Offsets are UTF-8 bytes, counted from the start of their part. */
function citationsOf(grounding: Grounding, parts: readonly Part[], content: string): AnswerCitation[] {
  const { groundingChunks = [], groundingSupports = [] } = grounding;
  return groundingSupports.flatMap(({ segment = {}, groundingChunkIndices = [] }) => {
    const base = Buffer.byteLength(
      parts
        .slice(0, segment.partIndex ?? 0)
        .map(({ text, thought }) => (thought === true ? "" : (text ?? "")))
        .join(""),
    );
    const at = (offset: number): number =>
      lengthOf(
        Buffer.from(content)
          .subarray(0, base + offset)
          .toString("utf8"),
      );
    const span = { from: at(segment.startIndex ?? 0), to: at(segment.endIndex ?? 0) };
    return groundingChunkIndices.flatMap((index) => {
      const web = groundingChunks[index]?.web;
      return web?.uri === undefined ? [] : [{ ...span, title: web.title ?? "", url: web.uri }];
    });
  });
}

function logprobsOf({ logprobsResult }: Candidate): AnswerChoice["logprobs"] {
  return (logprobsResult?.chosenCandidates ?? []).map(({ token = "", logProbability = 0 }, place) => ({
    token,
    logprob: logProbability,
    bytes: [...Buffer.from(token)],
    top: (logprobsResult?.topCandidates?.[place]?.candidates ?? []).map((top) => ({
      token: top.token ?? "",
      logprob: top.logProbability ?? 0,
    })),
  }));
}

function usageOf(usage: UsageMetadata): AnswerUsage {
  const { promptTokenCount = 0, toolUsePromptTokenCount = 0, candidatesTokenCount = 0, thoughtsTokenCount = 0 } = usage;
  const prompt = promptTokenCount + toolUsePromptTokenCount;
  const completion = candidatesTokenCount + thoughtsTokenCount;
  const audioOf = (details: readonly Modality[] = []): number =>
    details.filter(({ modality }) => modality === "AUDIO").reduce((sum, { tokenCount = 0 }) => sum + tokenCount, 0);
  return {
    prompt,
    completion,
    total: prompt + completion,
    cached: usage.cachedContentTokenCount ?? 0,
    cacheWrite: 0,
    reasoning: thoughtsTokenCount,
    promptAudio: audioOf(usage.promptTokensDetails),
    completionAudio: audioOf(usage.candidatesTokensDetails),
    accepted: 0,
    rejected: 0,
  };
}
