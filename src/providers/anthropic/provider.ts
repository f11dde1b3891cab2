/**
 * Anthropic's Messages API: what it wants to hear, and what it means.
 */
import type { Anthropic } from "../../gen/parley/config/v1/anthropic_pb.ts";
import { Anthropic_Auth } from "../../gen/parley/config/v1/anthropic_pb.ts";
import { inLowerCase, splitAddress } from "../base-address.ts";
import type { Chance, Endpoint, Provider } from "../provider.ts";
import { stringifyWellFormed } from "../well-formed-json.ts";
import { abilitiesOf } from "./abilities.ts";
import { createCapabilities } from "./capabilities.ts";
import { decodeError } from "./decode-error.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { decodeModels, MODELS_REQUEST } from "./models.ts";
import { createStreamDecoder } from "./stream-decoder.ts";

const BASE_URL = "https://api.anthropic.com";
const VERSION = "2023-06-01";

/** Makes the provider. Fails with INVALID_VALUE on a rule of `models` whose pattern is no regular expression. */
export function createAnthropic(id: string, config: Anthropic, chance: Chance): Provider {
  const version = config.version ?? VERSION;
  const capabilitiesOf = createCapabilities(config.models, version);
  const endpoint = createEndpoint(config, version);
  const configured = endpoint.headers[BETA]?.split(",") ?? [];
  return {
    id,
    vendor: "anthropic",
    endpoint,
    // Anthropic fetches them itself.
    mediaToFetch: () => [],
    encodeRequest({ model, params, streaming }) {
      const { body, adjustments, plan, beta } = encodeRequest(model, params, streaming, capabilitiesOf(model));
      const reading = { provider: id, plan, chance };
      const features = [...new Set([...configured, ...beta])].join(",");
      return {
        request: {
          method: "POST",
          path: "/v1/messages",
          ...(beta.size === 0 ? {} : { headers: { [BETA]: features } }),
          body: stringifyWellFormed(body),
        },
        adjustments,
        decodeResponse: (text) => decodeResponse(text, reading),
        createStreamDecoder: () => createStreamDecoder(reading),
      };
    },
    decodeError: (failure) => decodeError(failure, id),
    modelsRequest: MODELS_REQUEST,
    decodeModels: (body) => decodeModels(body, id),
    abilitiesOf: (model) => abilitiesOf(model, capabilitiesOf(model)),
  };
}

const BETA = "anthropic-beta";

/** What the configuration adds to headers may be a secret, and is taken for one. */
function createEndpoint({ baseUrl = BASE_URL, apiKey, headers, beta, auth }: Anthropic, version: string): Endpoint {
  const { address, query } = splitAddress(baseUrl);
  const { [BETA]: given, ...others } = inLowerCase(headers);
  const features = [...beta, ...(given?.split(/\s*,\s*/) ?? [])];
  return {
    baseUrl: address,
    query,
    headers: {
      "anthropic-version": version,
      ...(features.length === 0 ? {} : { [BETA]: [...new Set(features)].join(",") }),
    },
    secretHeaders: {
      ...(apiKey === undefined ? {} : keyHeader(auth, apiKey)),
      ...others,
    },
  };
}

function keyHeader(auth: Anthropic_Auth, key: string): Record<string, string> {
  switch (auth) {
    case Anthropic_Auth.UNSPECIFIED:
    case Anthropic_Auth.X_API_KEY:
      return { "x-api-key": key };
    case Anthropic_Auth.BEARER:
      return { authorization: `Bearer ${key}` };
    default:
      return auth satisfies never;
  }
}
