/** The second half of the composition root: the way to providers with a network. It is loaded only where there are any. */
import type { ProviderSettings } from "./config/provider-settings.ts";
import type { Settings } from "./config/settings.ts";
import { toolCallId } from "./lib/ids.ts";
import { VERSION } from "./lib/version.ts";
import { createAnthropic } from "./providers/anthropic/provider.ts";
import { createGoogle } from "./providers/google/provider.ts";
import { makeProviders } from "./providers/make-providers.ts";
import { createOpenAICompatible } from "./providers/openai-compatible/provider.ts";
import type { Logger } from "./telemetry/logger.ts";
import type { Backend } from "./upstream/backend.ts";
import { createHttpBackend } from "./upstream/http-backend.ts";
import { createMediaFetcher, type MediaFetcherOptions } from "./upstream/media-fetcher.ts";
import { createModelList } from "./upstream/model-list.ts";
import { createRecollection } from "./upstream/recollection.ts";
import { createUpstreamClient } from "./upstream/undici-client.ts";
import { createVendorFacts } from "./upstream/vendor-facts.ts";

/** The way to the providers of the settings. */
export interface Upstream {
  /** One for each provider, in the order of the settings. */
  readonly backends: readonly Backend[];
  /** Begins to read the lists of models and the prices, in the background. Before, nobody is called but for a call. */
  start(): void;
  /** Closes all connections, and ends what runs in the background. */
  close(): Promise<void>;
}

/** What tests let a gateway reach besides public addresses. It is no setting: nobody could set it by mistake. */
export type Reach = Pick<MediaFetcherOptions, "allowAddresses">;

const FAMILIES = { openaiCompatible: createOpenAICompatible, anthropic: createAnthropic, google: createGoogle };

/** Opens the way to providers; nobody is called yet. Throws a ConfigError for a provider that can't be made. */
export function openUpstream(
  { providers, mediaFetch, modelListRefreshMs, proxy }: Settings,
  logger?: Logger,
  reach: Reach = {},
): Upstream {
  const userAgent = `parley/${VERSION}`;
  const made = makeProviders(providers, FAMILIES, { newCallId: toolCallId });
  const client = createUpstreamClient({ userAgent, proxies: proxy });
  const media = createMediaFetcher({ ...mediaFetch, ...reach });
  const recollection = createRecollection();
  const parts = made.map(({ provider, furtherKeys }, at) => {
    const { concurrency } = providers[at] as ProviderSettings;
    const facts = createVendorFacts(provider.endpoint.baseUrl);
    const { enrich, cost } = facts;
    const models = createModelList({
      provider,
      furtherKeys,
      client,
      refreshMs: modelListRefreshMs,
      enrich,
      ...(logger === undefined ? {} : { logger }),
    });
    return {
      facts,
      models,
      backend: createHttpBackend({
        provider,
        furtherKeys,
        concurrency,
        client,
        media,
        recollection,
        models,
        cost,
        userAgent,
      }),
    };
  });
  return {
    backends: parts.map(({ backend }) => backend),
    start() {
      for (const { facts, models } of parts) {
        models.start();
        facts.load().catch((error: unknown) => logger?.error({ err: error }, "prices cannot be loaded"));
      }
    },
    async close() {
      for (const { models } of parts) models.close();
      await client.close();
    },
  };
}
