/**
 * Loads OpenTelemetry's SDK, package by package, when it is wanted: it takes a tenth of a second and some megabytes. It is loaded as
 * CommonJS, which takes half of what its ES modules take, and lets other work have its turn in between.
 */
import { createRequire } from "node:module";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "./logger.ts";

/** The packages, by the names that are used here. */
interface Packages {
  readonly "@opentelemetry/api": typeof import("@opentelemetry/api");
  readonly "@opentelemetry/core": typeof import("@opentelemetry/core");
  readonly "@opentelemetry/resources": typeof import("@opentelemetry/resources");
  readonly "@opentelemetry/sdk-metrics": typeof import("@opentelemetry/sdk-metrics");
  readonly "@opentelemetry/sdk-trace": typeof import("@opentelemetry/sdk-trace");
  readonly "@opentelemetry/exporter-prometheus": typeof import("@opentelemetry/exporter-prometheus");
  readonly "@opentelemetry/exporter-metrics-otlp-proto": typeof import("@opentelemetry/exporter-metrics-otlp-proto");
  readonly "@opentelemetry/exporter-trace-otlp-proto": typeof import("@opentelemetry/exporter-trace-otlp-proto");
}

const require = createRequire(import.meta.url);

/** Longest message of the SDK that is logged whole. */
const MAX_MESSAGE = 500;

/** Loads a package of the SDK. */
export async function load<Name extends keyof Packages>(name: Name): Promise<Packages[Name]> {
  await nextTurn();
  return require(name) as Packages[Name];
}

/** Has what the SDK warns of written to the log, and not to the console. The last logger has it: the SDK has one place for all. */
export async function logWarnings(logger: Logger): Promise<void> {
  const { diag, DiagLogLevel } = await load("@opentelemetry/api");
  const warn = (message: string): void => logger.warn({ message: message.slice(0, MAX_MESSAGE) }, "telemetry");
  const ignore = (): void => undefined;
  diag.setLogger(
    { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
