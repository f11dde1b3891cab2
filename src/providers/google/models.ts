import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../gen/parley/models/v1/models_service_pb.ts";
import type { ModelPage, WireRequest } from "../provider.ts";
import { invalidResponse, parseUpstream } from "../upstream-error.ts";
import { listIn, numberIn, objectsIn, textIn } from "./json-fields.ts";

const PATH = "/models?pageSize=1000";

/** The request for the first page of the list of models. */
export const MODELS_REQUEST: WireRequest = { method: "GET", path: PATH };

/** Reads a page of the list of models; of those that answer to messages only. */
export function decodeModels(body: string, provider: string): ModelPage {
  const page = parseUpstream(provider, body);
  if (!Array.isArray(page["models"]) && Object.keys(page).length > 0 && page["nextPageToken"] === undefined)
    throw invalidResponse(provider, "a body that is no list of models");
  const token = textIn(page, "nextPageToken");
  return {
    models: objectsIn(page, "models").flatMap((model): Model[] => {
      const id = textIn(model, "name")?.replace(/^models\//, "");
      if (!id || !listIn(model, "supportedGenerationMethods").includes("generateContent")) return [];
      const description = textIn(model, "description") ?? textIn(model, "displayName");
      const contextWindow = numberIn(model, "inputTokenLimit");
      const maxOutputTokens = numberIn(model, "outputTokenLimit");
      return [
        create(ModelSchema, {
          id,
          ownedBy: provider,
          ...(description === undefined ? {} : { description }),
          ...(contextWindow === undefined ? {} : { contextWindow }),
          ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
        }),
      ];
    }),
    next: token ? { method: "GET", path: `${PATH}&pageToken=${encodeURIComponent(token)}` } : undefined,
  };
}
