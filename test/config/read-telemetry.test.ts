import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/config/environment.ts";
import { readTelemetry } from "../../src/config/read-telemetry.ts";
import type { MetricSettings, SignalSettings, TraceSettings } from "../../src/telemetry/signal-settings.ts";
import { loadText, problemsOf } from "./load.ts";

const TRACES: TraceSettings = {
  sampler: "parentbased_always_on",
  ratio: 1,
  delayMs: undefined,
  exportTimeoutMs: undefined,
  maxQueueSize: undefined,
  maxBatchSize: undefined,
};
const METRICS: MetricSettings = { intervalMs: undefined, exportTimeoutMs: undefined };
const BOTH: SignalSettings = { traces: TRACES, metrics: METRICS };
const AT = "http://127.0.0.1:4318";
const ALL = { OTEL_EXPORTER_OTLP_ENDPOINT: AT };

describe("readTelemetry()", () => {
  it.each<[what: string, env: Environment, settings: Partial<SignalSettings>]>([
    ["nothing without an endpoint", { OTEL_TRACES_EXPORTER: "otlp" }, {}],
    ["nothing of an empty one", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, {}],
    ["an endpoint of both", ALL, BOTH],
    ["an endpoint of traces", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: AT }, { traces: TRACES }],
    ["an endpoint of metrics", { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: AT }, { metrics: METRICS }],
    ["nothing where it is disabled", { ...ALL, OTEL_SDK_DISABLED: "True" }, {}],
    ["metrics alone", { ...ALL, OTEL_TRACES_EXPORTER: "none" }, { metrics: METRICS }],
    ["traces alone", { ...ALL, OTEL_METRICS_EXPORTER: "none" }, { traces: TRACES }],
    ["one exporter of several", { ...ALL, OTEL_METRICS_EXPORTER: "console, otlp" }, BOTH],
    ["its one protocol", { ...ALL, OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }, BOTH],
    ["no protocol where nothing is sent", { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, {}],
    [
      "a sampler",
      { ...ALL, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
      { ...BOTH, traces: { ...TRACES, sampler: "traceidratio", ratio: 0.25 } },
    ],
    [
      "batches and intervals",
      {
        ...ALL,
        OTEL_BSP_SCHEDULE_DELAY: "1",
        OTEL_BSP_EXPORT_TIMEOUT: "2",
        OTEL_BSP_MAX_QUEUE_SIZE: "3",
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "4",
        OTEL_METRIC_EXPORT_INTERVAL: "5",
        OTEL_METRIC_EXPORT_TIMEOUT: "6",
      },
      {
        traces: { ...TRACES, delayMs: 1, exportTimeoutMs: 2, maxQueueSize: 3, maxBatchSize: 4 },
        metrics: { intervalMs: 5, exportTimeoutMs: 6 },
      },
    ],
  ])("reads %s", (_what, env, settings) => {
    const problems: string[] = [];
    const read = readTelemetry(env, (variable) => problems.push(variable));
    expect(read).toEqual({ traces: undefined, metrics: undefined, ...settings });
    expect(problems).toEqual([]);
  });

  it.each<[name: string, value: string]>([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "pw@collector:4318"],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://pw@collector"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc-pw"],
    ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"],
    ["OTEL_TRACES_SAMPLER", "sometimes"],
    ["OTEL_TRACES_SAMPLER_ARG", "1.1"],
    ["OTEL_TRACES_SAMPLER_ARG", "half"],
    ["OTEL_BSP_MAX_QUEUE_SIZE", "0"],
    ["OTEL_METRIC_EXPORT_INTERVAL", "5s"],
  ])("keeps a gateway from starting with %s=%s, once and by the variable's name", async (name, value) => {
    const problems = await problemsOf(loadText("", { ...ALL, [name]: value }));
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name}: must be `))]);
    expect(problems[0]).not.toContain("pw");
  });
});
