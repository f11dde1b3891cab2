/**
 * Google's Gemini API: requests and answers of `generateContent`.
 *
 * `encode-…` says requests in Gemini's terms; `candidate.ts` reads answers, whole (`decode-response.ts`) or as they come
 * (`stream-decoder.ts`). What models can do is in `capabilities.ts`, what becomes of parameters in `parameters.ts`.
 */
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Google } from "../../gen/parley/config/v1/google_pb.ts";
import { inLowerCase, splitAddress } from "../base-address.ts";
import type { Chance, EncodedCall, Endpoint, MediumRef, Provider, ProviderCall } from "../provider.ts";
import { abilitiesOf } from "./abilities.ts";
import { type Capabilities, createCapabilities } from "./capabilities.ts";
import { decodeError } from "./decode-error.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { mediumOf, sourceOf } from "./media-source.ts";
import { decodeModels, MODELS_REQUEST } from "./models.ts";
import { createStreamDecoder } from "./stream-decoder.ts";

const BASE_URL = "https://generativelanguage.googleapis.com";
const API_VERSION = "v1beta";

/** Most bytes that Gemini takes within a request: of a PDF, and of other media. */
const MAX_FILE_BYTES = 50_000_000;
const MAX_MEDIUM_BYTES = 100_000_000;

/** A translator for Gemini's API. Throws INVALID_VALUE, with the path in the configuration, for a rule that can't be read. */
export function createGoogle(id: string, config: Google, chance: Chance): Provider {
  const endpoint = endpointOf(config);
  const capabilitiesOf = createCapabilities(config.models, "models");
  return {
    id,
    vendor: "google",
    endpoint,
    modelsRequest: MODELS_REQUEST,
    mediaToFetch: (model, params) => mediaToFetch(params, endpoint.baseUrl, capabilitiesOf(model)),
    encodeRequest: (call) => encodeCall(call),
    decodeError: (failure) => decodeError(failure, id),
    decodeModels: (body) => decodeModels(body, id),
    abilitiesOf: (model) => abilitiesOf(model, capabilitiesOf(model)),
  };

  function encodeCall(call: ProviderCall): EncodedCall {
    const encoded = encodeRequest(call, capabilitiesOf(call.model), endpoint.baseUrl);
    const { body, adjustments, names, answerFunction } = encoded;
    const context = { provider: id, names, answerFunction, choices: call.params.n ?? 1, chance };
    return {
      request: { method: "POST", path: pathOf(call.model, call.streaming), body },
      adjustments,
      decodeResponse: (answer) => decodeResponse(answer, context),
      createStreamDecoder: () => createStreamDecoder(context),
      // So it answers where `alt=sse` gets lost on the way.
      hasListsOfEvents: true,
    };
  }
}

/**
 * The key goes in a header: in the query it would stand in logs. What the configuration adds to headers may be a secret, and is taken
 * for one.
 */
function endpointOf({ baseUrl = BASE_URL, apiVersion = API_VERSION, apiKey, headers }: Google): Endpoint {
  const { address, query } = splitAddress(baseUrl);
  return {
    baseUrl: `${address}/${apiVersion}`,
    query,
    headers: {},
    secretHeaders: {
      ...(apiKey === undefined ? {} : { "x-goog-api-key": apiKey }),
      ...inLowerCase(headers),
    },
  };
}

/** Without `alt=sse` the events would be one JSON array. */
function pathOf(model: string, streaming: boolean): string {
  const [, kind = "models/", name = model] = /^(models\/|tunedModels\/)(.+)$/s.exec(model) ?? [];
  return `/${kind}${encodeURIComponent(name)}:${streaming ? "streamGenerateContent?alt=sse" : "generateContent"}`;
}

/** What Gemini wants as bytes; what it gets itself, and what is in the request, needs no fetching. Faults are the encoder's to find. */
function mediaToFetch({ messages }: ChatCompletionParams, base: string, capabilities: Capabilities): MediumRef[] {
  const refs = new Map<string, MediumRef>();
  for (const [index, { content }] of messages.entries()) {
    for (const [at, part] of content.entries()) {
      const medium = mediumOf(part, `messages[${index}].content[${at}]`);
      if (medium === undefined || !/^https:/i.test(medium.text)) continue;
      const source = sourceOf(medium, base, capabilities);
      if (source.case !== "fetch" || refs.has(source.url)) continue;
      const maxBytes = medium.kind === "file" ? MAX_FILE_BYTES : MAX_MEDIUM_BYTES;
      refs.set(source.url, { url: source.url, path: medium.path, maxBytes });
    }
  }
  return [...refs.values()];
}
