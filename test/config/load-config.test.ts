import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import type { Environment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Settings } from "../../src/config/settings.ts";
import { AnthropicSchema } from "../../src/gen/parley/config/v1/anthropic_pb.ts";
import { Budget_Period, KeyLimitsSchema } from "../../src/gen/parley/keys/v1/limits_pb.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import { createFolder } from "./folder.ts";
import { loadText, problemsOf } from "./load.ts";

const DEFAULTS: Omit<Settings, "store"> = {
  file: undefined,
  listen: { host: "127.0.0.1", port: 8080 },
  workers: 1,
  tls: undefined,
  limits: { maxBodyBytes: 33_554_432, maxConnections: 10_000, maxConcurrentStreams: 1_000 },
  timeouts: {
    totalMs: 180_000,
    firstChunkMs: undefined,
    idleMs: 120_000,
    attemptMs: undefined,
    headersMs: 10_000,
    requestMs: 300_000,
    keepAliveMs: 15_000,
    drainMs: 30_000,
  },
  cors: { allowedOrigins: [] },
  logLevel: "info",
  models: [],
  auto: { policy: "quality", models: [] },
  routing: {
    maxRetries: 2,
    maxWaitMs: 10_000,
    retryBudget: { burst: 10, ratio: 0.2 },
    breaker: { failureRatio: 0.5, window: 20, minCalls: 5, openMs: 1_000, maxOpenMs: 10_000 },
  },
  sandbox: { tokenDelayMs: 20 },
  providers: [],
  mediaFetch: { enabled: false, maxBytes: 20_971_520, timeoutMs: 10_000 },
  modelListRefreshMs: 300_000,
  proxy: { http: undefined, https: undefined, none: undefined },
  telemetry: { traces: undefined, metrics: undefined },
  auth: { keys: [], jwt: undefined, defaultLimits: undefined },
  redisUrl: undefined,
  runs: {
    workers: 4,
    timeoutMs: 3_600_000,
    retentionMs: 86_400_000,
    maxAttempts: 3,
    leaseMs: 15_000,
    maxQueued: 1_000,
    webhook: { secret: undefined, maxAttempts: 8, timeoutMs: 10_000 },
  },
  requestLog: { enabled: true, retentionMs: 2_592_000_000 },
};

describe("loadConfig() without a file", () => {
  it("has the defaults", async () => {
    const cwd = createFolder();
    expect(await loadConfig({ env: {}, cwd })).toEqual({
      ...DEFAULTS,
      store: { dataDir: join(cwd, "parley-data"), databaseUrl: undefined },
    });
  });

  it("takes them frozen, at every depth", async () => {
    const settings = await loadConfig({ env: {}, cwd: createFolder() });
    const objects = [settings, settings.listen, settings.limits, settings.timeouts, settings.cors.allowedOrigins];
    expect(objects.map(Object.isFrozen)).toEqual([true, true, true, true, true]);
    const { auto, routing } = settings;
    expect([auto, auto.models, routing, routing.breaker].every(Object.isFrozen)).toBe(true);
  });
});

