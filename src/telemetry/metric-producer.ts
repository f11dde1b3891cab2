import type { HrTime } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { DataPoint, MetricData, MetricProducer } from "@opentelemetry/sdk-metrics";
import { VERSION } from "../lib/version.ts";
import type { Counter, Histogram } from "./instrument.ts";
import { load } from "./open-telemetry.ts";
import type { Series } from "./series.ts";

/** The scope of all metrics. */
export const SCOPE = { name: "parley", version: VERSION };

/** Whether a reader wants of an instrument what came since it read last, instead of all. At most one reader can want that. */
export type WantsDelta = (type: (Counter | Histogram)["type"]) => boolean;

/** Makes what hands to a reader of OpenTelemetry's SDK what the instruments have counted and measured. */
export async function createProducer(
  instruments: readonly (Counter | Histogram)[],
  resource: Resource,
  wantsDelta: WantsDelta,
): Promise<MetricProducer> {
  const { AggregationTemporality, DataPointType } = await load("@opentelemetry/sdk-metrics");
  const { ValueType } = await load("@opentelemetry/api");
  let readAtMs = 0;

  function dataOf(instrument: Counter | Histogram, nowMs: number): MetricData {
    const isDelta = wantsDelta(instrument.type);
    const common = {
      descriptor: { ...instrument.descriptor, valueType: ValueType.DOUBLE },
      aggregationTemporality: isDelta ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    };
    const period = { fromMs: isDelta ? readAtMs : 0, toMs: nowMs };
    switch (instrument.type) {
      case "COUNTER": {
        const dataPoints = pointsOf(instrument.series, isDelta, period);
        return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
      }
      case "HISTOGRAM": {
        const dataPoints = pointsOf(instrument.series, isDelta, period);
        return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
      }
      default:
        return instrument satisfies never;
    }
  }

  return {
    async collect() {
      const nowMs = Date.now();
      const metrics = instruments.map((it) => dataOf(it, nowMs)).filter(({ dataPoints }) => dataPoints.length > 0);
      readAtMs = nowMs;
      const scopeMetrics = metrics.length === 0 ? [] : [{ scope: SCOPE, metrics }];
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
    },
  };
}

/** What a data point can tell of: from the last reading, or 0, to this one. */
interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

function pointsOf<Value>(
  series: Iterable<Series<Value>>,
  isDelta: boolean,
  { fromMs, toMs }: Period,
): DataPoint<Value>[] {
  const points: DataPoint<Value>[] = [];
  for (const it of series) {
    const value = isDelta ? it.take() : it.total();
    if (value === undefined) continue;
    const { attributes, startMs } = it;
    points.push({ attributes, value, startTime: timeOf(Math.max(startMs, fromMs)), endTime: timeOf(toMs) });
  }
  return points;
}

/** Milliseconds, as OpenTelemetry has them. */
const timeOf = (ms: number): HrTime => [Math.floor(ms / 1000), (ms % 1000) * 1e6];
