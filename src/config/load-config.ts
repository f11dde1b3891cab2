/**
 * Configuration: a file (parley.yaml, by the schema parley.config.v1), the environment, and the command line become one frozen
 * object of settings. Nothing else reads the environment, but for OpenTelemetry's exporters: see read-telemetry.ts.
 */
import { create } from "@bufbuild/protobuf";
import { type Config, ConfigSchema, Log_Level } from "../gen/parley/config/v1/config_pb.ts";
import { checkNames } from "./check-names.ts";
import { checkSettings } from "./check-settings.ts";
import { chooseListen } from "./choose-listen.ts";
import { chooseLogLevel } from "./choose-log-level.ts";
import { chooseProviders } from "./choose-providers.ts";
import { chooseRedis, chooseStore, mayHoldKeys } from "./choose-store.ts";
import { chooseWorkers } from "./choose-workers.ts";
import { completeSettings } from "./complete-settings.ts";
import { ConfigError, type ConfigProblem } from "./config-error.ts";
import { type ConfigFile, type FileOptions, readConfigFile } from "./config-file.ts";
import { decodeConfig } from "./decode-config.ts";
import type { Environment } from "./environment.ts";
import { environmentProviders } from "./environment-providers.ts";
import type { Candidate, Report, ReportVariable } from "./problems.ts";
import { readProxy } from "./read-proxy.ts";
import { readTelemetry } from "./read-telemetry.ts";
import type { Settings } from "./settings.ts";
import { substitute } from "./substitute.ts";
import { readTlsFiles } from "./tls-files.ts";

/** Where settings come from. */
export interface LoadOptions extends FileOptions {
  /** The command line's --listen; wins over PARLEY_LISTEN, which wins over the file. */
  readonly listen?: string | undefined;
  /** The command line's --log-level; wins over PARLEY_LOG_LEVEL, which wins over the file. */
  readonly logLevel?: string | undefined;
  /** The command line's --workers; wins over the file. */
  readonly workers?: string | undefined;
}

/**
 * Reads the file that `path` or PARLEY_CONFIG names, or ./parley.yaml if it exists, and completes it by environment, command line
 * and defaults. Throws a ConfigError with all problems that were found. An empty variable of Parley's own, of a provider or of a proxy
 * counts as unset.
 */
export async function loadConfig(options: LoadOptions): Promise<Settings> {
  const problems: ConfigProblem[] = [];
  const file = await readConfigFile(options);
  const report: Report = (path, message, position) => problems.push({ file: file?.name, path, message, position });
  const reportVariable: ReportVariable = (path, message) => void problems.push({ path, message });
  const outside = (path: string, text: string | undefined): Candidate => ({
    text,
    refuse: (message) => problems.push({ path, message }),
  });

  const read = file === undefined ? create(ConfigSchema) : await readConfig(file, options.env, report);
  const config = read ?? create(ConfigSchema);
  const reports = { report, reportVariable };
  const store = chooseStore(config, options, file?.path, reports);
  const redisUrl = chooseRedis(config, options, reports);
  // What the file says of keys may be what could not be read of it.
  const isReadable = read !== undefined && !problems.some(({ path }) => /^(?:auth|store)\b/.test(path));
  const isOpen = isReadable && !config.auth?.keys.length && config.auth?.jwt === undefined && !mayHoldKeys(store);
  const listen = chooseListen(
    [
      outside("--listen", options.listen),
      outside("PARLEY_LISTEN", options.env["PARLEY_LISTEN"] || undefined),
      { text: config.listen, refuse: (message) => report("listen", message) },
    ],
    isOpen,
  );
  const logLevel = chooseLogLevel(
    [
      outside("--log-level", options.logLevel),
      outside("PARLEY_LOG_LEVEL", options.env["PARLEY_LOG_LEVEL"] || undefined),
    ],
    config.log?.level ?? Log_Level.UNSPECIFIED,
  );
  const workers = chooseWorkers(outside("--workers", options.workers), config.workers);
  const tls = file === undefined || config.tls === undefined ? undefined : await readTlsFiles(config.tls, file, report);

  const switchedOn = environmentProviders(options.env, new Set(config.providers.map(({ id }) => id)), reportVariable);
  const sources = { listed: config.providers, switchedOn, file: file?.name };
  const providers = chooseProviders(sources, (path, message) => {
    // The schema's own rule may have said it already.
    if (!problems.some((problem) => problem.path === path)) report(path, message);
  });
  const proxy = readProxy(options.env, reportVariable);
  const telemetry = readTelemetry(options.env, reportVariable);

  const chosen = { file: file?.path, listen, workers, tls, logLevel, providers, proxy, telemetry, store, redisUrl };
  const settings = completeSettings(config, chosen);
  checkSettings(settings, report);
  // Names lead to providers and to each other: of what is wrong with these, only the consequences would be found.
  if (!problems.some(({ path }) => /^(?:auto|models|providers)\b/.test(path))) checkNames(settings, report);
  if (problems.length > 0) throw new ConfigError(problems, file?.name);
  return settings;
}

/** Text to configuration; after a step that found a problem, the next ones would only find its consequences: it is then undefined. */
async function readConfig({ text }: ConfigFile, env: Environment, report: Report): Promise<Config | undefined> {
  // The reader of YAML takes a twentieth of a start, and most starts have no file.
  const { parseYaml } = await import("./parse-yaml.ts");
  const json = parseYaml(text, report);
  const substituted = json === undefined ? undefined : substitute(ConfigSchema, json, env, report);
  return substituted === undefined ? undefined : decodeConfig(substituted, report);
}