describe("loadConfig() of a file", () => {
  it.each([
    "",
    "# nothing\n",
    "---\n",
    "{}",
    "limits:\n",
    "limits: {}\ntimeouts: {}\nlog: {}\nsandbox: {}\nmodels: []\nauto: {}\nrouting: {}",
    "routing: { retry_budget: {}, breaker: {} }",
    "auth: {}\nstore: {}\nredis: {}\nruns: { webhook: {} }\nrequest_log: {}",
  ])("has the defaults when it says nothing: %j", async (text) => {
    const settings = await loadText(text);
    const { file: _, ...defaults } = DEFAULTS;
    expect(withoutFolder(settings)).toEqual({
      ...defaults,
      store: { dataDir: "/parley-data", databaseUrl: undefined },
    });
    expect(settings.file).toMatch(/parley\.yaml$/);
  });

  it("takes every key", async () => {
    const settings = await loadText(`
listen: "[::1]:0"
limits: { max_body_bytes: 1024, max_connections: 5, max_concurrent_streams: 6 }
timeouts:
  total: 1s
  first_chunk: 0.25s
  idle: 2.5s
  headers: 3s
  request: 4s
  keep_alive: 5s
  drain: 0s
  attempt: 6s
cors:
  allowed_origins: ["https://app.example", "http://localhost:3000", "capacitor://localhost"]
log: { level: debug }
sandbox: { token_delay: 0s }
providers:
  - id: claude
    anthropic: { base_url: "https://anthropic.example/", api_key: k1, api_keys: [k2, k3], headers: { x-team: blue } }
    concurrency: { max_in_flight: 2, max_queue: 0 }
media_fetch: { enabled: true, max_bytes: 2048, timeout: 3.5s }
model_lists: { refresh: 60s }
models:
  - id: best
    targets: [claude/claude-opus-4-1, sandbox/eliza]
    policy: latency
    weights: { claude/claude-opus-4-1: 9, sandbox/eliza: 1 }
  - id: plain
    targets: [sandbox/echo]
auto: { policy: cost, models: [best, sandbox/echo] }
routing:
  max_retries: 0
  max_wait: 0s
  retry_budget: { burst: 0, ratio: 0 }
  breaker: { failure_ratio: 0.25, window: 8, min_calls: 4, open: 0.5s, max_open: 2s }
auth:
  keys:
    - id: ci
      sha256: ${"0F".repeat(32)}
      scopes: [chat, runs, admin]
      models: ["claude/*"]
      limits: { requests_per_minute: 1, tokens_per_minute: 5000000000, concurrent: 3, concurrent_streams: 4 }
      log_content: true
    - { id: plain, sha256: ${"a".repeat(64)} }
  jwt:
    issuer: https://id.example
    audience: parley
    jwks_url: https://id.example/jwks.json
    algorithms: [ES384]
    scopes_claim: scp
    scope_prefix: "parley:"
    models_claim: m
    limits_claim: l
    clock_tolerance: 0s
  default_limits: { budget: { dollars: 2.5, per: day } }
store: { data_dir: state, database_url: "postgres://me:pass@db.example/parley" }
redis: { url: "rediss://redis.example" }
runs:
  workers: 0
  timeout: 1s
  retention: 2s
  max_attempts: 4
  lease: 5s
  max_queued: 6
  webhook: { secret: whsec_${"A".repeat(32)}, max_attempts: 7, timeout: 8s }
request_log: { enabled: false, retention: 60s }
workers: 12
`);
    expect(withoutFolder(settings)).toEqual({
      workers: 12,
      auth: {
        keys: [
          {
            id: "ci",
            sha256: "0f".repeat(32),
            scopes: [Scope.CHAT, Scope.RUNS, Scope.ADMIN],
            models: ["claude/*"],
            limits: create(KeyLimitsSchema, {
              requestsPerMinute: 1,
              tokensPerMinute: 5_000_000_000n,
              concurrent: 3,
              concurrentStreams: 4,
            }),
            logContent: true,
          },
          {
            id: "plain",
            sha256: "a".repeat(64),
            scopes: [Scope.CHAT, Scope.MODELS],
            models: [],
            limits: undefined,
            logContent: false,
          },
        ],
        jwt: {
          issuer: "https://id.example",
          audience: "parley",
          jwksUrl: "https://id.example/jwks.json",
          algorithms: ["ES384"],
          scopesClaim: "scp",
          scopePrefix: "parley:",
          modelsClaim: "m",
          limitsClaim: "l",
          clockToleranceMs: 0,
        },
        defaultLimits: create(KeyLimitsSchema, { budget: { dollars: 2.5, per: Budget_Period.DAY } }),
      },
      store: { dataDir: "/state", databaseUrl: "postgres://me:pass@db.example/parley" },
      redisUrl: "rediss://redis.example",
      runs: {
        workers: 0,
        timeoutMs: 1_000,
        retentionMs: 2_000,
        maxAttempts: 4,
        leaseMs: 5_000,
        maxQueued: 6,
        webhook: { secret: `whsec_${"A".repeat(32)}`, maxAttempts: 7, timeoutMs: 8_000 },
      },
      requestLog: { enabled: false, retentionMs: 60_000 },
      listen: { host: "::1", port: 0 },
      tls: undefined,
      telemetry: { traces: undefined, metrics: undefined },
      limits: { maxBodyBytes: 1024, maxConnections: 5, maxConcurrentStreams: 6 },
      timeouts: {
        totalMs: 1000,
        firstChunkMs: 250,
        idleMs: 2500,
        attemptMs: 6000,
        headersMs: 3000,
        requestMs: 4000,
        keepAliveMs: 5000,
        drainMs: 0,
      },
      cors: { allowedOrigins: ["https://app.example", "http://localhost:3000", "capacitor://localhost"] },
      logLevel: "debug",
      models: [
        {
          id: "best",
          targets: ["claude/claude-opus-4-1", "sandbox/eliza"],
          policy: "latency",
          weights: new Map([
            ["claude/claude-opus-4-1", 9],
            ["sandbox/eliza", 1],
          ]),
        },
        { id: "plain", targets: ["sandbox/echo"], policy: "quality", weights: new Map() },
      ],
      auto: { policy: "cost", models: ["best", "sandbox/echo"] },
      routing: {
        maxRetries: 0,
        maxWaitMs: 0,
        retryBudget: { burst: 0, ratio: 0 },
        breaker: { failureRatio: 0.25, window: 8, minCalls: 4, openMs: 500, maxOpenMs: 2_000 },
      },
      sandbox: { tokenDelayMs: 0 },
      providers: [
        {
          id: "claude",
          place: { file: "parley.yaml", path: "providers[0].anthropic" },
          concurrency: { maxInFlight: 2, maxQueue: 0 },
          kind: "anthropic",
          config: create(AnthropicSchema, {
            baseUrl: "https://anthropic.example/",
            apiKey: "k1",
            apiKeys: ["k2", "k3"],
            headers: { "x-team": "blue" },
          }),
        },
      ],
      mediaFetch: { enabled: true, maxBytes: 2048, timeoutMs: 3500 },
      modelListRefreshMs: 60_000,
      proxy: { http: undefined, https: undefined, none: undefined },
    });
  });

  it("rounds a time up to whole milliseconds, so that none becomes zero", async () => {
    const { timeouts, sandbox } = await loadText("timeouts: { total: 0.0001s }\nsandbox: { token_delay: 0.0205s }");
    expect([timeouts.totalMs, sandbox.tokenDelayMs]).toEqual([1, 21]);
  });

  it("takes each level of the log", async () => {
    const levels = ["silent", "error", "warn", "info", "debug"];
    const loaded = await Promise.all(levels.map((level) => loadText(`log: { level: ${level} }`)));
    expect(loaded.map(({ logLevel }) => logLevel)).toEqual(levels);
  });

  it("repeats what an anchor stands for", async () => {
    const { timeouts } = await loadText("timeouts: { total: &t 7s, idle: *t }");
    expect([timeouts.totalMs, timeouts.idleMs]).toEqual([7000, 7000]);
  });
});

