import { within } from "../admission/within.ts";
import { countedBy, mergeMetrics, type ReadMetrics } from "../telemetry/merge-metrics.ts";

/** Somebody whose metrics are read. */
export interface MetricSource {
  readMetrics(): Promise<ReadMetrics>;
}

/** The metrics of all workers as one. What a worker has counted stays counted when it is gone, so that no counter falls. */
export interface MetricPool {
  /** Reads all of them now. Of one that does not answer, what it told last is taken. */
  read(sources: Iterable<MetricSource>): Promise<ReadMetrics>;
  /** One is gone. What it has counted since it was read last is lost. */
  remove(source: MetricSource): void;
}

/** How long a worker may take to answer. */
const ANSWER_MS = 2_000;

/** Makes an empty pool. */
export function createMetricPool(answerMs = ANSWER_MS): MetricPool {
  const last = new WeakMap<MetricSource, ReadMetrics>();
  const gone = new WeakSet<MetricSource>();
  let past: ReadMetrics = [];

  async function readOne(source: MetricSource): Promise<void> {
    try {
      const metrics = await within(source.readMetrics(), answerMs, () => new Error("the worker does not answer"));
      if (!gone.has(source)) last.set(source, metrics);
    } catch {
      // It is busy, or it has ended.
    }
  }

  return {
    async read(sources) {
      const asked = [...sources];
      await Promise.all(asked.map(readOne));
      return mergeMetrics([past, ...asked.map((source) => (gone.has(source) ? [] : (last.get(source) ?? [])))]);
    },
    remove(source) {
      gone.add(source);
      past = mergeMetrics([past, countedBy(last.get(source) ?? [])]);
      last.delete(source);
    },
  };
}
