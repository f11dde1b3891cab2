import type { Config } from "../gen/parley/config/v1/config_pb.ts";
import { deepFreeze } from "../lib/deep-freeze.ts";
import { completeAuth } from "./complete-auth.ts";
import { completeAuto, completeModelName, completeRouting } from "./complete-routing.ts";
import { completeRequestLog, completeRuns } from "./complete-state.ts";
import { orMs } from "./duration.ts";
import type { Settings } from "./settings.ts";

/** What is not read off the schema alone. */
export type Chosen = Pick<
  Settings,
  "file" | "listen" | "workers" | "tls" | "logLevel" | "providers" | "proxy" | "telemetry" | "store" | "redisUrl"
>;

/** The defaults that parley/config/v1/config.proto states. */
const DEFAULTS = {
  maxBodyBytes: 32 * 1024 * 1024,
  maxConnections: 10_000,
  maxConcurrentStreams: 1_000,
  totalMs: 180_000,
  idleMs: 120_000,
  headersMs: 10_000,
  requestMs: 300_000,
  keepAliveMs: 15_000,
  drainMs: 30_000,
  tokenDelayMs: 20,
  mediaFetchEnabled: false,
  mediaFetchMaxBytes: 20 * 1024 * 1024,
  mediaFetchTimeoutMs: 10_000,
  modelListRefreshMs: 300_000,
};

/** Makes the settings of a valid configuration, and of what was chosen beside it. */
export function completeSettings(config: Config, chosen: Chosen): Settings {
  const { limits, timeouts, mediaFetch } = config;
  return deepFreeze({
    ...chosen,
    limits: {
      maxBodyBytes: Number(limits?.maxBodyBytes ?? DEFAULTS.maxBodyBytes),
      maxConnections: limits?.maxConnections ?? DEFAULTS.maxConnections,
      maxConcurrentStreams: limits?.maxConcurrentStreams ?? DEFAULTS.maxConcurrentStreams,
    },
    timeouts: {
      totalMs: orMs(timeouts?.total, DEFAULTS.totalMs),
      firstChunkMs: orMs(timeouts?.firstChunk, undefined),
      idleMs: orMs(timeouts?.idle, DEFAULTS.idleMs),
      attemptMs: orMs(timeouts?.attempt, undefined),
      headersMs: orMs(timeouts?.headers, DEFAULTS.headersMs),
      requestMs: orMs(timeouts?.request, DEFAULTS.requestMs),
      keepAliveMs: orMs(timeouts?.keepAlive, DEFAULTS.keepAliveMs),
      drainMs: orMs(timeouts?.drain, DEFAULTS.drainMs),
    },
    cors: { allowedOrigins: [...(config.cors?.allowedOrigins ?? [])] },
    models: config.models.map(completeModelName),
    auto: completeAuto(config.auto),
    routing: completeRouting(config.routing),
    sandbox: { tokenDelayMs: orMs(config.sandbox?.tokenDelay, DEFAULTS.tokenDelayMs) },
    mediaFetch: {
      enabled: mediaFetch?.enabled ?? DEFAULTS.mediaFetchEnabled,
      maxBytes: Number(mediaFetch?.maxBytes ?? DEFAULTS.mediaFetchMaxBytes),
      timeoutMs: orMs(mediaFetch?.timeout, DEFAULTS.mediaFetchTimeoutMs),
    },
    modelListRefreshMs: orMs(config.modelLists?.refresh, DEFAULTS.modelListRefreshMs),
    auth: completeAuth(config.auth),
    runs: completeRuns(config.runs),
    requestLog: completeRequestLog(config.requestLog),
  });
}
