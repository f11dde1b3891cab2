import type { RequestLog, Runs } from "../gen/parley/config/v1/config_pb.ts";
import { orMs } from "./duration.ts";
import type { RequestLogSettings, RunSettings } from "./settings.ts";

/** The defaults that parley/config/v1/config.proto states. */
const DEFAULTS = {
  workers: 4,
  timeoutMs: 3_600_000,
  retentionMs: 86_400_000,
  maxAttempts: 3,
  leaseMs: 15_000,
  maxQueued: 1_000,
  webhookMaxAttempts: 8,
  webhookTimeoutMs: 10_000,
  logEnabled: true,
  logRetentionMs: 30 * 86_400_000,
};

/** Makes the settings of runs. */
export function completeRuns(runs: Runs | undefined): RunSettings {
  const { webhook } = runs ?? {};
  return {
    workers: runs?.workers ?? DEFAULTS.workers,
    timeoutMs: orMs(runs?.timeout, DEFAULTS.timeoutMs),
    retentionMs: orMs(runs?.retention, DEFAULTS.retentionMs),
    maxAttempts: runs?.maxAttempts ?? DEFAULTS.maxAttempts,
    leaseMs: orMs(runs?.lease, DEFAULTS.leaseMs),
    maxQueued: runs?.maxQueued ?? DEFAULTS.maxQueued,
    webhook: {
      secret: webhook?.secret,
      maxAttempts: webhook?.maxAttempts ?? DEFAULTS.webhookMaxAttempts,
      timeoutMs: orMs(webhook?.timeout, DEFAULTS.webhookTimeoutMs),
    },
  };
}

/** Makes the settings of the log of requests. */
export function completeRequestLog(log: RequestLog | undefined): RequestLogSettings {
  return {
    enabled: log?.enabled ?? DEFAULTS.logEnabled,
    retentionMs: orMs(log?.retention, DEFAULTS.logRetentionMs),
  };
}
