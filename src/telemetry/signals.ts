/**
 * Signals: metrics and traces of finished calls, by OpenTelemetry. Nothing is recorded while a call runs: when its exchange is over,
 * everything is read off its log at once.
 */
import type { CallEnd } from "./call-end.ts";
import type { CallLog } from "./call-log.ts";
import type { Gauges, Instruments } from "./instruments.ts";
import type { KnownNames } from "./known-names.ts";
import { knownTargets } from "./known-targets.ts";
import type { Logger } from "./logger.ts";
import type { ReadMetrics } from "./merge-metrics.ts";
import { type Membership, type Metrics, openMetrics } from "./metrics.ts";
import { logWarnings } from "./open-telemetry.ts";
import { recordMetrics } from "./record-metrics.ts";
import { recordSpans } from "./record-spans.ts";
import type { SignalSettings } from "./signal-settings.ts";
import { NO_STATE } from "./state-gauge.ts";
import type { TargetGauges } from "./target-gauge.ts";
import { openTraces } from "./traces.ts";

/** What signals are made of. */
export interface SignalOptions extends KnownNames {
  readonly settings: SignalSettings;
  readonly logger: Logger;
  readonly activeCalls: Gauges["activeCalls"];
  readonly targets: TargetGauges;
  /** Unset: nothing is kept. */
  readonly state?: Gauges["state"];
  /** Unset: this process serves alone. */
  readonly membership?: Membership | undefined;
}

/** Metrics and traces. */
export interface Signals {
  /** Records a finished call. Where traces are made, its log is told the trace. */
  recordCall(log: CallLog, end: CallEnd): void;
  /** The configuration was read again, and taken or refused. */
  recordReload(outcome: "ok" | "refused"): void;
  /** All metrics, in Prometheus' text format. */
  scrape(): Promise<string>;
  /** The metrics of this process alone. */
  read(): Promise<ReadMetrics>;
  /** Sends what was not sent yet, for at most two seconds. */
  close(): Promise<void>;
}

/** Most records that wait for the SDK to be loaded; later ones are lost. */
const MAX_WAITING = 10_000;

/** How long the last sending may take, in milliseconds. */
const CLOSE_MS = 2_000;

/**
 * Opens the signals. What makes traces is loaded here, where they are wanted; what makes metrics is loaded when the first call has
 * ended, or somebody asks for them, so that neither a start nor a gateway without calls pays for it.
 */
export async function createSignals(options: SignalOptions): Promise<Signals> {
  const { settings, logger, membership } = options;
  if (settings.traces !== undefined || settings.metrics !== undefined) await logWarnings(logger);
  const traces = settings.traces === undefined ? undefined : await openTraces(settings.traces, membership?.member);
  const metrics = createLateMetrics(options);
  if (settings.metrics !== undefined) void metrics.open().catch(() => undefined);
  return {
    recordCall(log, end) {
      if (traces !== undefined) log.traced(recordSpans(traces, log, end, options));
      metrics.record((instruments) => recordMetrics(instruments, log, end, options));
    },
    recordReload: (outcome) =>
      metrics.record(({ reloads }) => reloads.add(1, { "parley.config.reload.outcome": outcome })),
    scrape: async () => (await metrics.open()).scrape(),
    read: async () => (await metrics.open()).read(),
    async close() {
      const ends = Promise.allSettled([traces?.close(), settings.metrics === undefined ? undefined : metrics.close()]);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([ends, late]);
      clearTimeout(timer);
    },
  };
}

/** Metrics that are loaded when they are wanted. */
interface LateMetrics {
  open(): Promise<Metrics>;
  record(write: (instruments: Instruments) => void): void;
  close(): Promise<void>;
}

function createLateMetrics(options: SignalOptions): LateMetrics {
  const { settings, logger, activeCalls, targets, state = () => NO_STATE, membership } = options;
  let opening: Promise<Metrics> | undefined;
  let opened: Metrics | undefined;
  let waiting: ((instruments: Instruments) => void)[] = [];

  const begin = async (): Promise<Metrics> => {
    try {
      await logWarnings(logger);
      const gauges: Gauges = { activeCalls, targets: () => knownTargets(targets(), options), state };
      const metrics = await openMetrics(settings.metrics, gauges, membership);
      opened = metrics;
      for (const write of waiting) write(metrics.instruments);
      return metrics;
    } catch (error) {
      logger.error({ err: error }, "metrics cannot be recorded");
      throw error;
    } finally {
      waiting = [];
    }
  };
  const open = (): Promise<Metrics> => {
    opening ??= begin();
    return opening;
  };
  return {
    open,
    record(write) {
      if (opened !== undefined) {
        write(opened.instruments);
        return;
      }
      if (waiting.length < MAX_WAITING) waiting.push(write);
      // Whoever asks for metrics is told that there are none; the calls need not care.
      open().catch(() => undefined);
    },
    close: async () => (await open()).close(),
  };
}