describe("loadConfig() chooses the file", () => {
  const files = {
    "parley.yaml": "auto: { models: [sandbox/default] }",
    "named.yaml": "auto: { models: [sandbox/option] }",
    "conf/env.yaml": "auto: { models: [sandbox/environment] }",
  };
  it.each<{ what: string; path?: string; env: Environment; model: string; file: string }>([
    { what: "./parley.yaml", env: {}, model: "sandbox/default", file: "parley.yaml" },
    {
      what: "PARLEY_CONFIG before it",
      env: { PARLEY_CONFIG: "conf/env.yaml" },
      model: "sandbox/environment",
      file: "conf/env.yaml",
    },
    {
      what: "--config before both",
      path: "named.yaml",
      env: { PARLEY_CONFIG: "conf/env.yaml" },
      model: "sandbox/option",
      file: "named.yaml",
    },
    {
      what: "./parley.yaml for an empty PARLEY_CONFIG",
      env: { PARLEY_CONFIG: "" },
      model: "sandbox/default",
      file: "parley.yaml",
    },
  ])("$what", async ({ path, env, model, file }) => {
    const cwd = createFolder(files);
    const settings = await loadConfig({ env, cwd, path });
    expect([settings.auto.models, settings.file]).toEqual([[model], join(cwd, file)]);
  });

  it.each<{ what: string; path?: string; env: Environment; problem: string }>([
    { what: "--config", path: "gone.yaml", env: {}, problem: "gone.yaml: can't be read: there is no such file" },
    {
      what: "PARLEY_CONFIG",
      env: { PARLEY_CONFIG: "gone.yaml" },
      problem: "gone.yaml: can't be read: there is no such file",
    },
    { what: "an empty name", path: "", env: {}, problem: "the configuration file's name is empty" },
    { what: "a folder", path: "conf", env: {}, problem: "conf: can't be read: it is a directory" },
  ])("rejects $what that can't be read", async ({ path, env, problem }) => {
    expect(await problemsOf(loadConfig({ env, cwd: createFolder(files), path }))).toEqual([problem]);
  });
});

