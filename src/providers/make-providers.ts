import { ConfigError, type ConfigProblem } from "../config/config-error.ts";
import type { ProviderFamily, ProviderSettings } from "../config/provider-settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Chance, Provider } from "./provider.ts";

/**
 * Makes a provider of each family. Throws a GatewayError for a section that can't be used, with the path of the key within the section
 * as its param: "models[0].match".
 */
export type Families = {
  readonly [Family in ProviderFamily as Family["kind"]]: (
    id: string,
    config: Family["config"],
    chance: Chance,
  ) => Provider;
};

/** A provider, once for each of its keys. */
export interface KeyedProvider {
  /** With its first key, or without one. */
  readonly provider: Provider;
  /** The same with its further keys. */
  readonly furtherKeys: readonly Provider[];
}

/**
 * Makes the providers of the settings. Throws a ConfigError with the first fault of each: what only the family itself can find, such as
 * a pattern that is none.
 */
export function makeProviders(
  settings: readonly ProviderSettings[],
  families: Families,
  chance: Chance,
): readonly KeyedProvider[] {
  const problems: ConfigProblem[] = [];
  const providers = settings.flatMap((provider) => {
    try {
      const [first, ...further] = byKey(provider) as [ProviderSettings, ...ProviderSettings[]];
      return [
        {
          provider: makeProvider(first, families, chance),
          furtherKeys: further.map((keyed) => makeProvider(keyed, families, chance)),
        },
      ];
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      problems.push(problemOf(provider, thrown));
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems, problems.find(({ file }) => file !== undefined)?.file);
  return providers;
}

/** The settings once for each key: the first one, and then the further ones. */
function byKey(settings: ProviderSettings): ProviderSettings[] {
  const { apiKey, apiKeys } = settings.config;
  const keys = apiKey === undefined ? apiKeys : [apiKey, ...apiKeys];
  if (keys.length === 0) return [settings];
  return keys.map(
    (key) => ({ ...settings, config: { ...settings.config, apiKey: key, apiKeys: [] } }) as ProviderSettings,
  );
}

function makeProvider(settings: ProviderSettings, families: Families, chance: Chance): Provider {
  const { id } = settings;
  switch (settings.kind) {
    case "openaiCompatible":
      return families.openaiCompatible(id, settings.config, chance);
    case "anthropic":
      return families.anthropic(id, settings.config, chance);
    case "google":
      return families.google(id, settings.config, chance);
    default:
      return settings satisfies never;
  }
}

/** Says where in the configuration the fault is. The variables of the environment have no keys of their own. */
function problemOf({ place }: ProviderSettings, { message, details }: GatewayError): ConfigProblem {
  const { param = "" } = details;
  if (place.file === undefined || param === "") return { ...place, message };
  const path = `${place.path}.${param}`;
  return { ...place, path, message: message.startsWith(`${param} `) ? message.slice(param.length + 1) : message };
}
