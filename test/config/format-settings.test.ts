import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatSettings } from "../../src/config/format-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { loadText } from "./load.ts";

const FIXTURES = join(process.cwd(), "test/server/fixtures");
const FULL = `
listen: "[::1]:9"
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
`;

/** Settings without the places that they come from. */
const withoutPlaces = ({ providers, ...settings }: Settings) => ({
  ...settings,
  file: "",
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
});
