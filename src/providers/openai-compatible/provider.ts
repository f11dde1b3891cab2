/**
 * OpenAI, and everybody who copies its API: a request goes on as it is but for what is different about the server and the model, and
 * that stands in two tables, vendors.ts and capabilities.ts, which the configuration extends.
 */
import type { OpenAICompatible } from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { isLegacyForm } from "../legacy-form.ts";
import type { Chance, Provider } from "../provider.ts";
import { stringifyWellFormed } from "../well-formed-json.ts";
import { abilitiesOf } from "./abilities.ts";
import type { DecodeContext } from "./choice-decoder.ts";
import { decodeError } from "./decode-error.ts";
import { decodeResponse } from "./decode-response.ts";
import { encodeRequest } from "./encode-request.ts";
import { endpointOf } from "./endpoint.ts";
import { mediaToFetch } from "./media.ts";
import { decodeModels } from "./models.ts";
import { readQuirks } from "./quirks.ts";
import { createStreamDecoder } from "./stream-decoder.ts";

/**
 * Makes the translator for a server that speaks OpenAI's API. Throws INVALID_VALUE, with the path within the configuration as its param,
 * for a vendor that is not known and for a rule whose `match` is no regular expression.
 */
export function createOpenAICompatible(id: string, config: OpenAICompatible, chance: Chance): Provider {
  const { quirks, traitsOf } = readQuirks(config);
  return {
    id,
    vendor: quirks.vendor,
    endpoint: endpointOf(config, quirks.keyHeader),
    mediaToFetch: (model, params) => mediaToFetch(params, traitsOf(model)),
    encodeRequest(call) {
      const traits = traitsOf(call.model);
      const { body, adjustments } = encodeRequest(call, traits);
      const { genuine, thinkTags } = traits;
      const isLegacy = !traits.legacyFunctions && isLegacyForm(call.params);
      const context: DecodeContext = {
        provider: id,
        genuine,
        thinkTags,
        isLegacy,
        chance,
        choices: call.params.n ?? 1,
      };
      return {
        request: { method: "POST", path: "/chat/completions", body: stringifyWellFormed(body) },
        adjustments,
        decodeResponse: (text) => decodeResponse(text, context),
        createStreamDecoder: () => createStreamDecoder(context),
      };
    },
    decodeError: (failure) => decodeError(failure, id),
    modelsRequest: { method: "GET", path: "/models" },
    decodeModels: (body) => decodeModels(body, id),
    abilitiesOf: (model) => abilitiesOf(model, traitsOf(model)),
  };
}
