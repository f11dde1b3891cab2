import type { Provider } from "../gen/parley/config/v1/config_pb.ts";
import { checkProvider } from "./check-provider.ts";
import { completeConcurrency } from "./complete-routing.ts";
import type { Report } from "./problems.ts";
import { FAMILY_KEYS, type ProviderFamily, type ProviderSettings } from "./provider-settings.ts";

/** What the providers of a configuration come from. */
export interface ProviderSources {
  /** The file's, in its order. */
  readonly listed: readonly Provider[];
  /** Those of the environment, with other ids. */
  readonly switchedOn: readonly ProviderSettings[];
  /** The file, as its problems name it; undefined: there is none. */
  readonly file: string | undefined;
}

/**
 * Chooses the providers: the file's, and then those of the environment. Ids that the file has twice and what is wrong within a provider
 * are reported. One without a family, which the schema's rules report, is left out.
 */
export function chooseProviders({ listed, switchedOn, file }: ProviderSources, report: Report): ProviderSettings[] {
  const firstPlaces = new Map<string, string>();
  const fromFile = listed.flatMap((provider, index): ProviderSettings[] => {
    const path = `providers[${index}]`;
    const first = firstPlaces.get(provider.id);
    if (first === undefined) firstPlaces.set(provider.id, path);
    else if (provider.id !== "") report(`${path}.id`, `${JSON.stringify(provider.id)} is the id of ${first}, too`);
    const family = familyOf(provider);
    if (family === undefined) return [];
    const place = { file, path: `${path}.${FAMILY_KEYS[family.kind]}` };
    checkProvider(family, (field, message) => report(`${place.path}.${field}`, message));
    return [{ id: provider.id, place, concurrency: completeConcurrency(provider.concurrency), ...family }];
  });
  return [...fromFile, ...switchedOn];
}

function familyOf({ kind }: Provider): ProviderFamily | undefined {
  switch (kind.case) {
    case "openaiCompatible":
      return { kind: kind.case, config: kind.value };
    case "anthropic":
      return { kind: kind.case, config: kind.value };
    case "google":
      return { kind: kind.case, config: kind.value };
    case undefined:
      return undefined;
    default:
      return kind satisfies never;
  }
}
