import type { ProviderFamily } from "../../src/config/provider-settings.ts";
import type { Families } from "../../src/providers/make-providers.ts";
import type { Chance, Provider } from "../../src/providers/provider.ts";

/** Families whose providers have an id and can do nothing else. `onMake` is told what they are made of, and may throw. */
export function createFamilies(
  onMake: (kind: ProviderFamily["kind"], id: string, config: unknown, chance: Chance) => void = () => undefined,
): Families {
  const make =
    (kind: ProviderFamily["kind"]) =>
    (id: string, config: ProviderFamily["config"], chance: Chance): Provider => {
      onMake(kind, id, config, chance);
      return createIdleProvider(id);
    };
  return {
    openaiCompatible: make("openaiCompatible"),
    anthropic: make("anthropic"),
    google: make("google"),
  };
}

function createIdleProvider(id: string): Provider {
  const refuse = (): never => {
    throw new Error("this provider can do nothing");
  };
  return {
    id,
    vendor: "generic",
    endpoint: { baseUrl: "https://provider.example", query: "", headers: {}, secretHeaders: {} },
    mediaToFetch: () => [],
    encodeRequest: refuse,
    decodeError: refuse,
    abilitiesOf: () => ({}),
    modelsRequest: { method: "GET", path: "/models" },
    decodeModels: refuse,
  };
}
