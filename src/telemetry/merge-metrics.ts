import type { DataPoint, MetricData, ScopeMetrics } from "@opentelemetry/sdk-metrics";
import { WORST_GAUGES } from "./gauges.ts";

/** The metrics of one process, as they are read. */
export type ReadMetrics = readonly ScopeMetrics[];

type HistogramMetric = Extract<MetricData, { readonly dataPointType: 0 }>;
type HistogramValue = HistogramMetric["dataPoints"][number]["value"];

/**
 * Makes the metrics of all processes of those of each: what is counted and measured is added, and so are gauges, but for those that
 * tell how bad it is, of which the worst counts.
 */
export function mergeMetrics(all: readonly ReadMetrics[]): ReadMetrics {
  const scopes = new Map<string, { readonly scope: ScopeMetrics["scope"]; readonly metrics: MetricData[] }>();
  for (const { scope, metrics } of all.flat()) {
    const known = scopes.get(scope.name);
    if (known === undefined) scopes.set(scope.name, { scope, metrics: [...metrics] });
    else known.metrics.push(...metrics);
  }
  return [...scopes.values()].map(({ scope, metrics }) => ({ scope, metrics: mergeByName(metrics) }));
}

/** What stays true of a process that is gone: what it counted and measured, and not how it stood with it. */
export function countedBy(metrics: ReadMetrics): ReadMetrics {
  return metrics.map(({ scope, metrics: some }) => ({ scope, metrics: some.filter(isCounted) }));
}

/** A sum that only grows, or a histogram: the others are how it stands now. */
const isCounted = (metric: MetricData): boolean => ("isMonotonic" in metric ? metric.isMonotonic : isHistogram(metric));

/** By what its points hold, because the SDK, whose numbers say it, is not loaded everywhere. */
const isHistogram = (metric: MetricData): metric is HistogramMetric => typeof metric.dataPoints[0]?.value === "object";

function mergeByName(metrics: readonly MetricData[]): MetricData[] {
  const byName = new Map<string, MetricData[]>();
  for (const metric of metrics) {
    const { name } = metric.descriptor;
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [metric]);
    else same.push(metric);
  }
  return [...byName.values()].map(mergeAlike);
}

/** Merges the same metric of several processes. One without points says nothing of its kind. */
function mergeAlike(metrics: readonly MetricData[]): MetricData {
  const first = metrics.find(({ dataPoints }) => dataPoints.length > 0) ?? (metrics[0] as MetricData);
  if (isHistogram(first)) {
    const points = metrics.filter(isHistogram).flatMap(({ dataPoints }) => dataPoints);
    return { ...first, dataPoints: mergePoints(points, addHistograms) };
  }
  const points = metrics.flatMap(({ dataPoints }) => dataPoints as DataPoint<number>[]);
  const merge = WORST_GAUGES.has(first.descriptor.name) ? Math.max : (a: number, b: number) => a + b;
  return { ...first, dataPoints: mergePoints(points, merge) } as MetricData;
}

function mergePoints<T>(points: readonly DataPoint<T>[], merge: (a: T, b: T) => T): DataPoint<T>[] {
  const merged = new Map<string, DataPoint<T>>();
  for (const point of points) {
    // Two processes may have written the same attributes in another order.
    const key = JSON.stringify(Object.entries(point.attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = merged.get(key);
    merged.set(key, known === undefined ? point : { ...known, value: merge(known.value, point.value) });
  }
  return [...merged.values()];
}

function addHistograms(a: HistogramValue, b: HistogramValue): HistogramValue {
  const { boundaries, counts } = a.buckets;
  return {
    buckets: { boundaries, counts: counts.map((count, at) => count + (b.buckets.counts[at] ?? 0)) },
    count: a.count + b.count,
    sum: (a.sum ?? 0) + (b.sum ?? 0),
    min: Math.min(a.min ?? Number.POSITIVE_INFINITY, b.min ?? Number.POSITIVE_INFINITY),
    max: Math.max(a.max ?? Number.NEGATIVE_INFINITY, b.max ?? Number.NEGATIVE_INFINITY),
  };
}
