import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { Modality, type Model, ModelSchema } from "../../gen/parley/models/v1/models_service_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import type { ModelPage, WireRequest } from "../provider.ts";
import { tokenBound } from "../token-count.ts";
import { invalidResponse, parseUpstream } from "../upstream-error.ts";
import { decodeInnerError, isError } from "./decode-error.ts";

const PATH = "/v1/models?limit=1000";

/** The request for the first page of the list of models. */
export const MODELS_REQUEST: WireRequest = { method: "GET", path: PATH };

/** Reads a page of the list of models. */
export function decodeModels(body: string, provider: string): ModelPage {
  const json = parseUpstream(provider, body);
  if (isError(json)) throw decodeInnerError(json, provider);
  const { data, has_more: hasMore, last_id: lastId } = json;
  if (!Array.isArray(data)) throw invalidResponse(provider, "a list of models that is none");
  const more = hasMore === true && typeof lastId === "string" && lastId !== "";
  return {
    models: data.filter(isObject).flatMap((model) => decodeModel(model, provider)),
    next: more ? { method: "GET", path: `${PATH}&after_id=${encodeURIComponent(lastId)}` } : undefined,
  };
}

function decodeModel(model: JsonObject, provider: string): Model[] {
  const { id, display_name: name, created_at: created, retires_at: retires, capabilities } = model;
  if (typeof id !== "string" || id === "") return [];
  const made = typeof created === "string" ? Date.parse(created) : Number.NaN;
  const window = tokenBound(model["max_input_tokens"]);
  const output = tokenBound(model["max_tokens"]);
  const end = typeof retires === "string" ? /^\d{4}-\d{2}-\d{2}/.exec(retires)?.[0] : undefined;
  return [
    create(ModelSchema, {
      id,
      created: Number.isNaN(made) ? 0n : BigInt(Math.max(0, Math.floor(made / 1000))),
      ownedBy: provider,
      ...(typeof name === "string" && name !== "" ? { description: name } : {}),
      ...(window === undefined ? {} : { contextWindow: window }),
      ...(output === undefined ? {} : { maxOutputTokens: output }),
      ...(end === undefined ? {} : { shutdownDate: end }),
      inputModalities: inputsOf(capabilities),
      outputModalities: [Modality.TEXT],
      tools: true,
    }),
  ];
}

/** What messages may contain; empty where it is not said. */
function inputsOf(capabilities: JsonValue | undefined): Modality[] {
  if (!isObject(capabilities)) return [];
  const can = (name: string): boolean => {
    const capability = capabilities[name];
    return isObject(capability) && capability["supported"] === true;
  };
  return [Modality.TEXT, ...(can("image_input") ? [Modality.IMAGE] : []), ...(can("pdf_input") ? [Modality.FILE] : [])];
}
