import type { RunningGateway } from "../compose.ts";
import { configPath } from "../config/config-file.ts";
import { type LoadOptions, loadConfig } from "../config/load-config.ts";
import type { Settings } from "../config/settings.ts";
import { autoOf } from "../providers/default-model.ts";
import { standardOutput } from "../telemetry/batched-output.ts";
import { createLogger, flushLogger, type Logger } from "../telemetry/logger.ts";
import type { LineSink } from "../workers/lines.ts";
import { WorkerEndedError } from "../workers/worker-ended.ts";
import { formatBanner } from "./banner.ts";
import { createReload } from "./reload.ts";
import { awaitReloadRequests, type ReloadRequests } from "./reload-requests.ts";
import { startFault } from "./start-fault.ts";
import { awaitStopSignal } from "./stop-signal.ts";
import type { Surroundings } from "./surroundings.ts";

/** Options of `parley serve`. */
export interface ServeFlags {
  readonly config?: string;
  readonly listen?: string;
  readonly logLevel?: string;
  readonly workers?: string;
}

/**
 * Serves until SIGTERM or SIGINT, lets the gateway drain, and returns the exit status. SIGHUP and a change of the file have the
 * configuration read again. Throws a ConfigError when the configuration is not valid.
 */
export async function serve(flags: ServeFlags, surroundings: Surroundings): Promise<number> {
  const { env, cwd } = surroundings;
  const { config, listen, logLevel, workers } = flags;
  const source = { env, cwd, path: config, listen, logLevel, workers };
  // Listening for signals comes first: one that comes during the start neither ends the process nor is lost.
  const reloads = awaitReloadRequests(configPath(source));
  try {
    const settings = await reloads.reading(() => loadConfig(source));
    return await serveWith(settings, source, reloads, surroundings);
  } finally {
    reloads.end();
  }
}

async function serveWith(
  settings: Settings,
  source: LoadOptions,
  reloads: ReloadRequests,
  { stderr }: Surroundings,
): Promise<number> {
  const log = standardOutput();
  const logger = createLogger({ level: settings.logLevel, destination: log });
  // The same for these, also where nothing else would heed them (PID 1).
  const stopSignal = awaitStopSignal();
  let isStopped = false;
  void stopSignal.then(() => {
    isStopped = true;
  });
  try {
    const gateway = await start(settings, logger, log);
    const providers = settings.providers.map(({ id }) => id);
    stderr.write(
      formatBanner({
        url: gateway.url,
        auto: autoOf(settings),
        providers,
        certFile: settings.tls?.certFile,
        needsKey: !gateway.isOpen,
      }),
    );
    const reload = createReload({ source, settings, gateway, logger });
    reloads.begin(() => reloads.reading(reload));
    await stopSignal;
    reloads.end();
    await gateway.stop();
    return 0;
  } catch (error) {
    // A terminal sends its signals to workers, too, also to those that have not come to take them.
    if (isStopped && error instanceof WorkerEndedError) return 0;
    const fault = startFault(error, settings);
    if (fault === undefined) throw error;
    stderr.write(`${fault}\n`);
    return 1;
  } finally {
    await flushLogger(logger);
  }
}

/** What serves: this process, or as many others as the settings say. What it takes is loaded only here, because it is nearly all of the program. */
async function start(
  settings: Settings,
  logger: Logger,
  log: LineSink,
): Promise<Pick<RunningGateway, "url" | "isOpen" | "reload" | "recordReload" | "stop">> {
  if (settings.workers === 1) {
    const { startGateway } = await import("../compose.ts");
    return startGateway(settings, logger);
  }
  const { startWorkers } = await import("../workers/primary.ts");
  return startWorkers({ settings, logger, log });
}
