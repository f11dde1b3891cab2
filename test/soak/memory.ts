import { median } from "../bench/median.ts";
import type { TimedSample } from "./soak.ts";

/** Time in which caches fill, and which is not looked at, in milliseconds. */
const WARM_UP_MS = 60_000;
/** What the last third may be above the first: a tenth, and 2 MB. */
const MARGIN = { share: 0.1, bytes: 2 * 2 ** 20 };

/** The heap in the first and in the last third of the time after the warm-up: medians, in bytes. */
export function thirdsOf(
  samples: readonly TimedSample[],
): { readonly first: number; readonly last: number } | undefined {
  const heaps = samples.filter(({ at }) => at >= WARM_UP_MS).map(({ heapUsed }) => heapUsed);
  const third = Math.floor(heaps.length / 3);
  if (third < 3) return undefined;
  return { first: median(heaps.slice(0, third)), last: median(heaps.slice(-third)) };
}

/** Says that the heap has grown, where it has. A soak that is too short to tell says nothing. */
export function growthOf(samples: readonly TimedSample[]): string | undefined {
  const thirds = thirdsOf(samples);
  if (thirds === undefined || thirds.last <= thirds.first * (1 + MARGIN.share) + MARGIN.bytes) return undefined;
  const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  return `the heap has grown from ${mb(thirds.first)} to ${mb(thirds.last)}`;
}
