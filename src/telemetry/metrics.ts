import type { Resource } from "@opentelemetry/resources";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import { type Gauges, observeGauges } from "./gauges.ts";
import { CARDINALITY_LIMIT } from "./instrument.ts";
import type { Instruments } from "./instruments.ts";
import type { ReadMetrics } from "./merge-metrics.ts";
import { createProducer, SCOPE } from "./metric-producer.ts";
import { load } from "./open-telemetry.ts";
import { describeService, describeWhole, type Member } from "./resource.ts";
import type { MetricSettings } from "./signal-settings.ts";

/** What reads the metrics of this process. */
export interface Metrics {
  /** All of them, in Prometheus' text format. */
  scrape(): Promise<string>;
  /** Reads those of this process alone. */
  read(): Promise<ReadMetrics>;
  /** Sends them to the collector, where there is one, for the last time. */
  close(): Promise<void>;
}

/** How long one sending may take, in milliseconds, where nothing else is said: the SDK's own default. */
const EXPORT_TIMEOUT_MS = 30_000;
const INTERVAL_MS = 60_000;

/** Where this process is one of several that serve as one. */
export interface Membership {
  readonly member: Member;
  /** Reads the metrics of all of them, this one's included, as one. */
  readWhole(): Promise<ReadMetrics>;
}

/**
 * Loads the SDK and has it read the instruments and the gauges. `settings`: how what it reads is sent to a collector; undefined: to none.
 */
export async function openMetrics(
  settings: MetricSettings | undefined,
  instruments: Instruments,
  gauges: Gauges,
  membership?: Membership,
): Promise<Metrics> {
  const resource = await describeService(membership?.member);
  const whole = membership === undefined ? resource : await describeWhole(membership.member);
  const { MeterProvider, MetricReader } = await load("@opentelemetry/sdk-metrics");
  const { PrometheusSerializer } = await load("@opentelemetry/exporter-prometheus");
  /** Reads when it is asked to, and has nothing to close. */
  class ScrapeReader extends MetricReader {
    protected override onForceFlush(): Promise<void> {
      return Promise.resolve();
    }
    protected override onShutdown(): Promise<void> {
      return Promise.resolve();
    }
  }
  const scraped = new ScrapeReader({
    cardinalitySelector: () => CARDINALITY_LIMIT,
    metricProducers: [await createProducer(Object.values(instruments), resource, () => false)],
  });
  const readers: IMetricReader[] = [scraped];
  if (settings !== undefined) readers.push(await openPusher(settings, instruments, resource));
  const provider = new MeterProvider({ resource, readers });
  observeGauges(provider.getMeter(SCOPE.name, SCOPE.version), gauges);
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const read = async (): Promise<ReadMetrics> => (await scraped.collect()).resourceMetrics.scopeMetrics;
  const readWhole = membership === undefined ? read : () => membership.readWhole();
  return {
    read,
    scrape: async () => serializer.serialize({ resource: whole, scopeMetrics: [...(await readWhole())] }),
    close: () => provider.shutdown(),
  };
}

/** Sends metrics from time to time. Where to, and how, the exporter reads from the variables OTEL_EXPORTER_OTLP_… itself. */
async function openPusher(
  { intervalMs = INTERVAL_MS, exportTimeoutMs }: MetricSettings,
  instruments: Instruments,
  resource: Resource,
): Promise<IMetricReader> {
  const { AggregationTemporality, InstrumentType, PeriodicExportingMetricReader } =
    await load("@opentelemetry/sdk-metrics");
  const { OTLPMetricExporter } = await load("@opentelemetry/exporter-metrics-otlp-proto");
  const exporter = new OTLPMetricExporter();
  const producer = await createProducer(
    Object.values(instruments),
    resource,
    (type) => exporter.selectAggregationTemporality(InstrumentType[type]) === AggregationTemporality.DELTA,
  );
  return new PeriodicExportingMetricReader({
    exporter,
    metricProducers: [producer],
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(exportTimeoutMs ?? EXPORT_TIMEOUT_MS, intervalMs),
    cardinalityLimits: { default: CARDINALITY_LIMIT },
  });
}
