import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Medium, MediumRef } from "../providers/provider.ts";
import { fetchMedium } from "./fetch-medium.ts";
import type { MediaFetcher } from "./media.ts";
import { mediaRefusal } from "./media-refusal.ts";
import { createPublicAgent } from "./public-agent.ts";

/** What a media fetcher may do. */
export interface MediaFetcherOptions {
  /** Whether media are fetched at all. */
  readonly enabled: boolean;
  /** Most bytes of one medium; a provider may want fewer. */
  readonly maxBytes: number;
  /** Most bytes of all media of one request; by default 64 MiB, or `maxBytes` where that is more. */
  readonly maxTotalBytes?: number;
  /** Time for one medium, redirects included, in milliseconds. */
  readonly timeoutMs: number;
  /** Addresses that are connected to though they are not public, each in full: "127.0.0.1". For tests. */
  readonly allowAddresses?: readonly string[];
  /** Resolves names; by default as the system does. For tests. */
  readonly lookup?: LookupFunction;
}

/** Media of one request that are fetched at once. */
const AT_ONCE = 4;
const TOTAL_BYTES = 64 * 1024 * 1024;

/** Makes a fetcher of media, which connects to public addresses only. */
export function createMediaFetcher(options: MediaFetcherOptions): MediaFetcher {
  const { enabled, maxBytes, timeoutMs } = options;
  const maxTotalBytes = options.maxTotalBytes ?? Math.max(TOTAL_BYTES, maxBytes);
  const agent = createPublicAgent({ allowAddresses: options.allowAddresses ?? [], lookup: options.lookup ?? lookup });

  return {
    enabled,
    async fetch(refs, signal) {
      signal.throwIfAborted();
      const [first] = refs;
      if (first === undefined) return NOTHING;
      if (!enabled) {
        throw mediaRefusal(
          first.path,
          "the model wants the data itself, and this gateway fetches none; send a data URL",
        );
      }
      let left = maxTotalBytes;
      const take = (bytes: number): boolean => {
        left -= bytes;
        return left >= 0;
      };
      const media = new Map<string, Medium>();
      const queue = strictestByUrl(refs, maxBytes);
      await together(Math.min(AT_ONCE, queue.length), signal, async (both) => {
        for (let ref = queue.shift(); ref !== undefined; ref = queue.shift()) {
          media.set(ref.url, await fetchMedium(ref, agent, { maxBytes: ref.maxBytes, timeoutMs, take }, both));
        }
      });
      return media;
    },
  };
}

const NOTHING: ReadonlyMap<string, Medium> = new Map();

/** One reference an address, the one that allows the fewest bytes: if it gets the medium, all do. */
function strictestByUrl(refs: readonly MediumRef[], maxBytes: number): Required<MediumRef>[] {
  const byUrl = new Map<string, Required<MediumRef>>();
  for (const ref of refs) {
    const most = Math.min(ref.maxBytes ?? maxBytes, maxBytes);
    const before = byUrl.get(ref.url);
    if (before === undefined || most < before.maxBytes) byUrl.set(ref.url, { ...ref, maxBytes: most });
  }
  return [...byUrl.values()];
}

/** Runs a number of workers. The first one that fails ends the others, and the outer signal ends all. */
async function together(count: number, signal: AbortSignal, work: (both: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const aborted = (): void => stop.abort(signal.reason);
  signal.addEventListener("abort", aborted, { once: true });
  try {
    await Promise.all(Array.from({ length: count }, () => work(stop.signal)));
  } finally {
    signal.removeEventListener("abort", aborted);
    stop.abort();
  }
}
