import type { JsonObject } from "@bufbuild/protobuf";
import { stringify } from "yaml";
import { formatAddress } from "../lib/address.ts";
import { formatMs } from "./duration.ts";
import { escapeReferences, formatProvider } from "./format-provider.ts";
import { formatState } from "./format-state.ts";
import type { ModelNameSettings, Settings } from "./settings.ts";

/**
 * Writes settings as a configuration file with every key that is in force. It reads back as the same settings, but for secrets: of
 * providers, "[redacted]" stands for keys and the values of headers, of databases for passwords, and of webhooks for their secret. Texts of certificates and keys are not in it, only their paths.
 * Proxies have no place in a file, and an empty list of auto's models, which stands for the default, is left out.
 */
export function formatSettings(settings: Settings): string {
  const { listen, workers, tls, limits, timeouts, cors, logLevel, sandbox, providers } = settings;
  const { mediaFetch, modelListRefreshMs, models, auto, routing } = settings;
  const { firstChunkMs, attemptMs } = timeouts;
  const { retryBudget, breaker } = routing;
  const file = {
    listen: formatAddress(listen),
    workers,
    ...(tls === undefined ? {} : { tls: { cert_file: tls.certFile, key_file: tls.keyFile } }),
    limits: {
      max_body_bytes: limits.maxBodyBytes,
      max_connections: limits.maxConnections,
      max_concurrent_streams: limits.maxConcurrentStreams,
    },
    timeouts: {
      total: formatMs(timeouts.totalMs),
      ...(firstChunkMs === undefined ? {} : { first_chunk: formatMs(firstChunkMs) }),
      idle: formatMs(timeouts.idleMs),
      headers: formatMs(timeouts.headersMs),
      request: formatMs(timeouts.requestMs),
      keep_alive: formatMs(timeouts.keepAliveMs),
      drain: formatMs(timeouts.drainMs),
      ...(attemptMs === undefined ? {} : { attempt: formatMs(attemptMs) }),
    },
    ...(cors.allowedOrigins.length === 0 ? {} : { cors: { allowed_origins: [...cors.allowedOrigins] } }),
    log: { level: logLevel },
    sandbox: { token_delay: formatMs(sandbox.tokenDelayMs) },
    ...(providers.length === 0 ? {} : { providers: providers.map(formatProvider) }),
    media_fetch: {
      enabled: mediaFetch.enabled,
      max_bytes: mediaFetch.maxBytes,
      timeout: formatMs(mediaFetch.timeoutMs),
    },
    model_lists: { refresh: formatMs(modelListRefreshMs) },
    ...(models.length === 0 ? {} : { models: models.map(formatModelName) }),
    auto: { policy: auto.policy, ...(auto.models.length === 0 ? {} : { models: [...auto.models] }) },
    routing: {
      max_retries: routing.maxRetries,
      max_wait: formatMs(routing.maxWaitMs),
      retry_budget: { burst: retryBudget.burst, ratio: retryBudget.ratio },
      breaker: {
        failure_ratio: breaker.failureRatio,
        window: breaker.window,
        min_calls: breaker.minCalls,
        open: formatMs(breaker.openMs),
        max_open: formatMs(breaker.maxOpenMs),
      },
    },
    ...formatState(settings),
  };
  return stringify(escapeReferences(file));
}

function formatModelName({ id, targets, policy, weights }: ModelNameSettings): JsonObject {
  return { id, targets: [...targets], policy, ...(weights.size === 0 ? {} : { weights: Object.fromEntries(weights) }) };
}