describe("loadConfig() lets the environment win", () => {
  const cwd = (): string => createFolder({ "parley.yaml": "listen: 127.0.0.1:1\nlog: { level: warn }" });

  it.each<{ what: string; env: Environment; listen?: string; logLevel?: string; port: number; level: string }>([
    { what: "the file by itself", env: {}, port: 1, level: "warn" },
    {
      what: "the environment before the file",
      env: { PARLEY_LISTEN: "127.0.0.1:2", PARLEY_LOG_LEVEL: "error" },
      port: 2,
      level: "error",
    },
    {
      what: "the command line before both",
      env: { PARLEY_LISTEN: "127.0.0.1:2", PARLEY_LOG_LEVEL: "error" },
      listen: "localhost:3",
      logLevel: "silent",
      port: 3,
      level: "silent",
    },
    {
      what: "the file before empty variables",
      env: { PARLEY_LISTEN: "", PARLEY_LOG_LEVEL: "" },
      port: 1,
      level: "warn",
    },
  ])("$what", async ({ env, listen, logLevel, port, level }) => {
    const settings = await loadConfig({ env, cwd: cwd(), listen, logLevel });
    expect([settings.listen.port, settings.logLevel]).toEqual([port, level]);
  });

  it("overrules a file that would listen for everybody", async () => {
    const folder = createFolder({ "parley.yaml": "listen: 0.0.0.0:80" });
    const settings = await loadConfig({ env: { PARLEY_LISTEN: "127.0.0.1:0" }, cwd: folder });
    expect(settings.listen).toEqual({ host: "127.0.0.1", port: 0 });
  });

  it.each<{ env: Environment; problem: string }>([
    {
      env: { PARLEY_LOG_LEVEL: "verbose" },
      problem: 'PARLEY_LOG_LEVEL: "verbose" must be one of silent, error, warn, info, debug',
    },
    {
      env: { PARLEY_LOG_LEVEL: "INFO" },
      problem: 'PARLEY_LOG_LEVEL: "INFO" must be one of silent, error, warn, info, debug',
    },
    { env: { PARLEY_LISTEN: ":8080" }, problem: 'PARLEY_LISTEN: ":8080" has no host; put 127.0.0.1 before the colon' },
    {
      env: { PARLEY_LISTEN: "127.0.0.1:70000" },
      problem: 'PARLEY_LISTEN: "127.0.0.1:70000" has port 70000, which must be <= 65535',
    },
  ])("and rejects $env", async ({ env, problem }) => {
    expect(await problemsOf(loadConfig({ env, cwd: cwd() }))).toEqual([problem]);
  });
});

