import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createFolder } from "../config/folder.ts";
import { runParley } from "./parley.ts";

describe("parley check-config", () => {
  it("says that a file is valid, and prints the settings that are in force", async () => {
    const cwd = createFolder({ "my.yaml": "timeouts: { total: 60s }\nlog: { level: warn }" });
    const env = { PARLEY_LISTEN: "[::1]:9", PARLEY_LOG_LEVEL: "debug" };
    const { status, stdout, stderr } = await runParley(["check-config", "my.yaml"], { cwd, env });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^# my\.yaml is valid\. In force are:\n/);
    expect(parse(stdout)).toEqual({
      listen: "[::1]:9",
      workers: 1,
      limits: { max_body_bytes: 33_554_432, max_connections: 10_000, max_concurrent_streams: 1_000 },
      timeouts: { total: "60s", idle: "120s", headers: "10s", request: "300s", keep_alive: "15s", drain: "30s" },
      log: { level: "debug" },
      sandbox: { token_delay: "0.02s" },
      media_fetch: { enabled: false, max_bytes: 20_971_520, timeout: "10s" },
      model_lists: { refresh: "300s" },
      auto: { policy: "quality", models: ["sandbox/eliza"] },
      routing: {
        max_retries: 2,
        max_wait: "10s",
        retry_budget: { burst: 10, ratio: 0.2 },
        breaker: { failure_ratio: 0.5, window: 20, min_calls: 5, open: "1s", max_open: "10s" },
      },
      store: { data_dir: join(cwd, "parley-data") },
      runs: {
        workers: 4,
        timeout: "3600s",
        retention: "86400s",
        max_attempts: 3,
        lease: "15s",
        max_queued: 1000,
        webhook: { max_attempts: 8, timeout: "10s" },
      },
      request_log: { enabled: true, retention: "2592000s" },
    });
  });

  it("prints what reads back as a valid file", async () => {
    const cwd = createFolder({ "parley.yaml": "cors: { allowed_origins: ['*'] }" });
    const { stdout } = await runParley(["check-config"], { cwd });
    const again = await runParley(["check-config"], { cwd: createFolder({ "parley.yaml": stdout }) });
    expect(again.status).toBe(0);
    expect(parse(again.stdout)).toEqual(parse(stdout));
  });

  it("prints the models that auto has of the providers", async () => {
    const env = { GEMINI_API_KEY: "k", OPENAI_API_KEY: "k" };
    const { stdout } = await runParley(["check-config"], { cwd: createFolder(), env });
    expect(parse(stdout)).toMatchObject({
      auto: { policy: "quality", models: ["openai/gpt-5.2", "google/gemini-2.5-pro"] },
      providers: [
        { id: "openai", concurrency: { max_in_flight: 1000, max_queue: 1000 } },
        { id: "google", concurrency: { max_in_flight: 1000, max_queue: 1000 } },
      ],
    });
  });

  it("shows the providers of file and environment, and no secret of theirs", async () => {
    const section =
      'base_url: "https://a.example/v1", api_key: KEY, api_keys: [KEY2, KEY3], headers: { x-a: KEY }'.replaceAll(
        /KEY\d?/g,
        (name) => `"\${${name}}"`,
      );
    const cwd = createFolder({ "parley.yaml": `providers: [{ id: a, openai_compatible: { ${section} } }]` });
    const env = {
      KEY: "s3cr3t",
      KEY2: "s3cr3t2",
      KEY3: "s3cr3t3",
      ANTHROPIC_API_KEY: "s3cr3t",
      HTTPS_PROXY: "http://me:s3cr3t@proxy.example",
    };
    const { status, stdout, stderr } = await runParley(["check-config"], { cwd, env });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).not.toContain("s3cr3t");
    expect(parse(stdout)).toMatchObject({
      providers: [
        {
          id: "a",
          openai_compatible: {
            base_url: "https://a.example/v1",
            api_key: "[redacted]",
            api_keys: ["[redacted]", "[redacted]"],
            headers: { "x-a": "[redacted]" },
          },
        },
        { id: "anthropic", anthropic: { api_key: "[redacted]" } },
      ],
    });
  });

  it("finds the faults of providers, wherever they are configured, and shows no value", async () => {
    const cwd = createFolder({
      "parley.yaml": "providers: [{ id: a, google: {} }, { id: a, google: { api_key: 's3cr3t ' } }]",
    });
    const env = { OPENAI_BASE_URL: "s3cr3t", http_proxy: "socks5://s3cr3t" };
    const { status, stdout, stderr } = await runParley(["check-config"], { cwd, env });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n")).toEqual([
      'OPENAI_BASE_URL: must be an address that starts with "https://" or "http://"',
      'parley.yaml: providers[1].id: "a" is the id of providers[0], too',
      "parley.yaml: providers[1].google.api_key: has a blank, a line break, or another character that no key has",
      'http_proxy: must be the address of an HTTP proxy, such as "http://proxy.example:3128"',
      "",
    ]);
  });

  it("finds the file where serve does", async () => {
    const cwd = createFolder({ "conf/a.yaml": "" });
    const { status, stdout } = await runParley(["check-config"], { cwd, env: { PARLEY_CONFIG: "conf/a.yaml" } });
    expect(status).toBe(0);
    expect(stdout.split("\n")[0]).toBe(`# ${join(cwd, "conf/a.yaml")} is valid. In force are:`);
  });

  it("prints the defaults where there is no file", async () => {
    const { status, stdout } = await runParley(["check-config"], { cwd: createFolder() });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^# There is no configuration file\. In force are:\nlisten: 127\.0\.0\.1:8080\n/);
  });

  it("names each problem on a line of standard error, and fails", async () => {
    const cwd = createFolder({ "my.yaml": "listen: 0.0.0.0:80\nauto: { models: [auto] }\ntimeout: 3s" });
    const { status, stdout, stderr } = await runParley(["check-config", "my.yaml"], { cwd });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n")).toEqual([
      "my.yaml: timeout: is not a key of the configuration",
      expect.stringMatching(/^my\.yaml: listen: listening on 0\.0\.0\.0 without authentication would /),
      'my.yaml: auto.models[0]: "auto" can\'t be one of its own models',
      "",
    ]);
  });

  it("says where a file is not YAML", async () => {
    const cwd = createFolder({ "my.yaml": "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n" });
    const { status, stderr } = await runParley(["check-config", "my.yaml"], { cwd });
    expect([status, stderr]).toEqual([1, "my.yaml:2:1: this key is there twice\n"]);
  });

  it("fails for a file that is not there", async () => {
    const { status, stdout, stderr } = await runParley(["check-config", "gone.yaml"], { cwd: createFolder() });
    expect([status, stdout, stderr]).toEqual([1, "", "gone.yaml: can't be read: there is no such file\n"]);
  });
});
