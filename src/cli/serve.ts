import { loadConfig } from "../config/load-config.ts";
import { formatAddress } from "../lib/address.ts";
import { autoModelsOf } from "../providers/default-model.ts";
import { createLogger, flushLogger } from "../telemetry/logger.ts";
import { formatBanner } from "./banner.ts";
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
 * Serves until SIGTERM or SIGINT, lets the gateway drain, and returns the exit status. Throws a ConfigError when the
 * configuration is not valid.
 */
export async function serve(flags: ServeFlags, { env, cwd, stderr }: Surroundings): Promise<number> {
  const settings = await loadConfig({
    env,
    cwd,
    path: flags.config,
    listen: flags.listen,
    logLevel: flags.logLevel,
  });
  const logger = createLogger({ level: settings.logLevel });
  // Listening for signals comes first: one that comes during the start is not lost, also where nothing else would heed it (PID 1).
  const stopSignal = awaitStopSignal();
  try {
    // Loaded only here, because it is nearly all of the program, and the other commands are quick without.
    const { startGateway } = await import("../compose.ts");
    const gateway = await startGateway(settings, logger);
    const auto = { ...settings.auto, models: autoModelsOf(settings) };
    const providers = settings.providers.map(({ id }) => id);
    stderr.write(formatBanner({ url: gateway.url, auto, providers, certFile: settings.tls?.certFile }));
    await stopSignal;
    await gateway.stop();
    return 0;
  } catch (error) {
    const fault = startFault(error);
    if (fault === undefined) throw error;
    stderr.write(`parley can't listen on ${formatAddress(settings.listen)}: ${fault}\n`);
    return 1;
  } finally {
    await flushLogger(logger);
  }
}
