import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { formatSettings } from "../../src/config/format-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { loadText } from "./load.ts";

const FIXTURES = join(process.cwd(), "test/server/fixtures");
const FULL = `
listen: "[::1]:9"
workers: 3
tls: { cert_file: ${FIXTURES}/localhost-cert.pem, key_file: ${FIXTURES}/localhost-key.pem }
limits: { max_body_bytes: 2048, max_connections: 5, max_concurrent_streams: 6 }
timeouts: { total: 1s, first_chunk: 0.25s, idle: 2.5s, headers: 3s, request: 4s, keep_alive: 5s, drain: 0s, attempt: 6s }
cors: { allowed_origins: ["*"] }
log: { level: silent }
sandbox: { token_delay: 0.001s }
providers:
  - id: azure
    openai_compatible: { base_url: "https://a.example/openai/v1?api-version=preview" }
    concurrency: { max_in_flight: 3, max_queue: 0 }
  - id: claude
    anthropic: { base_url: "http://[::1]:8000/" }
  - id: gemini
    google: {}
media_fetch: { enabled: true, max_bytes: 1024, timeout: 0.5s }
model_lists: { refresh: 1s }
models:
  - { id: big, targets: [azure/a, claude/b], policy: cost, weights: { azure/a: 2, claude/b: 1 } }
  - { id: org/small, targets: [gemini/c] }
auto: { policy: latency, models: [org/small, big, sandbox/echo] }
routing:
  max_retries: 0
  max_wait: 0.5s
  retry_budget: { burst: 3, ratio: 1 }
  breaker: { failure_ratio: 0.1, window: 2, min_calls: 2, open: 0.25s, max_open: 0.25s }
auth:
  keys:
    - id: ci
      sha256: ${"0f".repeat(32)}
      scopes: [chat, models, runs, requests, admin]
      models: ["azure/*", "a$\${B}"]
      limits: { requests_per_minute: 1, tokens_per_minute: 9000000000, concurrent: 3, concurrent_streams: 4 }
      log_content: true
    - { id: b, sha256: ${"b1".repeat(32)}, limits: { budget: { dollars: 0.5, per: month } } }
  jwt:
    issuer: i
    audience: a
    jwks_url: http://127.0.0.1:1/jwks
    algorithms: [ES256]
    scopes_claim: scp
    scope_prefix: "p:"
    models_claim: m
    limits_claim: l
    clock_tolerance: 1.5s
  default_limits: { concurrent: 9 }
store: { data_dir: /state, database_url: "postgres://db.example/parley?sslmode=require" }
redis: { url: "redis://redis.example:6379/1" }
runs: { workers: 1, timeout: 2s, retention: 3s, max_attempts: 4, lease: 5s, max_queued: 6, webhook: { max_attempts: 7, timeout: 8s } }
request_log: { enabled: false, retention: 61s }
`;

/** Settings without the places that they come from. */
const withoutPlaces = ({ providers, ...settings }: Settings) => ({
  ...settings,
  file: "",
  store: { ...settings.store, dataDir: "" },
  providers: providers.map((provider) => ({ ...provider, place: "" })),
});

describe("formatSettings()", () => {
  it.each([
    ["the defaults", ""],
    ["every key", FULL],
    [
      "what looks like a variable",
      `models: [{ id: "$\${B}$\${", targets: ["sandbox/$\${B}"], weights: { "sandbox/\${B}": 1 } }]`,
    ],
  ])("writes %s as a file that reads back as the same settings", async (_what, text) => {
    const settings = await loadText(text);
    const again = await loadText(formatSettings(settings));
    expect(withoutPlaces(again)).toEqual(withoutPlaces(settings));
  });

  it("keeps the texts of certificate and key to itself", async () => {
    const text = formatSettings(await loadText(FULL));
    expect(text).toContain(`key_file: ${FIXTURES}/localhost-key.pem`);
    expect(text).not.toContain("BEGIN");
  });

  it("shows no secret of a provider, and reads back with the rest", async () => {
    const text = `
providers:
  - id: a
    openai_compatible:
      base_url: "https://a.example/v1?api-version=preview&sig=s3cr3t&b"
      api_key: "\${KEY}"
      api_keys: ["\${KEY}1", "\${KEY}2"]
      headers: { x-team: s3cr3t, Authorization: "Bearer s3cr3t" }
  - { id: b, anthropic: { api_keys: ["\${KEY}"] } }
  - { id: c, google: { api_keys: ["\${KEY}"] } }
`;
    const formatted = formatSettings(await loadText(text, { KEY: "s3cr3t", GEMINI_API_KEY: "s3cr3t" }));
    expect(formatted).not.toContain("s3cr3t");
    const { providers } = await loadText(formatted);
    expect(providers.map(({ id, kind, config }) => ({ id, kind, ...config }))).toMatchObject([
      {
        id: "a",
        kind: "openaiCompatible",
        baseUrl: "https://a.example/v1?api-version=preview&sig=redacted&redacted",
        apiKey: "[redacted]",
        apiKeys: ["[redacted]", "[redacted]"],
        headers: { "x-team": "[redacted]", Authorization: "[redacted]" },
      },
      { id: "b", kind: "anthropic", apiKeys: ["[redacted]"] },
      { id: "c", kind: "google", apiKeys: ["[redacted]"] },
      { id: "google", kind: "google", apiKey: "[redacted]" },
    ]);
  });

  it("shows no password of a database, and no secret of webhooks", async () => {
    const text = `
store: { database_url: "postgres://me:s3cr3t@s3cr3t@db.example:5432/parley?sslmode=require&password=s3cr3t&s3cr3t" }
redis: { url: "rediss://:s3cr3t@redis.example" }
runs: { webhook: { secret: "whsec_s3cr3t${"A".repeat(34)}" } }
`;
    const formatted = formatSettings(await loadText(text));
    expect(formatted).not.toContain("s3cr3t");
    expect(parse(formatted)).toMatchObject({
      store: {
        database_url: "postgres://me:[redacted]@db.example:5432/parley?sslmode=require&password=[redacted]&[redacted]",
      },
      redis: { url: "rediss://:[redacted]@redis.example" },
      runs: { webhook: { secret: "[redacted]" } },
    });
  });
});
