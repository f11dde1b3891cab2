import type { IncomingHttpHeaders } from "node:http";
import type { Context, Span, SpanOptions } from "@opentelemetry/api";
import type { Sampler } from "@opentelemetry/sdk-trace";
import { VERSION } from "../lib/version.ts";
import { load } from "./open-telemetry.ts";
import { describeService, type Member } from "./resource.ts";
import type { TraceSettings } from "./signal-settings.ts";

/** The way to make spans. */
export interface Traces {
  /** The trace that a request belongs to by its headers `traceparent` and `tracestate`, or none. */
  incoming(headers: IncomingHttpHeaders): Context;
  /** Begins a span within the context. */
  start(name: string, options: SpanOptions, context: Context): Span;
  /** The context of what is done within a span. */
  within(span: Span, context: Context): Context;
  /** Sends what was not sent yet. */
  close(): Promise<void>;
}

/** Loads the SDK and opens the way to make spans. Where to they are sent, the exporter reads from OTEL_EXPORTER_OTLP_… itself. */
export async function openTraces(settings: TraceSettings, member?: Member): Promise<Traces> {
  const { defaultTextMapGetter, ROOT_CONTEXT, trace } = await load("@opentelemetry/api");
  const { W3CTraceContextPropagator } = await load("@opentelemetry/core");
  const resource = await describeService(member);
  const { BatchSpanProcessor, TracerProvider } = await load("@opentelemetry/sdk-trace");
  const { OTLPTraceExporter } = await load("@opentelemetry/exporter-trace-otlp-proto");
  const { delayMs, exportTimeoutMs, maxQueueSize, maxBatchSize } = settings;
  const processor = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    ...(delayMs === undefined ? {} : { scheduledDelayMillis: delayMs }),
    ...(exportTimeoutMs === undefined ? {} : { exportTimeoutMillis: exportTimeoutMs }),
    ...(maxQueueSize === undefined ? {} : { maxQueueSize }),
    ...(maxBatchSize === undefined ? {} : { maxExportBatchSize: maxBatchSize }),
  });
  const provider = new TracerProvider({
    resource,
    sampler: await createSampler(settings),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("parley", VERSION);
  const propagator = new W3CTraceContextPropagator();
  return {
    incoming: (headers) => propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter),
    start: (name, options, context) => tracer.startSpan(name, options, context),
    within: (span, context) => trace.setSpan(context, span),
    close: () => provider.shutdown(),
  };
}

async function createSampler({ sampler, ratio }: TraceSettings): Promise<Sampler> {
  const { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler } =
    await load("@opentelemetry/sdk-trace");
  switch (sampler) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return sampler satisfies never;
  }
}
