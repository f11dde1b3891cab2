import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import {
  type Modality,
  ModalitySchema,
  type Model,
  ModelSchema,
  type Pricing,
  PricingSchema,
} from "../../gen/parley/models/v1/models_service_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { enumWords } from "../../openai-json/words.ts";
import type { ModelPage } from "../provider.ts";
import { tokenBound } from "../token-count.ts";
import { invalidResponse } from "../upstream-error.ts";

/** Names under which servers say how many tokens a model takes, and how many it answers with at most. */
const WINDOW = ["context_length", "context_window", "max_context_length", "max_model_len", "inputTokenLimit"];
const OUTPUT = ["max_completion_tokens", "max_output_tokens", "max_output_length"];

const MODALITIES = enumWords(ModalitySchema).numberOf;

/** Reads the list of models: `{data: […]}`, or the bare list that Together sends. Models that do not chat are left out, where it is said. */
export function decodeModels(body: string, provider: string): ModelPage {
  const list = listOf(parse(body, provider));
  if (list === undefined) throw invalidResponse(provider, "a body that is no list of models");
  return { models: list.filter(isObject).flatMap(decodeModel), next: undefined };
}

function listOf(json: JsonValue): readonly JsonValue[] | undefined {
  if (Array.isArray(json)) return json;
  const data = isObject(json) ? (json["data"] ?? json["models"]) : undefined;
  return Array.isArray(data) ? data : undefined;
}

function decodeModel(json: JsonObject): Model[] {
  const { id, created, owned_by: owner, description, shutdown_date: shutdown } = json;
  if (typeof id !== "string" || id === "" || !canChat(json)) return [];
  const model = create(ModelSchema, {
    // Google's endpoint for OpenAI's API has a prefix that its calls do not need.
    id: id.replace(/^models\//, ""),
    created: BigInt(typeof created === "number" && Number.isFinite(created) ? Math.trunc(created) : 0),
    ownedBy: typeof owner === "string" ? owner : "",
    inputModalities: modalitiesOf(json, "input_modalities"),
    outputModalities: modalitiesOf(json, "output_modalities"),
  });
  if (typeof description === "string" && description !== "") model.description = description;
  if (typeof shutdown === "string" && shutdown !== "") model.shutdownDate = shutdown;
  const { top_provider: top } = json;
  const window = countIn(json, WINDOW);
  const output = countIn(json, OUTPUT) ?? (isObject(top) ? countIn(top, OUTPUT) : undefined);
  const tools = callsTools(json);
  const pricing = pricingOf(json["pricing"]);
  if (window !== undefined) model.contextWindow = window;
  if (output !== undefined) model.maxOutputTokens = output;
  if (tools !== undefined) model.tools = tools;
  if (pricing !== undefined) model.pricing = pricing;
  return [model];
}

/** Mistral and Azure say what a model can do, Groq whether it is on, Together what it is for. */
function canChat({ capabilities, active, type }: JsonObject): boolean {
  const can = isObject(capabilities) ? capabilities : {};
  if (can["completion_chat"] === false || can["chat_completion"] === false) return false;
  return (
    active !== false &&
    (typeof type !== "string" || !/^(embedding|image|audio|rerank|moderation|transcribe|video)$/.test(type))
  );
}

function callsTools({ capabilities, supported_parameters: parameters }: JsonObject): boolean | undefined {
  if (Array.isArray(parameters)) return parameters.includes("tools");
  const calls = isObject(capabilities) ? capabilities["function_calling"] : undefined;
  return typeof calls === "boolean" ? calls : undefined;
}

function modalitiesOf(json: JsonObject, key: string): Modality[] {
  const { architecture } = json;
  const words = isObject(architecture) ? architecture[key] : json[key];
  if (!Array.isArray(words)) return [];
  return words.flatMap((word) => (typeof word === "string" ? (MODALITIES.get(word) ?? []) : []));
}

function countIn(json: JsonObject, keys: readonly string[]): number | undefined {
  return keys.map((key) => tokenBound(json[key])).find((count) => count !== undefined);
}

/** OpenRouter's prices: dollars for a token, as text. Ours are nano-dollars for a million of them. */
function pricingOf(json: JsonValue | undefined): Pricing | undefined {
  if (!isObject(json)) return undefined;
  const price = (key: string): bigint | undefined => {
    const text = json[key];
    const dollars = typeof text === "string" && text !== "" ? Number(text) : Number.NaN;
    return dollars >= 0 && dollars < 1 ? BigInt(Math.round(dollars * 1e15)) : undefined;
  };
  const prices = {
    input: price("prompt"),
    output: price("completion"),
    cacheRead: price("input_cache_read"),
    cacheWrite: price("input_cache_write"),
  };
  const known = Object.entries(prices).filter(([, value]) => value !== undefined);
  return known.length === 0 ? undefined : create(PricingSchema, Object.fromEntries(known));
}

function parse(body: string, provider: string): JsonValue {
  try {
    return JSON.parse(body) as JsonValue;
  } catch {
    throw invalidResponse(provider, "a body that is no list of models"); // The engine's message would quote the body.
  }
}
