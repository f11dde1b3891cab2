import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { ProviderSchema } from "../gen/parley/config/v1/config_pb.ts";
import { encodeJson } from "../openai-json/encode.ts";
import { isObject } from "../openai-json/is-object.ts";
import { REDACTED, redact, shownQuery } from "../telemetry/redaction.ts";
import { FAMILY_KEYS, type ProviderFamily, type ProviderSettings } from "./provider-settings.ts";

/** Writes a provider as its entry in the file, without secrets: keys, values of headers and of an address's query are redacted. */
export function formatProvider(provider: ProviderSettings): JsonObject {
  const { id, concurrency } = provider;
  const entry = encodeJson(ProviderSchema, create(ProviderSchema, { id, kind: kindOf(provider), concurrency }));
  const key = FAMILY_KEYS[provider.kind];
  const section = entry[key];
  return isObject(section) ? { ...entry, [key]: withoutSecrets(section) } : entry;
}

function kindOf(family: ProviderFamily) {
  switch (family.kind) {
    case "openaiCompatible":
      return { case: family.kind, value: family.config };
    case "anthropic":
      return { case: family.kind, value: family.config };
    case "google":
      return { case: family.kind, value: family.config };
    default:
      return family satisfies never;
  }
}

function withoutSecrets(section: JsonObject): JsonObject {
  const { base_url: baseUrl, api_keys: apiKeys, headers } = section;
  return {
    ...(redact(section) as JsonObject),
    ...(typeof baseUrl === "string" ? { base_url: withoutQueryValues(baseUrl) } : {}),
    ...(Array.isArray(apiKeys) ? { api_keys: apiKeys.map(() => REDACTED) } : {}),
    ...(isObject(headers) ? { headers: mapValues(headers, () => REDACTED) } : {}),
  };
}

function withoutQueryValues(address: string): string {
  const [base = "", query] = address.split(/\?(.*)/s, 2);
  // What stands there has to be an address still.
  return query === undefined || query === "" ? address : `${base}?${shownQuery(query, "redacted")}`;
}

/** Doubles the "$" of each "${", so that the file's reader takes it as a text and not as a variable. */
export function escapeReferences(value: JsonValue): JsonValue {
  if (typeof value === "string") return value.replaceAll("${", "$$${");
  if (Array.isArray(value)) return value.map(escapeReferences);
  return isObject(value) ? mapValues(value, escapeReferences) : value;
}

const mapValues = (object: JsonObject, change: (value: JsonValue) => JsonValue): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