describe("loadConfig() of workers", () => {
  const load = (file: string, workers?: string): Promise<Settings> =>
    loadConfig({ env: {}, cwd: createFolder({ "parley.yaml": file }), workers });

  it("lets the command line win, and takes as many as there are processors for 0", async () => {
    const loaded = await Promise.all([
      load(""),
      load("workers: 3"),
      load("workers: 3", "2"),
      load("workers: 3", "256"),
      load("workers: 0"),
      load("workers: 3", "0"),
    ]);
    const processors = availableParallelism();
    expect(loaded.map(({ workers }) => workers)).toEqual([1, 3, 2, 256, processors, processors]);
  });

  it.each([
    ["--workers", "", "two", '--workers: "two" must be a whole number from 0 to 256'],
    ["--workers", "", "-1", '--workers: "-1" must be a whole number from 0 to 256'],
    ["--workers", "", "257", '--workers: "257" must be a whole number from 0 to 256'],
    ["the file", "workers: 257", undefined, "parley.yaml: workers: 257 must be greater than or equal to 0 and"],
  ])("refuses what is no number of them in %s: %j %j", async (_where, file, flag, problem) => {
    const [first, ...more] = await problemsOf(load(file, flag));
    expect([first?.startsWith(problem), more]).toEqual([true, []]);
  });
});

describe("loadConfig() without authentication", () => {
  const reason = (host: string): string =>
    `listening on ${host} without authentication would let anybody who reaches this machine call the models; make a key with ` +
    '"parley keys create", or name keys or an issuer of tokens under auth in the file, or listen on 127.0.0.1 or [::1]';

  it.each([
    ["0.0.0.0:8080", "0.0.0.0"],
    ["[::]:8080", "::"],
    ["192.168.1.2:0", "192.168.1.2"],
    ["[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1"],
    ["gateway.example:80", "gateway.example"],
    ["localhost.example:80", "localhost.example"],
  ])("refuses %s, wherever it is given", async (listen, host) => {
    const fromFile = problemsOf(loadText(`listen: "${listen}"`));
    const fromEnvironment = problemsOf(loadText("", { PARLEY_LISTEN: listen }));
    const fromOption = problemsOf(loadConfig({ env: {}, cwd: createFolder(), listen }));
    expect(await Promise.all([fromFile, fromEnvironment, fromOption])).toEqual([
      [`parley.yaml: listen: ${reason(host)}`],
      [`PARLEY_LISTEN: ${reason(host)}`],
      [`--listen: ${reason(host)}`],
    ]);
  });
});

describe("loadConfig() where somebody could be known", () => {
  const key = `{ id: a, sha256: ${"a0".repeat(32)} }`;

  it.each<[what: string, files: Readonly<Record<string, string>>, env: Environment]>([
    ["keys of the file", { "parley.yaml": `auth: { keys: [${key}] }` }, {}],
    ["tokens", { "parley.yaml": "auth: { jwt: { issuer: a, audience: b, jwks_url: 'https://id.example/jwks' } }" }, {}],
    ["a PostgreSQL database", {}, { DATABASE_URL: "postgres://db.example/parley" }],
    [
      "a PostgreSQL database of the file",
      { "parley.yaml": "store: { database_url: 'postgresql://db.example/p' }" },
      {},
    ],
    ["a database in the default folder", { "parley-data/parley.sqlite": "" }, {}],
    ["a database in the folder of the environment", { "state/parley.sqlite": "" }, { PARLEY_DATA_DIR: "state" }],
    [
      "a database in the folder of the file",
      { "parley.yaml": "store: { data_dir: state }", "state/parley.sqlite": "" },
      {},
    ],
  ])("lets Parley listen for everybody: %s", async (_what, files, env) => {
    const { listen } = await loadConfig({ env: { ...env, PARLEY_LISTEN: "0.0.0.0:80" }, cwd: createFolder(files) });
    expect(listen).toEqual({ host: "0.0.0.0", port: 80 });
  });

  it.each<[text: string, problem: string]>([
    ["auth: { keys: 1 }", "auth.keys: must be an array, not a number"],
    ["store: { data_dir: 1 }", "store.data_dir: must be a string, not a number"],
    [`auth: { keys: ["$\{NONE}"] }`, "auth.keys[0]: takes the environment variable NONE, which is not set"],
  ])("says nothing of that where it could not be read: %s", async (text, problem) => {
    expect(await problemsOf(loadText(text, { PARLEY_LISTEN: "0.0.0.0:80" }))).toEqual([`parley.yaml: ${problem}`]);
  });
});

