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
      limits: { max_body_bytes: 33_554_432, max_connections: 10_000, max_concurrent_streams: 1_000 },
      timeouts: { total: "60s", idle: "120s", headers: "10s", request: "300s", keep_alive: "15s", drain: "30s" },
      log: { level: "debug" },
      auto_model: "sandbox/eliza",
      sandbox: { token_delay: "0.02s" },
    });
  });

  it("prints what reads back as a valid file", async () => {
    const cwd = createFolder({ "parley.yaml": "cors: { allowed_origins: ['*'] }" });
    const { stdout } = await runParley(["check-config"], { cwd });
    const again = await runParley(["check-config"], { cwd: createFolder({ "parley.yaml": stdout }) });
    expect(again.status).toBe(0);
    expect(parse(again.stdout)).toEqual(parse(stdout));
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
    const cwd = createFolder({ "my.yaml": "listen: 0.0.0.0:80\nauto_model: auto\ntimeout: 3s" });
    const { status, stdout, stderr } = await runParley(["check-config", "my.yaml"], { cwd });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n")).toEqual([
      "my.yaml: timeout: is not a key of the configuration",
      expect.stringMatching(/^my\.yaml: listen: listening on 0\.0\.0\.0 without authentication would /),
      'my.yaml: auto_model: "auto" must be the name of another model, such as "sandbox/eliza"',
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
