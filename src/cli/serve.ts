import { configPath } from "../config/config-file.ts";
import { type LoadOptions, loadConfig } from "../config/load-config.ts";
import type { Settings } from "../config/settings.ts";
import { formatAddress } from "../lib/address.ts";
import { autoOf } from "../providers/default-model.ts";
import { storeFault } from "../store/store-error.ts";
import { createLogger, flushLogger } from "../telemetry/logger.ts";
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
}

/**
 * Serves until SIGTERM or SIGINT, lets the gateway drain, and returns the exit status. SIGHUP and a change of the file have the
 * configuration read again. Throws a ConfigError when the configuration is not valid.
 */
export async function serve(flags: ServeFlags, surroundings: Surroundings): Promise<number> {
  const { env, cwd } = surroundings;
  const source = { env, cwd, path: flags.config, listen: flags.listen, logLevel: flags.logLevel };
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
  const logger = createLogger({ level: settings.logLevel });
  // The same for these, also where nothing else would heed them (PID 1).
  const stopSignal = awaitStopSignal();
  try {
    // Loaded only here, because it is nearly all of the program, and the other commands are quick without.
    const { startGateway } = await import("../compose.ts");
    const gateway = await startGateway(settings, logger);
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
    const ofPort = startFault(error);
    const fault = ofPort === undefined ? storeFault(error) : `${formatAddress(settings.listen)}: ${ofPort}`;
    if (fault === undefined) throw error;
    stderr.write(ofPort === undefined ? `parley can't start: ${fault}\n` : `parley can't listen on ${fault}\n`);
    return 1;
  } finally {
    await flushLogger(logger);
  }
}
