import { create } from "@bufbuild/protobuf";
import type { ModelInfo, ModelPrice, PriceCalculation, Provider as Vendor } from "@pydantic/genai-prices";
import { LRUCache } from "lru-cache";
import { ServiceTier } from "../gen/parley/chat/v1/completion_pb.ts";
import { type Pricing, PricingSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Consumption } from "./backend.ts";
import { type Counts, countsOf, isCountable } from "./price-counts.ts";

/** The package that has the prices. */
export type PricePackage = typeof import("@pydantic/genai-prices");

/** What the package knows of a model. */
interface PricedModel {
  readonly contextWindow: number | undefined;
  readonly pricing: Pricing | undefined;
}

/** The list prices of one vendor. */
export interface VendorPrices {
  /** Context window and prices of a model; undefined where it is not known. */
  factsOf(model: string): PricedModel | undefined;
  /** What a call cost, in nano-dollars; undefined where a price or a count is not known. */
  cost(consumption: Consumption): bigint | undefined;
}

/** Looks prices up in the package, and has it calculate what calls cost. */
export function createVendorPrices(pricePackage: PricePackage, vendor: Vendor): VendorPrices {
  return new Prices(pricePackage, vendor);
}

/** How many models' prices are kept at hand. Finding them takes a look at up to 700 patterns. */
const KEPT_MODELS = 1_000;

/** Tiers that are billed at list prices. */
const LIST_PRICE_TIERS: ReadonlySet<ServiceTier> = new Set([
  ServiceTier.UNSPECIFIED,
  ServiceTier.AUTO,
  ServiceTier.DEFAULT,
]);

class Prices implements VendorPrices {
  readonly #package: PricePackage;
  readonly #vendor: Vendor;
  /** By name of the model, a vendor of that model alone; null: its price is not known. */
  readonly #found = new LRUCache<string, { readonly vendor: Vendor | null }>({ max: KEPT_MODELS });

  constructor(pricePackage: PricePackage, vendor: Vendor) {
    this.#package = pricePackage;
    this.#vendor = vendor;
  }

  factsOf(model: string): PricedModel | undefined {
    const info = this.#vendorOf(model)?.models[0];
    if (info === undefined) return undefined;
    // Prices that change with the time are left to the package; it is slow for a list of many models.
    const prices = Array.isArray(info.prices) ? this.#calculate({}, model)?.model_price : info.prices;
    return { contextWindow: info.context_window, pricing: prices && pricingOf(prices) };
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
  #calculate(counts: Counts, model: string): PriceCalculation | undefined {
    try {
      const provider = this.#vendorOf(model);
      if (provider === null) return undefined;
      return this.#package.calcPrice(counts, model, { provider }) ?? undefined;
    } catch {
      // For example more tokens from the cache than there were at all: whatever they cost, it can't be said.
      return undefined;
    }
  }

  #vendorOf(model: string): Vendor | null {
    const kept = this.#found.get(model);
    if (kept !== undefined) return kept.vendor;
    const info = this.#package.calcPrice({}, model, { providerId: this.#vendor.id })?.model;
    const vendor = info === undefined ? null : vendorOfOne(this.#vendor, info);
    this.#found.set(model, { vendor });
    return vendor;
  }
}

const vendorOfOne = ({ id, name, api_pattern }: Vendor, info: ModelInfo): Vendor => ({
  id,
  name,
  api_pattern,
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
