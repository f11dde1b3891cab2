/**
 * Signals: metrics and traces of finished calls, by OpenTelemetry. Nothing is recorded while a call runs: when its exchange is over,
 * everything is read off its log at once.
 */
import type { CallEnd } from "./call-end.ts";
import type { CallLog } from "./call-log.ts";
import type { Gauges } from "./gauges.ts";
import { createInstruments, type Instruments } from "./instruments.ts";
import type { KnownNames } from "./known-names.ts";
import { knownTargets } from "./known-targets.ts";
import type { Logger } from "./logger.ts";
import type { ReadMetrics } from "./merge-metrics.ts";
import { type Membership, type Metrics, openMetrics } from "./metrics.ts";
import { logWarnings } from "./open-telemetry.ts";
import { MetricsRecorder } from "./record-metrics.ts";
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

/** How long the last sending may take, in milliseconds. */
const CLOSE_MS = 2_000;

/**
 * Opens the signals. What makes traces is loaded here, where they are wanted. Metrics are counted without the SDK; it is loaded where they
 * are sent, or when somebody first asks for them, so that neither a start nor a gateway that nobody asks pays for it.
 */
export async function createSignals(options: SignalOptions): Promise<Signals> {
  const { settings, logger, membership } = options;
  if (settings.traces !== undefined || settings.metrics !== undefined) await logWarnings(logger);
  const traces = settings.traces === undefined ? undefined : await openTraces(settings.traces, membership?.member);
  const instruments = createInstruments();
  const recorder = new MetricsRecorder(instruments, options);
  const open = createOpener(options, instruments);
  if (settings.metrics !== undefined) void open().catch(() => undefined);
  return {
    recordCall(log, end) {
      if (traces !== undefined) log.traced(recordSpans(traces, log, end, options));
      recorder.record(log, end);
    },
    recordReload: (outcome) => instruments.reloads.at({ "parley.config.reload.outcome": outcome }).add(1),
    scrape: async () => (await open()).scrape(),
    read: async () => (await open()).read(),
    async close() {
      const closeMetrics = async (): Promise<void> => (await open()).close();
      const ends = Promise.allSettled([traces?.close(), settings.metrics === undefined ? undefined : closeMetrics()]);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([ends, late]);
      clearTimeout(timer);
    },
  };
}

/** Makes what opens the metrics once, when they are first asked for. */
function createOpener(options: SignalOptions, instruments: Instruments): () => Promise<Metrics> {
  const { settings, logger, activeCalls, targets, state = () => NO_STATE, membership } = options;
  let opening: Promise<Metrics> | undefined;

  const begin = async (): Promise<Metrics> => {
    try {
      await logWarnings(logger);
      const gauges: Gauges = { activeCalls, targets: () => knownTargets(targets(), options), state };
      return await openMetrics(settings.metrics, instruments, gauges, membership);
    } catch (error) {
      logger.error({ err: error }, "metrics cannot be read");
      throw error;
    }
  };
  return () => {
    opening ??= begin();
    return opening;
  };
}
