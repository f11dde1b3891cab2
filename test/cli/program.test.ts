import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { runProgram } from "../../src/cli/program.ts";
import { createFolder } from "../config/folder.ts";

const VERSION = packageJson.version;

/** Runs a command line inside the test; none of these gets as far as a start. */
async function run(args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const out = { stdout: "", stderr: "" };
  const status = await runProgram(args, {
    env: {},
    cwd: createFolder(),
    stdout: { write: (text) => (out.stdout += text) },
    stderr: { write: (text) => (out.stderr += text) },
  });
  return { status, ...out };
}

describe("parley", () => {
  it.each([["--help"], ["-h"], ["help"], []])("prints its help for %j", async (...args) => {
    const { status, stdout, stderr } = await run(args.filter((arg) => arg !== undefined));
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Usage: parley .*\n[\s\S]*serve [\s\S]*check-config [\s\S]*PARLEY_LISTEN/);
  });

  it("prints the options of a command", async () => {
    const { status, stdout } = await run(["serve", "--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/--config <file>[\s\S]*--listen <host:port>[\s\S]*--log-level <level>/);
  });

  it("prints its version", async () => {
    expect(await run(["--version"])).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: "" });
  });

  it.each<[string[], RegExp]>([
    [["frobnicate"], /^error: unknown command 'frobnicate'\n/],
    [["serv"], /^error: unknown command 'serv'\n\(Did you mean serve\?\)\n/],
    [["--frobnicate"], /^error: unknown option '--frobnicate'\n/],
    [["serve", "--port", "80"], /^error: unknown option '--port'\n/],
    [["serve", "now"], /^error: too many arguments for 'serve'/],
    [["serve", "--listen"], /^error: option '--listen <host:port>' argument missing\n/],
    [["check-config", "a", "b"], /^error: too many arguments for 'check-config'/],
    [["serve", "--listen", "80"], /^--listen: "80" must be host:port, /],
    [["serve", "--log-level", "loud"], /^--log-level: "loud" must be one of silent, error, warn, info, debug\n$/],
    [["serve", "--config", "gone.yaml"], /^gone\.yaml: can't be read: there is no such file\n$/],
  ])("rejects %j with one reason and status 1", async (args, reason) => {
    const { status, stdout, stderr } = await run(args);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(reason);
  });

  it("is what src/main.ts runs", () => {
    const args = ["--import", "tsx/esm", "src/main.ts", "--version"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: "" });
  });

  it("is what the package's own command runs, from any folder", () => {
    const command = resolve(packageJson.bin.parley);
    const { status, stdout, stderr } = spawnSync(command, ["--version"], { cwd: createFolder(), encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: "" });
  });
});
