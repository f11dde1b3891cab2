import { create } from "@bufbuild/protobuf";
import { type UpstreamRequest, UpstreamRequestSchema } from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletion } from "../gen/parley/chat/v1/completion_pb.ts";
import { isLarge } from "../lib/breathe.ts";
import { encodeInTurns } from "../lib/encode-in-turns.ts";
import type { EncodedCall, Medium, MediumRef, Provider } from "../providers/provider.ts";
import { invalidResponse } from "../providers/upstream-error.ts";
import type { AttemptOptions, BackendCall, ChunkBatch, PlannedCall } from "./backend.ts";
import type { HttpBackendOptions } from "./backend-parts.ts";
import type { UpstreamAnswer } from "./client.ts";
import { createCompletionDecoder } from "./completion-decoder.ts";
import { contentKind, isEncoded } from "./content-kind.ts";
import { createJsonReader } from "./json-reader.ts";
import { type OpenStream, readChunks } from "./read-chunks.ts";
import { readFailure } from "./read-failure.ts";
import type { Recollection } from "./recollection.ts";
import { shownHeaders, shownUrl } from "./request-head.ts";
import { createSseReader } from "./sse-reader.ts";
import { faultWithoutSecrets } from "./without-secrets.ts";

/** Most bytes of an answer in one piece. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** What a call is made with: what its backend is made with, and what is kept for its tenant. */
export type HttpCallOptions = Omit<HttpBackendOptions, "recollection"> & { readonly recollection: Recollection };

const NO_MEDIA: ReadonlyMap<string, Medium> = new Map();

/** Plans a call by encoding its request; only media that are to be fetched first make it be encoded again. */
export function createHttpCall(options: HttpCallOptions, call: BackendCall, refs: readonly MediumRef[]): PlannedCall {
  return new HttpCall(options, call, refs);
}

class HttpCall implements PlannedCall {
  readonly promptTokens = undefined;
  readonly #options: HttpCallOptions;
  readonly #call: BackendCall;
  readonly #refs: readonly MediumRef[];
  readonly #planned: EncodedCall;

  constructor(options: HttpCallOptions, call: BackendCall, refs: readonly MediumRef[]) {
    this.#options = options;
    this.#call = call;
    this.#refs = refs;
    this.#planned = options.provider.encodeRequest({ ...call, media: NO_MEDIA });
  }

  get adjustments(): PlannedCall["adjustments"] {
    return this.#planned.adjustments;
  }

  describe(): UpstreamRequest {
    const { provider, userAgent } = this.#options;
    const { request } = this.#planned;
    return create(UpstreamRequestSchema, {
      method: request.method,
      url: shownUrl(provider.endpoint, request),
      headers: shownHeaders(provider.endpoint, { ...request, accept: acceptOf(this.#call) }, userAgent),
      bodyJson: request.body ?? "",
    });
  }

  async complete(signal: AbortSignal, options?: AttemptOptions): Promise<ChatCompletion> {
    const { provider, recollection } = this.#options;
    const encoded = this.#refs.length === 0 ? this.#planned : await this.#withMedia(signal);
    const keyed = this.#keyedFor(options);
    const answer = await this.#send(keyed, encoded, signal, options?.onHead);
    if (contentKind(answer) === "events") {
      answer.discard();
      throw invalidResponse(provider.id, "an event stream where one piece of JSON was asked for");
    }
    const read = answer.text(MAX_BODY_BYTES);
    const body = typeof read === "string" ? read : await read;
    const completion = decode(keyed, encoded, body);
    recollection.remember(provider.id, completion);
    return completion;
  }

  stream(signal: AbortSignal, options?: AttemptOptions): AsyncIterable<ChunkBatch> {
    return readChunks(() => this.#open(signal, options), signal);
  }

  #keyedFor({ credential = 0 }: AttemptOptions = {}): Provider {
    const { provider, furtherKeys = [] } = this.#options;
    return furtherKeys[credential - 1] ?? provider;
  }

  async #withMedia(signal: AbortSignal): Promise<EncodedCall> {
    const { provider, media } = this.#options;
    return provider.encodeRequest({ ...this.#call, media: await media.fetch(this.#refs, signal) });
  }

  /** Sends the request, and waits for the head of an answer that is a success, and can be read. */
  async #send(
    keyed: Provider,
    { request }: EncodedCall,
    signal: AbortSignal,
    onHead: AttemptOptions["onHead"],
  ): Promise<UpstreamAnswer> {
    const { client, provider } = this.#options;
    const { method, path, headers, body } = request;
    const encoded = this.#encode(body);
    const bytes = encoded instanceof Promise ? await encoded : encoded;
    const sent = { method, path, accept: acceptOf(this.#call), headers, body: bytes };
    const answer = await client.request(keyed, sent, signal);
    onHead?.();
    if (!answer.ok) throw await readFailure(keyed, answer, signal);
    const fault = unreadable(answer);
    if (fault === undefined) return answer;
    answer.discard();
    throw invalidResponse(provider.id, fault);
  }

  /** Of a long body the bytes, in turns; of a stream's, too, since they are kept to its end. */
  #encode(body: string | undefined): Promise<Uint8Array> | Uint8Array | string | undefined {
    if (body === undefined) return undefined;
    if (isLarge(body.length)) return encodeInTurns(body);
    return this.#call.streaming ? bytesOf(body) : body;
  }

  async #open(signal: AbortSignal, options?: AttemptOptions): Promise<OpenStream> {
    const encoded = this.#refs.length === 0 ? this.#planned : await this.#withMedia(signal);
    const keyed = this.#keyedFor(options);
    const answer = await this.#send(keyed, encoded, signal, options?.onHead);
    return { provider: keyed, answer, ...this.#readingOf(answer, encoded), recollection: this.#options.recollection };
  }

  /** How a stream is read. JSON in its place is a list of the same events, the whole answer at once, or an error. */
  #readingOf(answer: UpstreamAnswer, encoded: EncodedCall): Pick<OpenStream, "reader" | "decoder"> {
    const { id } = this.#options.provider;
    if (contentKind(answer) !== "json") return { reader: createSseReader(id), decoder: encoded.createStreamDecoder() };
    const isList = encoded.hasListsOfEvents === true;
    return {
      reader: createJsonReader(id, isList),
      decoder: isList ? encoded.createStreamDecoder() : createCompletionDecoder(id, encoded),
    };
  }
}

function decode({ endpoint }: Provider, encoded: EncodedCall, body: string): ChatCompletion {
  try {
    return encoded.decodeResponse(body);
  } catch (thrown) {
    throw faultWithoutSecrets(endpoint, thrown);
  }
}

/** What makes a success unreadable, whatever was asked for. */
function unreadable(answer: UpstreamAnswer): string | undefined {
  if (contentKind(answer) === "html") return "a page in HTML";
  return isEncoded(answer) ? "a body in an encoding that is not known" : undefined;
}

const acceptOf = ({ streaming }: BackendCall): string =>
  streaming ? "text/event-stream, application/json" : "application/json";

const utf8 = new TextEncoder();

/**
 * The bytes of a text, in memory of their own: the client keeps them to the end of a stream, and those of a small one would else be part of
 * a block that many share, and keep all of it. Of a text in ASCII, as most are, they are made in one pass.
 */
function bytesOf(text: string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(text.length);
  const { read } = utf8.encodeInto(text, bytes);
  return read === text.length ? bytes : utf8.encode(text);
}