describe("loadConfig() of where state is", () => {
  it.each<{ what: string; text: string; env: Environment; dataDir: string; databaseUrl?: string; redisUrl?: string }>([
    {
      what: "the file",
      text: "store: { data_dir: ../a, database_url: 'postgres://f/p' }\nredis: { url: 'redis://f' }",
      env: { PARLEY_DATA_DIR: "", DATABASE_URL: "", REDIS_URL: "" },
      dataDir: "a",
      databaseUrl: "postgres://f/p",
      redisUrl: "redis://f",
    },
    {
      what: "the environment before the file",
      text: "store: { data_dir: a, database_url: 'postgres://f/p' }\nredis: { url: 'redis://f' }",
      env: { PARLEY_DATA_DIR: "b", DATABASE_URL: "postgresql://e/p", REDIS_URL: "rediss://e" },
      dataDir: "b",
      databaseUrl: "postgresql://e/p",
      redisUrl: "rediss://e",
    },
    { what: "an absolute folder", text: "", env: { PARLEY_DATA_DIR: "/c" }, dataDir: "/c" },
  ])("$what", async ({ text, env, dataDir, databaseUrl, redisUrl }) => {
    const cwd = createFolder({ "conf/my.yaml": text });
    const { store, ...settings } = await loadConfig({ env, cwd, path: "conf/my.yaml" });
    expect([store, settings.redisUrl]).toEqual([{ dataDir: resolve(cwd, dataDir), databaseUrl }, redisUrl]);
  });

  const POSTGRES = 'must be an address that begins with "postgres://" or "postgresql://"';
  const REDIS = 'must be an address that begins with "redis://" or "rediss://"';

  it.each<[text: string, env: Environment, problem: string]>([
    ["", { DATABASE_URL: "mysql://me:s3cr3t@db" }, `DATABASE_URL: ${POSTGRES}`],
    ["", { DATABASE_URL: "s3cr3t" }, `DATABASE_URL: ${POSTGRES}`],
    ["store: { database_url: 'http://db' }", {}, `parley.yaml: store.database_url: ${POSTGRES}`],
    ["", { REDIS_URL: "redis.example:6379" }, `REDIS_URL: ${REDIS}`],
    ["redis: { url: 'http://redis.example' }", {}, `parley.yaml: redis.url: ${REDIS}`],
  ])("rejects addresses of something else, and does not show them: %j %j", async (text, env, problem) => {
    expect(await problemsOf(loadText(text, env))).toEqual([problem]);
  });
});

describe("ConfigError", () => {
  it("has the problems as data", async () => {
    const thrown: unknown = await loadText("a: [", { PARLEY_LISTEN: "x" }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ConfigError);
    expect(thrown).toMatchObject({
      file: "parley.yaml",
      problems: [
        { file: "parley.yaml", path: "", position: { line: 1, column: 5 } },
        { path: "PARLEY_LISTEN", message: expect.stringContaining("must be host:port") },
      ],
    });
  });
});

/** Settings without what is different in each folder. */
function withoutFolder({ file, store, ...settings }: Settings): Omit<Settings, "file"> {
  const dataDir = store.dataDir.replace(dirname(file ?? ""), "");
  return { ...settings, store: { ...store, dataDir } };
}
