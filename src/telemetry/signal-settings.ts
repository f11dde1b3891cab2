/** Which traces are kept, as OTEL_TRACES_SAMPLER says it. */
export const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/** One of them. */
export type SamplerName = (typeof SAMPLERS)[number];

/** How traces are made and sent. Undefined stands for what OpenTelemetry's SDK does by default. */
export interface TraceSettings {
  readonly sampler: SamplerName;
  /** Share of the traces that a sampler by ratio keeps, 0 to 1. */
  readonly ratio: number;
  /** Longest time that a span waits to be sent with others. */
  readonly delayMs: number | undefined;
  /** How long one sending may take. */
  readonly exportTimeoutMs: number | undefined;
  /** Most spans that wait; further ones are lost. */
  readonly maxQueueSize: number | undefined;
  /** Most spans that are sent at once. */
  readonly maxBatchSize: number | undefined;
}

/** How metrics are sent. Undefined stands for what OpenTelemetry's SDK does by default. */
export interface MetricSettings {
  /** Time between two sendings. */
  readonly intervalMs: number | undefined;
  /** How long one sending may take. */
  readonly exportTimeoutMs: number | undefined;
}

/** What is sent to a collector; undefined: nothing. */
export interface SignalSettings {
  readonly traces: TraceSettings | undefined;
  readonly metrics: MetricSettings | undefined;
}
