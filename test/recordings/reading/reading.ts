/**
 * Readings: what a recording says, found out from its bytes by the vendors' documentation alone. They share nothing with the
 * translators of `src`, and are as simple as they can be: the whole body at once, no state, no speed.
 */
import { expect } from "vitest";

/** What a recording comes to. */
export type Reading = { readonly kind: "answer"; readonly answer: Answer } | ErrorReading;

/** An answer, in the words of the contract. Where the gateway chooses the words, a matcher stands. */
export interface Answer {
  readonly choices: readonly AnswerChoice[];
  /** Undefined where the provider counted nothing. */
  readonly usage: AnswerUsage | undefined;
  /** "default", "flex", "priority"; undefined where it is not said, or not known to the contract. */
  readonly serviceTier: string | undefined;
  /** State of the backend, where it is said. */
  readonly systemFingerprint: string | undefined;
  /** How each of the choices ended, in the provider's own words. */
  readonly endings: readonly AnswerEnding[];
}

/** The end of an answer in its provider's words. */
export interface AnswerEnding {
  /** The provider's word, where it is not OpenAI's. */
  readonly native: string | undefined;
  /** The stop sequence that came. */
  readonly sequence: string | undefined;
}

/** One of the answers. */
export interface AnswerChoice {
  readonly content: string;
  readonly refusal: string | undefined;
  readonly reasoning: string;
  readonly details: readonly AnswerDetail[];
  readonly calls: readonly AnswerCall[];
  /** The call in the legacy form. */
  readonly functionCall: { readonly name: string; readonly input: unknown } | undefined;
  /** "stop", "length", "tool_calls", "content_filter" or "function_call". */
  readonly finish: string;
  readonly annotations: readonly AnswerCitation[];
  /** Addresses of images. */
  readonly images: readonly string[];
  readonly logprobs: readonly AnswerLogprob[];
  readonly audio: { readonly id: string; readonly data: string; readonly transcript: string } | undefined;
}

/** A part of what was thought that its provider must get back. */
export interface AnswerDetail {
  /** "reasoning.text", "reasoning.summary" or "reasoning.encrypted". */
  readonly type: string;
  readonly text: string;
  readonly data: string;
  readonly signature: string;
  /** Place of the tool call that it belongs to. */
  readonly call: number | undefined;
}

/** A tool call. */
export interface AnswerCall {
  readonly id: string;
  readonly type: "function" | "custom";
  readonly name: string;
  /** The arguments, parsed; the text itself where it is no JSON, or of a custom tool. */
  readonly input: unknown;
  /** What the provider must get back with the call. */
  readonly extraContent: unknown;
}

/** A page that is cited; from and to are code points. */
export interface AnswerCitation {
  readonly from: number;
  readonly to: number;
  readonly title: string;
  readonly url: string;
}

/** A token with its probability. */
export interface AnswerLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | undefined;
  readonly top: readonly { readonly token: string; readonly logprob: number }[];
}

/** Tokens; what is not counted apart is 0. */
export interface AnswerUsage {
  readonly prompt: number;
  readonly completion: number;
  readonly total: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
  readonly promptAudio: number;
  readonly completionAudio: number;
  readonly accepted: number;
  readonly rejected: number;
}

/** An error that a recording comes to. */
export interface ErrorReading {
  readonly kind: "error";
  /** Name of the gateway's reason. */
  readonly reason: string;
  /** The provider's own code where it has to be passed on. */
  readonly code?: string | undefined;
  /** What the provider says, before anybody changes it; undefined where it says nothing, because its answer is broken. */
  readonly upstream?: UpstreamError | undefined;
  /** What stood in the stream before the error. */
  readonly before: Before;
}

/** What a provider says of an error. */
export interface UpstreamError {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly message: string;
}

/** What stood in a stream before an error: nothing, no output yet, or some. */
export interface Before {
  readonly events: number;
  readonly content: string;
  readonly reasoning: string;
  /** How many tool calls had begun. */
  readonly calls: number;
}

/** Before the first event. */
export const NOTHING: Before = { events: 0, content: "", reasoning: "", calls: 0 };

/** An answer that can't be used. */
export const broken = (before: Before = NOTHING): ErrorReading => ({
  kind: "error",
  reason: "UPSTREAM_INVALID_RESPONSE",
  before,
});

/** A stream that ended too early. */
export const cutShort = (before: Before): ErrorReading => ({
  kind: "error",
  reason: "UPSTREAM_STREAM_INTERRUPTED",
  before,
});

/** An id of a tool call as clients get it: the provider's where every family takes it, else one that the gateway makes. */
export const portableId = (id: string | undefined): string =>
  id !== undefined && /^[A-Za-z0-9_-]{1,40}$/.test(id)
    ? id
    : (expect.stringMatching(/^call_[A-Za-z0-9]{24}$/) as unknown as string);

/** Some text that the gateway chooses. */
export const someText = (): string => expect.stringMatching(/\S/) as unknown as string;

/** Arguments of a call: none at all are an empty object; what is no JSON stays text. */
export function parseInput(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The data of each event, split naively: all line ends made one, comments and other fields left out. */
export function eventsOf(body: string): string[] {
  return body
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n")
    .split(/\n\n+/)
    .map((event) =>
      event
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.replace(/^data: ?/, ""))
        .join("\n"),
    )
    .filter((data) => data !== "");
}

/** Number of code points. */
export const lengthOf = (text: string): number => [...text].length;
