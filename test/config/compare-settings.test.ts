import { describe, expect, it } from "vitest";
import { changedKeys, checkChange } from "../../src/config/compare-settings.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { loadText } from "./load.ts";

const PROVIDERS = `providers:
  - { id: a, openai_compatible: { base_url: "http://127.0.0.1:1/v1", api_key: one, headers: { x: "1" } } }
  - { id: b, google: {} }
`;

describe("changedKeys()", () => {
  it.each<[text: string, keys: string[]]>([
    ["", ["providers"]],
    [PROVIDERS, []],
    [`# A comment, and a default.\nlimits: { max_body_bytes: 33554432 }\n${PROVIDERS}`, []],
    [PROVIDERS.replace("one", "two"), ["providers"]],
    [PROVIDERS.replace('x: "1"', 'x: "2"'), ["providers"]],
    [
      `${PROVIDERS}limits: { max_connections: 5 }\nlog: { level: warn }\nmedia_fetch: { enabled: true }\nmodel_lists: { refresh: 9s }`,
      ["limits", "log", "media_fetch", "model_lists"],
    ],
    [
      `${PROVIDERS}timeouts: { total: 1s }\ncors: { allowed_origins: ["*"] }\nsandbox: { token_delay: 1s }`,
      ["timeouts", "cors", "sandbox"],
    ],
    [`${PROVIDERS}listen: "127.0.0.1:1"`, ["listen"]],
    [
      `${PROVIDERS}auth: { default_limits: { concurrent: 1 } }\nredis: { url: "redis://a" }\nruns: { workers: 1 }\nrequest_log: { enabled: false }\nworkers: 2`,
      ["auth", "redis", "runs", "request_log", "workers"],
    ],
  ])("compares with %j", async (text, keys) => {
    const env = { PARLEY_DATA_DIR: "/state" };
    expect(changedKeys(await loadText(PROVIDERS, env), await loadText(text, env))).toEqual(keys);
  });
});

describe("changedKeys() of providers", () => {
  it("counts their order, and not under which name the file was read", async () => {
    const before = await loadText(PROVIDERS);
    const places = before.providers.map((provider) => ({ ...provider, place: { file: "/other.yaml", path: "x" } }));
    expect(changedKeys(before, { ...before, providers: places })).toEqual([]);
    expect(changedKeys(before, { ...before, providers: places.toReversed() })).toEqual(["providers"]);
  });
});

describe("checkChange()", () => {
  it.each<[text: string, paths: string[]]>([
    ["listen: 127.0.0.1:9", ["listen"]],
    ["store: { database_url: 'postgres://a/b' }\nredis: { url: 'redis://a' }", ["store", "redis"]],
    [`auth: { keys: [{ id: a, sha256: ${"a0".repeat(32)} }] }\nrequest_log: { enabled: false }`, []],
    ["runs: { workers: 1 }", ["runs"]],
    ["workers: 2", ["workers"]],
    [
      "limits: { max_concurrent_streams: 9 }\ntimeouts: { headers: 9s }",
      ["limits.max_concurrent_streams", "timeouts.headers"],
    ],
    [
      "limits: { max_connections: 9, max_body_bytes: 2048 }\ntimeouts: { request: 99s, drain: 1s }\nlog: { level: error }",
      [],
    ],
  ])("says what needs a restart: %j", async (text, paths) => {
    const env = { PARLEY_DATA_DIR: "/state" };
    const next = await loadText(text, env);
    let found: unknown[] = [];
    try {
      checkChange(await loadText("", env), next);
    } catch (thrown) {
      found = thrown instanceof ConfigError ? thrown.problems.map(({ path }) => path) : [thrown];
    }
    expect(found).toEqual(paths);
  });

  it("takes another certificate, but not the end of TLS", async () => {
    const plain = await loadText("");
    const secured = { ...plain, tls: { certFile: "c", keyFile: "k", cert: "one", key: "one" } };
    const renewed = { ...plain, tls: { ...secured.tls, cert: "two", key: "two" } };
    expect(() => checkChange(secured, renewed)).not.toThrow();
    expect(() => checkChange(secured, plain)).toThrow(/: tls: can't be switched on or off while Parley runs/);
    expect(() => checkChange(plain, secured)).toThrow(ConfigError);
  });
});
