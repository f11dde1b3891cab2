/**
 * What goes over the wire to servers that speak OpenAI's API, and what comes back. What comes back is typed as OpenAI promises it, with
 * what its copies add, and is read as if nobody had promised anything.
 */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Body of a chat request: OpenAI's parameters, and those that its copies add. */
export interface ChatRequest {
  model: string;
  messages: WireMessage[];
  stream?: boolean;
  stream_options?: { include_usage: boolean };
  [parameter: string]: unknown;
}

/** A message of a request. */
export interface WireMessage {
  role: "developer" | "system" | "user" | "assistant" | "tool" | "function";
  content?: string | JsonObject[] | null;
  [key: string]: unknown;
}

/** A whole answer. */
export interface WireCompletion {
  id?: string | null;
  created?: number | null;
  model?: string | null;
  choices?: readonly WireChoice[] | null;
  usage?: WireUsage | null;
  service_tier?: string | null;
  system_fingerprint?: string | null;
  error?: JsonValue;
}

/** One of the answers. */
export interface WireChoice {
  index?: number | null;
  message?: WireAnswer | null;
  finish_reason?: string | null;
  logprobs?: object | null;
}

/** A chunk of an answer. */
export interface WireChunk {
  id?: string | null;
  created?: number | null;
  model?: string | null;
  choices?: readonly WireChunkChoice[] | null;
  usage?: WireUsage | null;
  service_tier?: string | null;
  system_fingerprint?: string | null;
  /** OpenRouter: an error in the middle of a stream. */
  error?: JsonValue;
}

/** What is new in one of the answers. */
export interface WireChunkChoice {
  index?: number | null;
  delta?: WireAnswer | null;
  finish_reason?: string | null;
  logprobs?: object | null;
}

/** A message of a model, or what is new in it. */
export interface WireAnswer {
  role?: string | null;
  /** Mistral: a list of parts, among them thoughts. */
  content?: string | readonly JsonObject[] | null;
  refusal?: string | null;
  tool_calls?: readonly WireToolCall[] | null;
  function_call?: WireFunction | null;
  /** DeepSeek and many others. */
  reasoning_content?: string | null;
  /** OpenRouter, Groq, newer vLLM. */
  reasoning?: string | null;
}

/** A tool call, or a piece of one. */
export interface WireToolCall {
  index?: number | null;
  id?: string | null;
  type?: string | null;
  function?: WireFunction | null;
  custom?: { name?: string | null; input?: string | null } | null;
}

/** A call of a function, or a piece of one. */
export interface WireFunction {
  name?: string | null;
  arguments?: string | null;
}

/** What a call took. */
export interface WireUsage {
  prompt_tokens?: number | null;
  completion_tokens?: number | null;
  total_tokens?: number | null;
  prompt_tokens_details?: object | null;
  completion_tokens_details?: object | null;
}
