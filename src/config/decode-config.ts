import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { type Path, pathToString } from "@bufbuild/protobuf/reflect";
import { GatewayError } from "../errors/gateway-error.ts";
import { type Config, ConfigSchema } from "../gen/parley/config/v1/config_pb.ts";
import { decodeJson } from "../openai-json/decode.ts";
import { violationsOf } from "../rules/violations.ts";
import type { Report } from "./problems.ts";

/**
 * Reads a configuration by its schema, parley.config.v1, and checks its rules. Reported are every key that the schema does not
 * have, the first value of each section that can't be read, and every rule that the rest breaks. The result has what could be
 * read.
 */
export async function decodeConfig(json: JsonValue, report: Report): Promise<Config> {
  if (json === null) return create(ConfigSchema);
  if (typeof json !== "object" || Array.isArray(json)) {
    report("", `must be a map of keys, and is ${Array.isArray(json) ? "a list" : "a single value"}`);
    return create(ConfigSchema);
  }
  const readable = Object.fromEntries(Object.entries(json).filter(([key, value]) => canRead({ [key]: value }, report)));
  const config = decodeJson(ConfigSchema, readable, { unknownKeys: "report" });
  await checkRules(config, readable, report);
  return config;
}

/** Tries one section by itself, so that its fault hides no other section's. */
function canRead(section: JsonObject, report: Report): boolean {
  try {
    decodeJson(ConfigSchema, section, {
      unknownKeys: "report",
      onUnknownKey: (path) => report(path, "is not a key of the configuration"),
    });
    return true;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const path = error.details.param ?? "";
    report(path, error.message.startsWith(`${path} `) ? error.message.slice(path.length + 1) : error.message);
    return false;
  }
}

async function checkRules(config: Config, json: JsonObject, report: Report): Promise<void> {
  for (const { field, message } of (await violationsOf(ConfigSchema, config)) ?? []) {
    const value = shortValue(json, field);
    report(pathToString(field), value !== undefined && message.startsWith("must ") ? `${value} ${message}` : message);
  }
}

/** The value at a path when it is a number or a duration; a text could be a secret. */
function shortValue(json: JsonValue, path: Path): string | undefined {
  let at: unknown = json;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at =
      step.kind === "field"
        ? Reflect.get(at, step.name)
        : step.kind === "list_sub"
          ? Reflect.get(at, step.index)
          : step.kind === "map_sub"
            ? Reflect.get(at, String(step.key))
            : undefined;
  }
  const isDuration = typeof at === "string" && /^-?[\d.]+s$/.test(at);
  return typeof at === "number" || isDuration ? String(at) : undefined;
}
