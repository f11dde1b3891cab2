import type { RunningGateway } from "../compose.ts";
import { changedKeys } from "../config/compare-settings.ts";
import { ConfigError, type ConfigProblem } from "../config/config-error.ts";
import { type LoadOptions, loadConfig } from "../config/load-config.ts";
import type { Settings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What a reload works with. */
export interface ReloadOptions {
  /** Where the first settings came from. */
  readonly source: LoadOptions;
  /** The settings that the gateway was started with. */
  readonly settings: Settings;
  readonly gateway: Pick<RunningGateway, "reload" | "recordReload">;
  readonly logger: Logger;
}

/**
 * Makes the function that reads the configuration again and puts it into force. It logs what came of it, and does not fail: settings
 * that are refused change nothing.
 */
export function createReload({ source, settings, gateway, logger }: ReloadOptions): () => Promise<void> {
  let running = settings;
  return async () => {
    try {
      // A file that was read once has to be there, also the one that need not have been: its end is not the end of all that it says.
      const next = await loadConfig({ ...source, path: running.file ?? source.path });
      const changed = changedKeys(running, next);
      if (changed.length > 0) await gateway.reload(next);
      running = next;
      gateway.recordReload("ok");
      if (changed.length > 0) logger.info({ changed }, "reloaded");
      else logger.debug("nothing to reload");
    } catch (thrown) {
      // The end of the gateway overtook it, and has lines of its own.
      if (thrown instanceof GatewayError && thrown.reason === Reason.SHUTTING_DOWN) return;
      gateway.recordReload("refused");
      const why = thrown instanceof ConfigError ? { problems: thrown.problems.map(fieldsOf) } : { err: thrown };
      logger.error(why, "reload refused");
    }
  };
}

const fieldsOf = ({ file, path, message, position }: ConfigProblem): object => ({
  file,
  path,
  message,
  ...(position === undefined ? {} : { line: position.line }),
});
