/** What OpenTelemetry's conventions (`gen_ai.provider.name`) call the vendors that have another word here. */
const CONVENTIONAL: Readonly<Record<string, string>> = {
  azure: "azure.ai.openai",
  google: "gcp.gemini",
  mistral: "mistral_ai",
  moonshot: "moonshot_ai",
  xai: "x_ai",
};

/** Says of a vendor that it is not known. */
const UNKNOWN = "generic";

/** The conventions' name of a provider's vendor. A vendor that they do not name keeps its own word, and an unknown one the provider's id. */
export function providerName(vendor: string | undefined, provider: string): string {
  if (vendor === undefined || vendor === UNKNOWN) return provider;
  return CONVENTIONAL[vendor] ?? vendor;
}
