import type { ProviderSettings } from "../config/provider-settings.ts";
import type { AutoSettings, Settings } from "../config/settings.ts";
import type { OpenAICompatible } from "../gen/parley/config/v1/openai_compatible_pb.ts";
import { OPENAI_HOST } from "./openai-host.ts";

/** What "auto" stands for where no provider has a model for it. */
const FALLBACK = "sandbox/eliza";

/** "auto" as it is in force: its models are those of the settings, or of each provider its model for everything. Never empty. */
export function autoOf({ auto, providers }: Settings): AutoSettings {
  if (auto.models.length > 0) return auto;
  const models = providers.flatMap((provider) => defaultModelOf(provider) ?? []);
  return { ...auto, models: models.length > 0 ? models : [FALLBACK] };
}

/** A provider's model for everything, as "provider/model"; undefined: it is not known what models the provider has. */
export function defaultModelOf(provider: ProviderSettings): string | undefined {
  const model = modelOf(provider);
  return model === undefined ? undefined : `${provider.id}/${model}`;
}

function modelOf({ kind, config }: ProviderSettings): string | undefined {
  switch (kind) {
    case "anthropic":
      return "claude-sonnet-4-5";
    case "google":
      return "gemini-2.5-pro";
    case "openaiCompatible":
      return isOpenAI(config) ? "gpt-5.2" : undefined;
    default:
      return kind satisfies never;
  }
}

/** Whether it is OpenAI's own service: by the vendor's word, or else by the host. Anybody else's models have other names. */
function isOpenAI({ vendor, baseUrl }: OpenAICompatible): boolean {
  if (vendor !== undefined && vendor !== "") return vendor === "openai";
  return OPENAI_HOST.test(URL.parse(baseUrl)?.hostname ?? "");
}
