/** The second half of the composition root: the way to providers with a network. It is loaded only where there are any. */
import { isDeepStrictEqual } from "node:util";
import type { ProviderSettings } from "./config/provider-settings.ts";
import type { MediaFetchSettings, ProxySettings, Settings } from "./config/settings.ts";
import { toolCallId } from "./lib/ids.ts";
import { sleep } from "./lib/sleep.ts";
import { VERSION } from "./lib/version.ts";
import { createAnthropic } from "./providers/anthropic/provider.ts";
import { createGoogle } from "./providers/google/provider.ts";
import { type KeyedProvider, makeProviders } from "./providers/make-providers.ts";
import { createOpenAICompatible } from "./providers/openai-compatible/provider.ts";
import type { Logger } from "./telemetry/logger.ts";
import type { Backend } from "./upstream/backend.ts";
import { createHttpBackend } from "./upstream/http-backend.ts";
import type { MediaFetcher } from "./upstream/media.ts";
import { createMediaFetcher, type MediaFetcherOptions } from "./upstream/media-fetcher.ts";
import { createModelList, type ModelList } from "./upstream/model-list.ts";
import { createRecollection, type Sharing } from "./upstream/recollection.ts";
import { createUpstreamClient } from "./upstream/undici-client.ts";
import { createVendorFacts, type VendorFacts } from "./upstream/vendor-facts.ts";

/** The way to providers, for as long as the process lives: connections, and what has to be remembered between calls. */
export interface Upstream {
  /**
   * Makes the providers of these settings; nobody is called yet, and nothing changes for the ones in force. Throws a ConfigError for a
   * provider that can't be made. What comes of it is adopted or discarded before the next is prepared.
   */
  prepare(settings: ProviderSources): ProviderSet;
  /** Closes all connections, and ends what runs in the background. */
  close(): Promise<void>;
}

/** The settings that providers are made of. */
export type ProviderSources = Pick<Settings, "providers" | "mediaFetch" | "modelListRefreshMs">;

/** The providers of one configuration. Those that are as they were before it are the same ones, lists of models and all. */
export interface ProviderSet {
  /** One for each provider, in the order of the settings. */
  readonly backends: readonly Backend[];
  /** Begins to read the lists of models and the prices, in the background. Before, nobody is called but for a call. */
  start(): void;
  /** Resolves when all lists were read or could not be, and after five seconds in any case. Rejects when the signal is aborted. */
  settled(signal: AbortSignal): Promise<void>;
  /** They are in force: the lists of those that are no more are not read again. Calls that are under way there go on. */
  adopt(): void;
  /** They will not be in force: what was made for them is closed. */
  discard(): void;
}

/** What tests let a gateway reach besides public addresses. It is no setting: nobody could set it by mistake. */
export type Reach = Pick<MediaFetcherOptions, "allowAddresses">;

/** What the way to providers is made of besides the settings. */
export interface UpstreamParts {
  readonly logger?: Logger | undefined;
  readonly reach?: Reach | undefined;
  readonly sharing?: Sharing | undefined;
}

const FAMILIES = { openaiCompatible: createOpenAICompatible, anthropic: createAnthropic, google: createGoogle };

/** How long new settings wait for lists of models, without which a model is found only by "provider/model". */
const LISTS_MS = 5_000;

/** All that a provider is made of: while it is the same, so is the provider. Where its section stands makes no difference. */
type Recipe = Omit<ProviderSettings, "place"> & {
  readonly mediaFetch: MediaFetchSettings;
  readonly refreshMs: number;
};

/** A provider with all that belongs to it. */
interface Part {
  readonly recipe: Recipe;
  readonly facts: VendorFacts;
  readonly models: ModelList;
  readonly backend: Backend;
}

/** Opens the way to providers. */
export function openUpstream(proxies: ProxySettings, { logger, reach = {}, sharing }: UpstreamParts = {}): Upstream {
  const userAgent = `parley/${VERSION}`;
  const client = createUpstreamClient({ userAgent, proxies });
  const recollection = createRecollection({ sharing });
  /** The ones in force. */
  let current: readonly Part[] = [];
  /** Those and the ones that are prepared. */
  const open = new Set<Part>();

  const makePart = ({ provider, furtherKeys }: KeyedProvider, recipe: Recipe, media: MediaFetcher): Part => {
    const facts = createVendorFacts(provider.endpoint.baseUrl);
    const { enrich, cost } = facts;
    const models = createModelList({
      provider,
      furtherKeys,
      client,
      refreshMs: recipe.refreshMs,
      enrich,
      ...(logger === undefined ? {} : { logger }),
    });
    const backend = createHttpBackend({
      provider,
      furtherKeys,
      concurrency: recipe.concurrency,
      client,
      media,
      recollection,
      models,
      cost,
      userAgent,
    });
    return { recipe, facts, models, backend };
  };
  const closeAllBut = (kept: readonly Part[]): void => {
    for (const part of open) {
      if (kept.includes(part)) continue;
      part.models.close();
      open.delete(part);
    }
  };

  return {
    prepare(sources) {
      const wanted = sources.providers.map((settings) => {
        const recipe = recipeOf(settings, sources);
        return { settings, recipe, kept: current.find((part) => isDeepStrictEqual(part.recipe, recipe)) };
      });
      const changed = wanted.filter(({ kept }) => kept === undefined).map(({ settings }) => settings);
      const made = new Map(
        makeProviders(changed, FAMILIES, { newCallId: toolCallId }).map((keyed) => [keyed.provider.id, keyed]),
      );
      const media = createMediaFetcher({ ...sources.mediaFetch, ...reach });
      const parts = wanted.map(
        ({ recipe, kept }) => kept ?? makePart(made.get(recipe.id) as KeyedProvider, recipe, media),
      );
      for (const part of parts) open.add(part);
      return {
        backends: parts.map(({ backend }) => backend),
        start() {
          for (const { facts, models } of parts) {
            models.start();
            facts.load().catch((error: unknown) => logger?.error({ err: error }, "prices cannot be loaded"));
          }
        },
        settled: (signal) => settledOrLate(parts, signal),
        adopt() {
          current = parts;
          closeAllBut(current);
        },
        discard: () => closeAllBut(current),
      };
    },
    async close() {
      closeAllBut([]);
      await client.close();
    },
  };
}

function recipeOf(
  { place: _, ...made }: ProviderSettings,
  { mediaFetch, modelListRefreshMs }: ProviderSources,
): Recipe {
  return { ...made, mediaFetch, refreshMs: modelListRefreshMs };
}

async function settledOrLate(parts: readonly Part[], signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  try {
    const late = sleep(LISTS_MS, AbortSignal.any([signal, done.signal]));
    await Promise.race([Promise.all(parts.map(({ models }) => models.settled)), late]);
  } finally {
    done.abort();
  }
}
