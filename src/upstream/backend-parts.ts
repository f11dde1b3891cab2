import type { ConcurrencySettings } from "../config/provider-settings.ts";
import type { Provider } from "../providers/provider.ts";
import type { Backend } from "./backend.ts";
import type { UpstreamClient } from "./client.ts";
import type { MediaFetcher } from "./media.ts";
import type { ModelList } from "./model-list.ts";
import type { Recollections } from "./recollection.ts";

/** What a backend with a network is made of. */
export interface HttpBackendOptions {
  readonly provider: Provider;
  /** The same provider with its further keys; unset: there is one key, or none. */
  readonly furtherKeys?: readonly Provider[];
  /** How many calls each of its models gets at once. */
  readonly concurrency: ConcurrencySettings;
  readonly client: UpstreamClient;
  readonly media: MediaFetcher;
  readonly recollection: Pick<Recollections, "of">;
  readonly models: Pick<ModelList, "models">;
  /** What its calls cost; unset: that is not known. */
  readonly cost?: Backend["cost"];
  /** What its requests say of their sender, for descriptions of them; the client's own. */
  readonly userAgent: string;
}
