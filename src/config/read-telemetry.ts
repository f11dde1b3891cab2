import { MAX_TIMER_MS } from "../lib/sleep.ts";
import {
  type MetricSettings,
  SAMPLERS,
  type SamplerName,
  type SignalSettings,
  type TraceSettings,
} from "../telemetry/signal-settings.ts";
import type { Environment } from "./environment.ts";
import type { ReportVariable } from "./problems.ts";

/** The only protocol that metrics and traces are sent by. */
const PROTOCOL = "http/protobuf";

/**
 * Reads which signals go to a collector, by OpenTelemetry's own variables: a signal does where there is an endpoint for it, unless
 * another variable says no. An empty variable counts as unset. Where exactly, with which headers, certificates and time limits, the
 * exporters read themselves from the variables OTEL_EXPORTER_OTLP_…, and who sends from OTEL_SERVICE_NAME and
 * OTEL_RESOURCE_ATTRIBUTES: they are the one exception to the rule that only the configuration reads the environment.
 */
export function readTelemetry(env: Environment, report: ReportVariable): SignalSettings {
  // What both signals share is told once.
  const reported = new Set<string>();
  const reportOnce: ReportVariable = (variable, message) => {
    if (!reported.has(variable)) report(variable, message);
    reported.add(variable);
  };
  return {
    traces: isSent("TRACES", env, reportOnce) ? readTraces(env, reportOnce) : undefined,
    metrics: isSent("METRICS", env, reportOnce) ? readMetrics(env, reportOnce) : undefined,
  };
}

function isSent(signal: "TRACES" | "METRICS", env: Environment, report: ReportVariable): boolean {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return false;
  const exporters = env[`OTEL_${signal}_EXPORTER`] || "otlp";
  if (!exporters.split(",").some((name) => name.trim() === "otlp")) return false;
  const ofSignal = (what: string): string[] =>
    [`OTEL_EXPORTER_OTLP_${signal}_${what}`, `OTEL_EXPORTER_OTLP_${what}`].filter((name) => env[name]);
  const endpoints = ofSignal("ENDPOINT");
  for (const name of endpoints) {
    // The address may hold a password: the message does not repeat it.
    const protocol = URL.parse(env[name] ?? "")?.protocol;
    if (protocol !== "http:" && protocol !== "https:")
      report(name, 'must be an address, such as "http://127.0.0.1:4318"');
  }
  for (const name of endpoints.length === 0 ? [] : ofSignal("PROTOCOL")) {
    if (env[name] !== PROTOCOL) report(name, `must be "${PROTOCOL}": no other protocol is spoken`);
  }
  return endpoints.length > 0;
}

function readTraces(env: Environment, report: ReportVariable): TraceSettings {
  const number = wholeNumbers(env, report);
  return {
    sampler: readSampler(env["OTEL_TRACES_SAMPLER"] || "parentbased_always_on", report),
    ratio: readRatio(env["OTEL_TRACES_SAMPLER_ARG"] || "1", report),
    delayMs: number("OTEL_BSP_SCHEDULE_DELAY"),
    exportTimeoutMs: number("OTEL_BSP_EXPORT_TIMEOUT"),
    maxQueueSize: number("OTEL_BSP_MAX_QUEUE_SIZE"),
    maxBatchSize: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
  };
}

function readMetrics(env: Environment, report: ReportVariable): MetricSettings {
  const number = wholeNumbers(env, report);
  return {
    intervalMs: number("OTEL_METRIC_EXPORT_INTERVAL"),
    exportTimeoutMs: number("OTEL_METRIC_EXPORT_TIMEOUT"),
  };
}

function readSampler(text: string, report: ReportVariable): SamplerName {
  const found = SAMPLERS.find((name) => name === text);
  if (found === undefined) report("OTEL_TRACES_SAMPLER", `must be one of ${SAMPLERS.join(", ")}`);
  return found ?? "parentbased_always_on";
}

function readRatio(text: string, report: ReportVariable): number {
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  report("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1");
  return 1;
}

/** Reads variables that are milliseconds or counts, within what Node's timers take. */
function wholeNumbers(env: Environment, report: ReportVariable): (name: string) => number | undefined {
  return (name) => {
    const text = env[name];
    if (!text) return undefined;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= MAX_TIMER_MS) return value;
    report(name, `must be a whole number from 1 to ${MAX_TIMER_MS}`);
    return undefined;
  };
}
