import { setImmediate as nextTurn } from "node:timers/promises";
import { clone } from "@bufbuild/protobuf";
import type { Provider as Vendor } from "@pydantic/genai-prices";
import { type Model, ModelSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import { abilitiesOf } from "../providers/model-abilities.ts";
import type { Consumption } from "./backend.ts";
import type { PricePackage, VendorPrices } from "./vendor-prices.ts";

/** What is known of a vendor's models without asking it: context windows, what they read and say, list prices. */
export interface VendorFacts {
  /** Loads what there is to know, where that has not begun: about one MiB, which holds up everything for a moment. */
  load(): Promise<void>;
  /** Loads it, too, and adds what is known of models to what their provider says of them, which is never replaced. Makes new ones. */
  enrich(models: readonly Model[]): Promise<readonly Model[]>;
  /** What a call cost, in nano-dollars; undefined where a price or a count is not known, or while the prices are not loaded. */
  cost(consumption: Consumption): bigint | undefined;
}

/** How many models are looked up in one go: a long list may have more than is to hold up everybody. */
const AT_ONCE = 50;

/**
 * Gives what is known of whoever serves at this address. Of an address that is nobody's in particular, such as a private one, nothing
 * is known.
 */
export function createVendorFacts(baseUrl: string): VendorFacts {
  let loading: Promise<void> | undefined;
  let known: { readonly vendor: string; readonly prices: VendorPrices } | undefined;
  const load = (): Promise<void> => {
    loading ??= Promise.all([import("@pydantic/genai-prices"), import("./vendor-prices.ts")]).then(
      ([pricePackage, { createVendorPrices }]) => {
        const vendor = findVendor(pricePackage, baseUrl);
        if (vendor !== undefined) known = { vendor: vendor.id, prices: createVendorPrices(pricePackage, vendor) };
      },
    );
    return loading;
  };
  return {
    load,
    async enrich(models) {
      await load();
      if (known === undefined) return models;
      const enriched: Model[] = [];
      for (const model of models) {
        enriched.push(withFacts(model, known.vendor, known.prices));
        if (enriched.length % AT_ONCE === 0) await nextTurn();
      }
      return enriched;
    },
    cost: (consumption) => known?.prices.cost(consumption),
  };
}

/** The vendor whose pattern the address begins with; a name that merely goes on in the address is another host's. */
function findVendor({ findProvider }: PricePackage, baseUrl: string): Vendor | undefined {
  const vendor = findProvider({ providerApiUrl: baseUrl });
  if (vendor === undefined) return undefined;
  const [begin = ""] = new RegExp(`^(?:${vendor.api_pattern})`).exec(baseUrl) ?? [];
  const isWhole = begin.endsWith(".") || !/^[\w.-]/.test(baseUrl.slice(begin.length));
  return isWhole ? vendor : undefined;
}

function withFacts(listed: Model, vendor: string, prices: VendorPrices): Model {
  const model = clone(ModelSchema, listed);
  const priced = prices.factsOf(model.id);
  if (priced?.contextWindow !== undefined) model.contextWindow ??= priced.contextWindow;
  if (priced?.pricing !== undefined) model.pricing ??= priced.pricing;
  const abilities = abilitiesOf(vendor, model.id);
  if (abilities === undefined) return model;
  if (model.inputModalities.length === 0) model.inputModalities = [...abilities.input];
  if (model.outputModalities.length === 0) model.outputModalities = [...abilities.output];
  if (abilities.tools !== undefined) model.tools ??= abilities.tools;
  return model;
}
