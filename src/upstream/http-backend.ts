import { LRUCache } from "lru-cache";
import { GatewayError } from "../errors/gateway-error.ts";
import { UsageSource } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { addressOfUrl } from "../lib/address.ts";
import type { Abilities, MediumRef } from "../providers/provider.ts";
import type { Backend } from "./backend.ts";
import type { HttpBackendOptions } from "./backend-parts.ts";
import { createHttpCall } from "./http-call.ts";

/** Most models whose abilities are kept, and the longest name of one: names are the clients'. */
const MOST_KEPT = 1_000;
const LONGEST_KEPT = 256;

/** Makes a backend of a provider with a network. It takes every model name: which ones there are is the provider's to say. */
export function createHttpBackend(options: HttpBackendOptions): Backend {
  const { provider, furtherKeys = [], concurrency, media, recollection, models, cost } = options;
  const abilities = new LRUCache<string, Abilities>({
    max: MOST_KEPT,
    maxEntrySize: LONGEST_KEPT,
    sizeCalculation: (_abilities, model) => Math.max(model.length, 1),
    memoMethod: (model) => provider.abilitiesOf(model),
  });
  return {
    id: provider.id,
    credentials: 1 + furtherKeys.length,
    concurrency,
    vendor: provider.vendor,
    networked: true,
    address: addressOfUrl(provider.endpoint.baseUrl),
    usageSource: UsageSource.PROVIDER,
    models: () => models.models(),
    has: (model) => model !== "",
    abilitiesOf: (model) => abilities.memo(model),
    ...(cost === undefined ? {} : { cost }),
    plan(call) {
      const { model } = call;
      const memory = recollection.of(call.tenant);
      const restored = memory.restore(provider.id, call.params);
      const refs = provider.mediaToFetch(model, restored);
      if (refs.length > 0 && !media.enabled) throw notFetched(provider.id, refs[0] as MediumRef);
      return createHttpCall({ ...options, recollection: memory }, { ...call, params: restored }, refs);
    },
  };
}

const notFetched = (provider: string, { path }: MediumRef): GatewayError =>
  new GatewayError(
    Reason.UNSUPPORTED_VALUE,
    `${path}: ${provider} does not take addresses here, and the gateway does not fetch them; send it as a data URL, or have media_fetch switched on`,
    { param: path, code: "invalid_image_url" },
  );
