import type { Attributes } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import { AggregationTemporality, MeterProvider, type MetricData, MetricReader } from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CARDINALITY_LIMIT, Counter, Histogram } from "../../src/telemetry/instrument.ts";
import { createProducer } from "../../src/telemetry/metric-producer.ts";

const COUNTER = { name: "count", unit: "{thing}", description: "Things." };
const HISTOGRAM = { name: "measure", unit: "s", description: "Times." };
const BOUNDARIES = [0.125, 1, 2, 64];
const ATTRIBUTES: readonly Attributes[] = [{}, { a: "x" }, { a: "y" }, { a: "x", b: 1 }];

class Reader extends MetricReader {
  protected override onForceFlush = async (): Promise<void> => undefined;
  protected override onShutdown = async (): Promise<void> => undefined;
}

const TEMPORALITIES = { delta: AggregationTemporality.DELTA, cumulative: AggregationTemporality.CUMULATIVE };

/** The same instruments twice: ours, and those of the SDK. */
async function createBoth() {
  const counter = new Counter(COUNTER);
  const histogram = new Histogram(HISTOGRAM, BOUNDARIES);
  const readers = {
    delta: new Reader({ aggregationTemporalitySelector: () => TEMPORALITIES.delta }),
    cumulative: new Reader({ aggregationTemporalitySelector: () => TEMPORALITIES.cumulative }),
  };
  const meter = new MeterProvider({ readers: Object.values(readers) }).getMeter("parley");
  const sdkCounter = meter.createCounter(COUNTER.name, COUNTER);
  const advice = { explicitBucketBoundaries: BOUNDARIES };
  const sdkHistogram = meter.createHistogram(HISTOGRAM.name, { ...HISTOGRAM, advice });
  const producers = {
    delta: await createProducer([counter, histogram], emptyResource(), () => true),
    cumulative: await createProducer([counter, histogram], emptyResource(), () => false),
  };
  return {
    count(attributes: Attributes, value: number) {
      counter.at(attributes).add(value);
      sdkCounter.add(value, attributes);
    },
    measure(attributes: Attributes, value: number) {
      histogram.at(attributes).record(value);
      sdkHistogram.record(value, attributes);
    },
    async read(temporality: keyof typeof TEMPORALITIES) {
      const [ours, theirs] = await Promise.all([producers[temporality].collect(), readers[temporality].collect()]);
      return { ours: shown(ours.resourceMetrics.scopeMetrics), theirs: shown(theirs.resourceMetrics.scopeMetrics) };
    },
  };
}

/** What a reader was told, but for times, in an order of its own. */
const shown = (scopes: readonly { readonly metrics: readonly MetricData[] }[]): unknown[] =>
  scopes
    .flatMap(({ metrics }) => metrics)
    .map(({ descriptor: { name, unit, description, valueType }, dataPoints, ...rest }) => ({
      ...rest,
      descriptor: { name, unit, description, valueType },
      dataPoints: dataPoints
        .map(({ attributes, value }) => ({ attributes, value }))
        .toSorted((a, b) => (JSON.stringify(a.attributes) < JSON.stringify(b.attributes) ? -1 : 1)),
    }));

describe("createProducer()", () => {
  it("tells what the SDK's own instruments would have told", async () => {
    const attributes = fc.constantFrom(...ATTRIBUTES);
    const step = fc.oneof(
      fc.record({ kind: fc.constant("count" as const), attributes, value: fc.integer({ min: 1, max: 5 }) }),
      // Eighths add up exactly, in whatever order.
      fc.record({ kind: fc.constant("measure" as const), attributes, value: fc.integer({ min: 0, max: 800 }) }),
      fc.record({ kind: fc.constant("read" as const), temporality: fc.constantFrom("delta", "cumulative") }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const both = await createBoth();
        for (const it of steps) {
          if (it.kind === "count") both.count(it.attributes, it.value);
          else if (it.kind === "measure") both.measure(it.attributes, it.value / 8);
          else {
            const { ours, theirs } = await both.read(it.temporality);
            expect(ours).toEqual(theirs);
          }
        }
      }),
    );
  });

  it("begins a point with its first measurement, or with the last reading of what came since", async () => {
    const counter = new Counter(COUNTER);
    const delta = await createProducer([counter], emptyResource(), () => true);
    const cumulative = await createProducer([counter], emptyResource(), () => false);
    const point = async (producer: typeof delta) => {
      const { scopeMetrics } = (await producer.collect()).resourceMetrics;
      const { startTime, endTime } = scopeMetrics[0]!.metrics[0]!.dataPoints[0]!;
      const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1000 + nanos / 1e6;
      return { start: ms(startTime), end: ms(endTime) };
    };
    const before = Date.now();
    counter.at({}).add(1);
    const first = await point(delta);
    expect(first.start).toBeGreaterThanOrEqual(before);
    expect(first.start).toBeLessThanOrEqual(first.end);
    counter.at({}).add(1);
    expect((await point(delta)).start).toBe(first.end);
    expect((await point(cumulative)).start).toBe(first.start);
  });

  it("keeps apart as many combinations as the bound allows, for good", async () => {
    const counter = new Counter(COUNTER);
    const producer = await createProducer([counter], emptyResource(), () => false);
    for (let at = 0; at < CARDINALITY_LIMIT + 10; at++) counter.at({ at }).add(1);
    await producer.collect();
    for (let at = 0; at < CARDINALITY_LIMIT + 10; at++) counter.at({ at }).add(1);
    const { dataPoints } = (await producer.collect()).resourceMetrics.scopeMetrics[0]!.metrics[0]!;
    expect(dataPoints).toHaveLength(CARDINALITY_LIMIT);
    expect(dataPoints[0]).toMatchObject({ attributes: { at: 0 }, value: 2 });
    expect(dataPoints.at(-1)).toMatchObject({ attributes: { "otel.metric.overflow": true }, value: 22 });
  });
});
