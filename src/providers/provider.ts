/**
 * Providers: what a vendor wants to hear, and what it means. A provider with a network is a translator: it makes requests of
 * parameters, and answers of bodies and events. It is pure: `upstream/` opens the sockets, reads the clock and fetches what has to
 * be fetched.
 */
import type { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import type { Model } from "../gen/parley/models/v1/models_service_pb.ts";

/** Where a provider is, and what every request to it carries. */
export interface Endpoint {
  /** Address that the paths of requests are appended to, without a slash at its end: "https://api.openai.com/v1". */
  readonly baseUrl: string;
  /** Query that every request carries, without "?"; empty for none. */
  readonly query: string;
  /** Headers that may be shown; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Headers that carry a secret, and are never shown or logged; names in lower case. */
  readonly secretHeaders: Readonly<Record<string, string>>;
}

/** A request to a provider. */
export interface WireRequest {
  readonly method: "GET" | "POST";
  /** Path and query below the endpoint's base: "/chat/completions". */
  readonly path: string;
  /** Headers besides the endpoint's and `content-type`; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text; undefined for GET. */
  readonly body?: string;
}

/** What a call asks of a provider. */
export interface ProviderCall {
  /** The provider's own name of the model. */
  readonly model: string;
  /** What is asked; validated, and never changed. */
  readonly params: ChatCompletionParams;
  readonly streaming: boolean;
  /** Media that were fetched, by their address as the request has it. What the provider needs and is not here is left as a mark. */
  readonly media: ReadonlyMap<string, Medium>;
}

/** A medium that was fetched. */
export interface Medium {
  /** Type by its own bytes, or, where they do not tell, as the server said: "image/png". */
  readonly mimeType: string;
  /** The bytes, in base64. */
  readonly data: string;
}

/** A medium that a request gives by address, and that the provider wants as bytes. */
export interface MediumRef {
  /** Its https address. */
  readonly url: string;
  /** JSON path of the address: "messages[0].content[1].image_url.url". */
  readonly path: string;
  /** Most bytes that the provider takes of it; undefined: as many as are fetched at all. */
  readonly maxBytes?: number;
}

/** A call in the provider's own terms. */
export interface EncodedCall {
  readonly request: WireRequest;
  /** Parameters that the model cannot take as they are, in the order of the request. */
  readonly adjustments: readonly Adjustment[];
  /** Makes the answer of a body with a status of success. Throws a GatewayError for one that is none, or that is an error. */
  decodeResponse(body: string): ChatCompletion;
  /** Makes a decoder of the events of one answer. */
  createStreamDecoder(): StreamDecoder;
  /**
   * Whether JSON that comes where an event stream was asked for is a list of the same events, or one of them: then the stream decoder
   * reads it. Else it is a whole answer, and `decodeResponse` does.
   */
  readonly hasListsOfEvents?: boolean;
}

/** An event of an event stream (WHATWG server-sent events). */
export interface StreamEvent {
  /** The event's name; undefined where it has none. */
  readonly event: string | undefined;
  /** The event's data; its lines are joined with LF. Never empty. */
  readonly data: string;
}

/**
 * Makes chunks of the events of one answer, without sockets and clocks. Each chunk says what is new; identity, grammar and the
 * usage's place are the gateway's business. Chunks carry the provider's own id and model where they are known.
 */
export interface StreamDecoder {
  /** Whether the stream has ended by its own grammar; what would follow is not read. */
  readonly isDone: boolean;
  /**
   * Takes an event and returns the chunks that it makes, in order. Throws a GatewayError: the provider's, when the event is an error;
   * UPSTREAM_INVALID_RESPONSE when it can't be understood.
   */
  push(event: StreamEvent): readonly ChatCompletionChunk[];
  /** Takes the end of the body, and returns the last chunks. Throws UPSTREAM_STREAM_INTERRUPTED when the answer had not ended. */
  finish(): readonly ChatCompletionChunk[];
}

/** An answer of a provider that is no success. */
export interface Failure {
  /** HTTP status. */
  readonly status: number;
  /** A header by its name in lower case. */
  header(name: string): string | undefined;
  /** The body as far as it is read, at most 64 KiB. */
  readonly body: string;
  /** Unix milliseconds at which the answer came; delays that are given as times are counted from here. */
  readonly receivedAt: number;
}

/** A page of the list of models. */
export interface ModelPage {
  /** Ids are the provider's own. */
  readonly models: readonly Model[];
  /** The request for the next page; undefined: this is the last. */
  readonly next: WireRequest | undefined;
}

/** A provider with a network. */
export interface Provider {
  /** Id of the provider: the part of "provider/model" before the slash. */
  readonly id: string;
  /** Who serves it, in one lower-case word: "openai", "azure", "anthropic", "google"; "generic" where that is not known. */
  readonly vendor: string;
  readonly endpoint: Endpoint;
  /** Media that the call gives by address, and that this provider wants as bytes. */
  mediaToFetch(model: string, params: ChatCompletionParams): readonly MediumRef[];
  /** Says a call in the provider's terms. Throws a GatewayError where what is asked for can't be kept. */
  encodeRequest(call: ProviderCall): EncodedCall;
  /** Makes an error of an answer that is no success. Its message has no key and no body in it. */
  decodeError(failure: Failure): GatewayError;
  /** The request for the first page of the list of models. */
  readonly modelsRequest: WireRequest;
  /** Reads a page of the list of models. Throws UPSTREAM_INVALID_RESPONSE. */
  decodeModels(body: string): ModelPage;
  /** What a model can do, as far as its family's tables and its configuration say it. */
  abilitiesOf(model: string): Abilities;
}

/**
 * What a model can do; unset: not known. It is what the translator itself would leave out or refuse, so that routing can pass over a
 * model before anything is translated.
 */
export interface Abilities {
  /** Whether it calls tools. */
  readonly tools?: boolean;
  /** Whether it can be held to call one tool at a time, or several, as `parallel_tool_calls` says. */
  readonly parallelTools?: boolean;
  /** Whether its answers can be held to a schema. */
  readonly structuredOutput?: boolean;
  /** Whether it reasons as much as it is told to. */
  readonly reasoning?: boolean;
  /** Whether it gives log probabilities. */
  readonly logprobs?: boolean;
  /** Most answers of one call (`n`). */
  readonly maxChoices?: number;
  /** Whether it reads images, audio, video, and files. */
  readonly images?: boolean;
  readonly audio?: boolean;
  readonly video?: boolean;
  readonly files?: boolean;
  /** Whether it says its answer aloud. */
  readonly speech?: boolean;
}

/** What a provider cannot make itself without losing its purity. */
export interface Chance {
  /** A new id of a tool call: "call_" and 24 letters and digits. */
  newCallId(): string;
}
