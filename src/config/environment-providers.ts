import { create } from "@bufbuild/protobuf";
import { AnthropicSchema } from "../gen/parley/config/v1/anthropic_pb.ts";
import { GoogleSchema } from "../gen/parley/config/v1/google_pb.ts";
import { OpenAICompatibleSchema } from "../gen/parley/config/v1/openai_compatible_pb.ts";
import { checkBaseUrl, checkProvider } from "./check-provider.ts";
import { completeConcurrency } from "./complete-routing.ts";
import type { Environment } from "./environment.ts";
import type { ReportVariable } from "./problems.ts";
import type { ProviderFamily, ProviderSettings } from "./provider-settings.ts";

/** A provider that the environment can switch on. */
interface Switch {
  readonly id: string;
  /** Variables that may hold its key. The first one that is set counts. */
  readonly keys: readonly string[];
  /** Variable of its address. */
  readonly baseUrl: string;
  family(apiKey: string, baseUrl: string | undefined): ProviderFamily;
}

/** The address that OPENAI_BASE_URL stands in for; the other families have theirs in their schema. */
const OPENAI = "https://api.openai.com/v1";

/** The variables are those that the vendors' own clients read, with the same one first where there are two. */
const SWITCHES: readonly Switch[] = [
  {
    id: "openai",
    keys: ["OPENAI_API_KEY"],
    baseUrl: "OPENAI_BASE_URL",
    family: (apiKey, baseUrl = OPENAI) => ({
      kind: "openaiCompatible",
      config: create(OpenAICompatibleSchema, { baseUrl, apiKey }),
    }),
  },
  {
    id: "anthropic",
    keys: ["ANTHROPIC_API_KEY"],
    baseUrl: "ANTHROPIC_BASE_URL",
    family: (apiKey, baseUrl) => ({ kind: "anthropic", config: create(AnthropicSchema, withBase(apiKey, baseUrl)) }),
  },
  {
    id: "google",
    keys: ["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    baseUrl: "GOOGLE_GEMINI_BASE_URL",
    family: (apiKey, baseUrl) => ({ kind: "google", config: create(GoogleSchema, withBase(apiKey, baseUrl)) }),
  },
];

/**
 * The providers that the environment switches on, but for those whose id is taken. What is wrong is reported by the name of its
 * variable, also where a key is missing. An empty variable counts as unset.
 */
export function environmentProviders(
  env: Environment,
  taken: ReadonlySet<string>,
  report: ReportVariable,
): ProviderSettings[] {
  return SWITCHES.filter(({ id }) => !taken.has(id)).flatMap(({ id, keys, baseUrl: variable, family }) => {
    const baseUrl = env[variable] || undefined;
    if (baseUrl !== undefined) checkBaseUrl(baseUrl, (message) => report(variable, message));
    const set = keys.flatMap((key) => (env[key] ? [{ key, value: env[key] }] : []));
    const [first] = set;
    if (first === undefined) return [];
    const made = family(first.value, baseUrl);
    checkProvider(made, (field, message) => {
      if (field === "api_key") report(first.key, message);
    });
    return [{ id, place: { path: first.key }, concurrency: completeConcurrency(undefined), ...made }];
  });
}

const withBase = (apiKey: string, baseUrl: string | undefined): { apiKey: string; baseUrl?: string } =>
  baseUrl === undefined ? { apiKey } : { apiKey, baseUrl };
