import { clone, create } from "@bufbuild/protobuf";
import type { ModelInfo, ModelPrice, PriceCalculation, Provider } from "@pydantic/genai-prices";
import { LRUCache } from "lru-cache";
import { ServiceTier } from "../gen/parley/chat/v1/completion_pb.ts";
import { type Model, ModelSchema, type Pricing, PricingSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Consumption } from "./backend.ts";
import { countsOf, isCountable } from "./price-counts.ts";

/** What is known of the models of one provider without asking it: list prices and context windows. */
export interface PriceList {
  /** Adds what is known of models to what their provider says of them, which is never replaced. Makes new ones. */
  enrich(models: readonly Model[]): Promise<readonly Model[]>;
  /** What a call cost, in nano-dollars; undefined where a price or a count is not known, or the prices are not loaded yet. */
  cost(consumption: Consumption): bigint | undefined;
}

type PricePackage = typeof import("@pydantic/genai-prices");

/**
 * Makes the price list of the provider at this address, and loads the prices in the background. They have about one MiB, so nobody
 * who has no provider should need them. Of an address that is nobody's in particular, such as a private one, nothing is known.
 */
export function createPriceList(baseUrl: string): PriceList {
  let prices: ProviderPrices | undefined;
  const loaded = import("@pydantic/genai-prices").then((pricePackage) => {
    const provider = findProvider(pricePackage, baseUrl);
    if (provider !== undefined) prices = new ProviderPrices(pricePackage, provider);
  });
  return {
    async enrich(models) {
      await loaded;
      return models.map((model) => withFacts(model, prices?.factsOf(model.id)));
    },
    cost: (consumption) => prices?.cost(consumption),
  };
}

/** The provider whose pattern the address begins with; a name that merely goes on in the address is another host's. */
function findProvider({ findProvider: find }: PricePackage, baseUrl: string): Provider | undefined {
  const provider = find({ providerApiUrl: baseUrl });
  if (provider === undefined) return undefined;
  const [begin = ""] = new RegExp(`^(?:${provider.api_pattern})`).exec(baseUrl) ?? [];
  const isWhole = begin.endsWith(".") || !/^[\w.-]/.test(baseUrl.slice(begin.length));
  return isWhole ? provider : undefined;
}

/** What is known of a model. */
interface ModelFacts {
  readonly contextWindow: number | undefined;
  readonly pricing: Pricing | undefined;
}

/** How many models' prices are kept at hand. Finding them takes a look at up to 700 patterns. */
const KEPT_MODELS = 1_000;

/** Tiers that are billed at list prices. */
const LIST_PRICE_TIERS: ReadonlySet<ServiceTier> = new Set([
  ServiceTier.UNSPECIFIED,
  ServiceTier.AUTO,
  ServiceTier.DEFAULT,
]);

class ProviderPrices {
  readonly #package: PricePackage;
  readonly #provider: Provider;
  /** By the provider's name of the model, a provider of that model alone; null: its price is not known. */
  readonly #found = new LRUCache<string, { readonly provider: Provider | null }>({ max: KEPT_MODELS });

  constructor(pricePackage: PricePackage, provider: Provider) {
    this.#package = pricePackage;
    this.#provider = provider;
  }

  factsOf(model: string): ModelFacts | undefined {
    const found = this.#calculate({}, model);
    return found && { contextWindow: found.model.context_window, pricing: pricingOf(found.model_price) };
  }

  cost({ model, answeredBy, usage, serviceTier }: Consumption): bigint | undefined {
    if (!LIST_PRICE_TIERS.has(serviceTier)) return undefined;
    const counts = countsOf(usage);
    const found =
      (answeredBy === undefined ? undefined : this.#calculate(counts, answeredBy)) ?? this.#calculate(counts, model);
    if (found === undefined || !isCountable(found.model_price, counts)) return undefined;
    return nanoDollars(found.total_price);
  }

  /** Calculates a price; undefined where the model is not known, or the counts don't go together. */
  #calculate(counts: Readonly<Record<string, number>>, model: string): PriceCalculation | undefined {
    const provider = this.#providerOf(model);
    if (provider === null) return undefined;
    try {
      return this.#package.calcPrice(counts, model, { provider }) ?? undefined;
    } catch {
      // For example more tokens from the cache than there were at all: whatever they cost, it can't be said.
      return undefined;
    }
  }

  #providerOf(model: string): Provider | null {
    const kept = this.#found.get(model);
    if (kept !== undefined) return kept.provider;
    const info = this.#package.calcPrice({}, model, { providerId: this.#provider.id })?.model;
    const provider = info === undefined ? null : providerOfOne(this.#provider, info);
    this.#found.set(model, { provider });
    return provider;
  }
}

const providerOfOne = (provider: Provider, info: ModelInfo): Provider => ({
  id: provider.id,
  name: provider.name,
  api_pattern: provider.api_pattern,
  models: [{ ...info, match: { starts_with: "" } }],
});

/** Prices for a million tokens: those of a short prompt, now. Undefined where there is none for messages or answers. */
function pricingOf({ input_mtok, cache_read_mtok, cache_write_mtok, output_mtok }: ModelPrice): Pricing | undefined {
  if (input_mtok === undefined || output_mtok === undefined) return undefined;
  const cacheRead = cache_read_mtok === undefined ? {} : { cacheRead: nanoDollars(base(cache_read_mtok)) };
  const cacheWrite = cache_write_mtok === undefined ? {} : { cacheWrite: nanoDollars(base(cache_write_mtok)) };
  return create(PricingSchema, {
    input: nanoDollars(base(input_mtok)),
    output: nanoDollars(base(output_mtok)),
    ...cacheRead,
    ...cacheWrite,
  });
}

const base = (price: NonNullable<ModelPrice[string]>): number => (typeof price === "number" ? price : price.base);

/** Whole nano-dollars; 15 digits are those that the arithmetic of numbers gets right. */
const nanoDollars = (dollars: number): bigint => BigInt(Math.round(Number((dollars * 1e9).toPrecision(15))));

function withFacts(model: Model, facts: ModelFacts | undefined): Model {
  const copy = clone(ModelSchema, model);
  if (facts?.contextWindow !== undefined) copy.contextWindow ??= facts.contextWindow;
  if (facts?.pricing !== undefined) copy.pricing ??= facts.pricing;
  return copy;
}
