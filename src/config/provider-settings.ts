import type { Anthropic } from "../gen/parley/config/v1/anthropic_pb.ts";
import type { Google } from "../gen/parley/config/v1/google_pb.ts";
import type { OpenAICompatible } from "../gen/parley/config/v1/openai_compatible_pb.ts";
import type { ConfigProblem } from "./config-error.ts";

/** A provider with a network, as it is configured. */
export type ProviderSettings = {
  /** Id of the provider: the part of "provider/model" before the slash. */
  readonly id: string;
  /** Where its section stands: "providers[0].anthropic" of the file, or the variable that switches it on. Faults are told with it. */
  readonly place: Pick<ConfigProblem, "file" | "path">;
  readonly concurrency: ConcurrencySettings;
} & ProviderFamily;

/** How many calls each model of a provider gets at once. */
export interface ConcurrencySettings {
  readonly maxInFlight: number;
  /** Most calls that wait for a place. */
  readonly maxQueue: number;
}

/** Which API a provider speaks, and the section of the configuration that is that family's own. */
export type ProviderFamily =
  | { readonly kind: "openaiCompatible"; readonly config: OpenAICompatible }
  | { readonly kind: "anthropic"; readonly config: Anthropic }
  | { readonly kind: "google"; readonly config: Google };

/** The key of each family's section. */
export const FAMILY_KEYS: Readonly<Record<ProviderFamily["kind"], string>> = {
  openaiCompatible: "openai_compatible",
  anthropic: "anthropic",
  google: "google",
};
