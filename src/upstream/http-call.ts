import { create } from "@bufbuild/protobuf";
import { UpstreamRequestSchema } from "../gen/parley/chat/v1/chat_service_pb.ts";
import type { ChatCompletion } from "../gen/parley/chat/v1/completion_pb.ts";
import type { EncodedCall, Medium, MediumRef, Provider, WireRequest } from "../providers/provider.ts";
import { invalidResponse } from "../providers/upstream-error.ts";
import type { AttemptOptions, BackendCall, PlannedCall } from "./backend.ts";
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
export function createHttpCall(
  { provider, furtherKeys = [], client, media, recollection, userAgent }: HttpCallOptions,
  call: BackendCall,
  refs: readonly MediumRef[],
): PlannedCall {
  const planned = provider.encodeRequest({ ...call, media: NO_MEDIA });

  const keyedFor = ({ credential = 0 }: AttemptOptions = {}): Provider => furtherKeys[credential - 1] ?? provider;

  const encode = async (signal: AbortSignal): Promise<EncodedCall> =>
    refs.length === 0 ? planned : provider.encodeRequest({ ...call, media: await media.fetch(refs, signal) });

  /** Sends the request, and waits for the head of an answer that is a success, and can be read. */
  const send = async (
    keyed: Provider,
    { request }: EncodedCall,
    signal: AbortSignal,
    onHead: AttemptOptions["onHead"],
  ): Promise<UpstreamAnswer> => {
    const answer = await client.request(keyed, accepting(request, call.streaming), signal);
    onHead?.();
    if (!answer.ok) throw await readFailure(keyed, answer, signal);
    const fault = unreadable(answer);
    if (fault === undefined) return answer;
    answer.discard();
    throw invalidResponse(provider.id, fault);
  };

  const decode = async (
    { endpoint }: Provider,
    encoded: EncodedCall,
    answer: UpstreamAnswer,
  ): Promise<ChatCompletion> => {
    const body = await answer.text(MAX_BODY_BYTES);
    try {
      return encoded.decodeResponse(body);
    } catch (thrown) {
      throw faultWithoutSecrets(endpoint, thrown);
    }
  };

  const open = async (signal: AbortSignal, options?: AttemptOptions): Promise<OpenStream> => {
    const encoded = await encode(signal);
    const keyed = keyedFor(options);
    const answer = await send(keyed, encoded, signal, options?.onHead);
    return { provider: keyed, answer, ...readingOf(answer, encoded), recollection };
  };

  /** How a stream is read. JSON in its place is a list of the same events, the whole answer at once, or an error. */
  const readingOf = (answer: UpstreamAnswer, encoded: EncodedCall): Pick<OpenStream, "reader" | "decoder"> => {
    if (contentKind(answer) !== "json")
      return { reader: createSseReader(provider.id), decoder: encoded.createStreamDecoder() };
    const isList = encoded.hasListsOfEvents === true;
    return {
      reader: createJsonReader(provider.id, isList),
      decoder: isList ? encoded.createStreamDecoder() : createCompletionDecoder(provider.id, encoded),
    };
  };

  return {
    adjustments: planned.adjustments,
    promptTokens: undefined,
    describe() {
      const request = accepting(planned.request, call.streaming);
      return create(UpstreamRequestSchema, {
        method: request.method,
        url: shownUrl(provider.endpoint, request),
        headers: shownHeaders(provider.endpoint, request, userAgent),
        bodyJson: request.body ?? "",
      });
    },
    async complete(signal, options): Promise<ChatCompletion> {
      const encoded = await encode(signal);
      const keyed = keyedFor(options);
      const answer = await send(keyed, encoded, signal, options?.onHead);
      if (contentKind(answer) === "events") {
        answer.discard();
        throw invalidResponse(provider.id, "an event stream where one piece of JSON was asked for");
      }
      const completion = await decode(keyed, encoded, answer);
      recollection.remember(provider.id, completion);
      return completion;
    },
    stream: (signal, options) => readChunks(() => open(signal, options), signal),
  };
}

/** What makes a success unreadable, whatever was asked for. */
function unreadable(answer: UpstreamAnswer): string | undefined {
  if (contentKind(answer) === "html") return "a page in HTML";
  return isEncoded(answer) ? "a body in an encoding that is not known" : undefined;
}

const accepting = (request: WireRequest, streaming: boolean): WireRequest => ({
  ...request,
  headers: { accept: streaming ? "text/event-stream, application/json" : "application/json", ...request.headers },
});
