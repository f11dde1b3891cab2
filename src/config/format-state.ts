import type { JsonObject } from "@bufbuild/protobuf";
import { type KeyLimits, KeyLimitsSchema } from "../gen/parley/keys/v1/limits_pb.ts";
import { type Scope, ScopeSchema } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { encodeJson } from "../openai-json/encode.ts";
import { enumWords } from "../openai-json/words.ts";
import { REDACTED } from "../telemetry/redaction.ts";
import { formatMs } from "./duration.ts";
import type { AuthSettings, ConfigKeySettings, JwtSettings, RunSettings, Settings } from "./settings.ts";
import { withoutPassword } from "./without-password.ts";

/** Writes who may call, where state is kept, and what becomes of it, as these sections of the file. */
export function formatState({
  auth,
  store: { dataDir, databaseUrl },
  redisUrl,
  runs,
  requestLog,
}: Pick<Settings, "auth" | "store" | "redisUrl" | "runs" | "requestLog">): JsonObject {
  const who = formatAuth(auth);
  return {
    ...(Object.keys(who).length === 0 ? {} : { auth: who }),
    store: {
      data_dir: dataDir,
      ...(databaseUrl === undefined ? {} : { database_url: withoutPassword(databaseUrl) }),
    },
    ...(redisUrl === undefined ? {} : { redis: { url: withoutPassword(redisUrl) } }),
    runs: formatRuns(runs),
    request_log: { enabled: requestLog.enabled, retention: formatMs(requestLog.retentionMs) },
  };
}

const formatAuth = ({ keys, jwt, defaultLimits }: AuthSettings): JsonObject => ({
  ...(keys.length === 0 ? {} : { keys: keys.map(formatKey) }),
  ...(jwt === undefined ? {} : { jwt: formatJwt(jwt) }),
  ...(defaultLimits === undefined ? {} : { default_limits: formatLimits(defaultLimits) }),
});

// The hash says nothing of the secret, which has 256 bits.
const formatKey = ({ id, sha256, scopes, models, limits, logContent }: ConfigKeySettings): JsonObject => ({
  id,
  sha256,
  scopes: scopes.map(scopeWord),
  ...(models.length === 0 ? {} : { models: [...models] }),
  ...(limits === undefined ? {} : { limits: formatLimits(limits) }),
  log_content: logContent,
});

const formatJwt = (jwt: JwtSettings): JsonObject => ({
  issuer: jwt.issuer,
  audience: jwt.audience,
  jwks_url: jwt.jwksUrl,
  algorithms: [...jwt.algorithms],
  scopes_claim: jwt.scopesClaim,
  ...(jwt.scopePrefix === "" ? {} : { scope_prefix: jwt.scopePrefix }),
  models_claim: jwt.modelsClaim,
  limits_claim: jwt.limitsClaim,
  clock_tolerance: formatMs(jwt.clockToleranceMs),
});

const formatRuns = ({ webhook, ...runs }: RunSettings): JsonObject => ({
  workers: runs.workers,
  timeout: formatMs(runs.timeoutMs),
  retention: formatMs(runs.retentionMs),
  max_attempts: runs.maxAttempts,
  lease: formatMs(runs.leaseMs),
  max_queued: runs.maxQueued,
  webhook: {
    ...(webhook.secret === undefined ? {} : { secret: REDACTED }),
    max_attempts: webhook.maxAttempts,
    timeout: formatMs(webhook.timeoutMs),
  },
});

const formatLimits = (limits: KeyLimits): JsonObject => encodeJson(KeyLimitsSchema, limits);

const scopeWord = (scope: Scope): string => enumWords(ScopeSchema).wordOf.get(scope) ?? "";
