import type { Address } from "../lib/address.ts";

/** Whose models a provider's are, and where it is. */
export interface ProviderOrigin {
  /** The vendor, in one word of ours: "openai", "azure"; "generic": not known. */
  readonly vendor: string;
  /** Undefined: it has no network. */
  readonly address: Address | undefined;
}

/** What signals may name. Callers choose names of models, and each new one would be kept for ever. */
export interface KnownNames {
  /** Whether a name, such as "provider/model", is one that the gateway has by itself: listed by a provider, or configured. */
  isKnownModel(name: string): boolean;
  /** Whose models a provider's are; undefined: nobody's in particular. */
  originOf(provider: string): ProviderOrigin | undefined;
}
