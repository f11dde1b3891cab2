import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { type Model, ModelSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import type { Provider } from "../../src/providers/provider.ts";

/** A provider that does nothing but list models: `{"models": [{"id": "a"}], "next": "/models?page=2"}`. */
export function createListingProvider(baseUrl: string, id = "listing", key = "key"): Provider {
  const cannot = (): never => {
    throw new GatewayError(Reason.NOT_IMPLEMENTED, "it lists models, and no more");
  };
  return {
    id,
    vendor: "generic",
    endpoint: { baseUrl, query: "", headers: {}, secretHeaders: { authorization: `Bearer ${key}` } },
    mediaToFetch: () => [],
    encodeRequest: cannot,
    decodeError: ({ status, header }) => {
      const wait = header("retry-after-ms");
      const reason = status === 401 ? Reason.UPSTREAM_AUTHENTICATION_FAILED : Reason.UPSTREAM_ERROR;
      return new GatewayError(reason, `the provider answered with status ${status}`, {
        ...(wait === undefined ? {} : { retryAfterMs: Number(wait) }),
      });
    },
    abilitiesOf: () => ({}),
    modelsRequest: { method: "GET", path: "/models" },
    decodeModels(body) {
      const page = readPage(body);
      const models = page.models.map((model) => fromJson(ModelSchema, model));
      return { models, next: page.next === undefined ? undefined : { method: "GET", path: page.next } };
    },
  };
}

/** Models of these ids, which say no more. */
export const modelsOf = (...ids: readonly string[]): Model[] => ids.map((id) => create(ModelSchema, { id }));

function readPage(body: string): { readonly models: readonly JsonValue[]; readonly next?: string } {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new GatewayError(Reason.UPSTREAM_INVALID_RESPONSE, "the list of models is not JSON", { cause });
  }
}
