import type { Settings } from "../config/settings.ts";

/** Connections to PostgreSQL of all workers together, and the least that each needs. */
const CONNECTIONS = 10;
const LEAST_CONNECTIONS = 2;

/** How many connections to PostgreSQL one of so many workers may have at once. */
export const connectionsOfOne = (workers: number): number =>
  Math.max(LEAST_CONNECTIONS, Math.floor(CONNECTIONS / workers));

/**
 * The settings of one worker, from 1: what bounds all of them together is divided, so that the sum is what it was. Each has at least one
 * place at each model. Connections are counted where they are accepted.
 */
export function shareOfWorker(settings: Settings, worker: number): Settings {
  const { workers, runs, providers } = settings;
  const share = (whole: number): number => Math.floor(whole / workers) + (worker <= whole % workers ? 1 : 0);
  return {
    ...settings,
    runs: { ...runs, workers: share(runs.workers) },
    providers: providers.map(({ concurrency: { maxInFlight, maxQueue }, ...provider }) => ({
      ...provider,
      concurrency: { maxInFlight: Math.max(1, share(maxInFlight)), maxQueue: share(maxQueue) },
    })),
  };
}
