import { exec, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFolder } from "../config/folder.ts";
import { type Parley, runParley, startParley } from "./parley.ts";

/** The banner's commands are for people; a machine that tests may have no curl. */
const HAS_CURL = spawnSync("curl", ["--version"]).status === 0;

const ANY_PORT = { PARLEY_LISTEN: "127.0.0.1:0" };

/** Waits for the banner and returns the URL in it. */
async function urlOf(parley: Parley): Promise<string> {
  const [, url] = await parley.until("stderr", /^Parley \S+ listens on (\S+)$/m);
  return url ?? "";
}

/** Opens a stream and waits for its first bytes; the rest can be awaited. */
async function openStream(url: string): Promise<{ rest: Promise<string> }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"model":"auto","stream":true,"messages":[{"role":"user","content":"Hello"}]}',
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  const first = await reader.read();
  const readRest = async (): Promise<string> => {
    let text = first.value ?? "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
    return text;
  };
  return { rest: readRest() };
}

/** A folder with a configuration for TLS, and a space in the names. */
function createTlsFolder(): string {
  const fixture = (name: string): string => readFileSync(`test/server/fixtures/localhost-${name}.pem`, "utf8");
  return createFolder({
    "parley.yaml": "tls: { cert_file: tls files/cert.pem, key_file: tls files/key.pem }",
    "tls files/cert.pem": fixture("cert"),
    "tls files/key.pem": fixture("key"),
  });
}

/** Runs the banner's commands that start with a program, and returns what they print. */
async function answersOf(program: string, cwd: string): Promise<string[]> {
  const parley = startParley(["serve"], { env: ANY_PORT, cwd });
  await parley.until("stderr", /CreateChatCompletion\n\n$/);
  const commands = parley.out.stderr.split("\n").filter((line) => line.startsWith(`  ${program} `));
  const run = promisify(exec);
  return Promise.all(commands.map(async (command) => (await run(command)).stdout));
}

describe("parley serve", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("serves until %s, and ends with status 0", async (signal) => {
    const parley = startParley(["serve"], { env: ANY_PORT, cwd: createFolder() });
    const url = await urlOf(parley);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    parley.child.kill(signal);
    expect(await parley.ended).toBe(0);
  });

  it("writes its log, and nothing else, as JSON lines on standard output", async () => {
    const parley = startParley(["serve"], { env: ANY_PORT, cwd: createFolder() });
    const url = await urlOf(parley);
    await (await fetch(`${url}/v1/models`, { headers: { authorization: "Bearer s3cr3t" } })).text();
    await (await fetch(`${url}/v1/models?key=s3cr3t`)).text();
    parley.child.kill();
    await parley.ended;
    const lines = parley.out.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find(({ msg }) => msg === "call")).toMatchObject({
      level: "info",
      door: "rest",
      operation: "ListModels",
      method: "GET",
      path: "/v1/models",
      status: 200,
    });
    expect(lines.at(-1)).toMatchObject({ msg: "stopped" });
    expect(parley.out.stdout).not.toContain("s3cr3t");
  });

  it("listens where --listen says, before the environment and the file", async () => {
    const cwd = createFolder({ "my.yaml": "listen: 127.0.0.1:1\nlog: { level: silent }" });
    const args = ["serve", "--config", "my.yaml", "--listen", "[::1]:0"];
    const parley = startParley(args, { env: { PARLEY_LISTEN: "127.0.0.1:2" }, cwd });
    const url = await urlOf(parley);
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    parley.child.kill();
    expect([await parley.ended, parley.out.stdout]).toEqual([0, ""]);
  });

  describe.each([
    ["in plain text", createFolder],
    ["over TLS", createTlsFolder],
  ])("%s", (_how, folder) => {
    it.skipIf(!HAS_CURL)("prints curl commands that work as they are", async () => {
      const [plain, streamed] = await answersOf("curl", folder());
      expect(JSON.parse(plain ?? "")).toMatchObject({ object: "chat.completion", model: "sandbox/eliza" });
      expect(streamed).toMatch(/^data: \{[\s\S]*\}\n\ndata: \[DONE\]\n\n$/);
    });

    it("prints buf commands that work as they are", async () => {
      const [grpc, connect] = await answersOf("npx buf", folder());
      const ending = '"finishReason": "FINISH_REASON_STOP"[\\s\\S]*"outcome": "OUTCOME_SUCCEEDED"';
      expect(grpc).toMatch(new RegExp(`"chunk": \\{[\\s\\S]*${ending}`));
      expect(connect).toMatch(new RegExp(`"completion": \\{[\\s\\S]*${ending}`));
    });
  });

  it("lets open calls finish, also when one keystroke arrives twice", async () => {
    const cwd = createFolder({ "parley.yaml": "sandbox: { token_delay: 0.05s }" });
    const parley = startParley(["serve"], { env: ANY_PORT, cwd });
    const { rest } = await openStream(await urlOf(parley));
    parley.child.kill("SIGINT");
    // Another signal than the first, because two of one kind can reach the process as one.
    parley.child.kill("SIGTERM");
    expect(await rest).toMatch(/data: \[DONE\]\n\n$/);
    expect(await parley.ended).toBe(0);
  });

  it("ends at once at a second signal", async () => {
    const cwd = createFolder({ "parley.yaml": "sandbox: { token_delay: 10s }" });
    const parley = startParley(["serve"], { env: ANY_PORT, cwd });
    const { rest } = await openStream(await urlOf(parley));
    const cut = rest.catch(() => "cut");
    parley.child.kill("SIGTERM");
    await parley.until("stdout", /"draining"/);
    // Less than half a second after the first, it would count as the same keystroke.
    await sleep(600);
    parley.child.kill("SIGTERM");
    expect(await parley.ended).toBe(130);
    expect(await cut).toBe("cut");
  });

  it("says in one line that the address is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { status, stderr } = await runParley(["serve", "--listen", address, "--log-level", "silent"], {
      cwd: createFolder(),
    });
    expect([status, stderr]).toEqual([
      1,
      `parley can't listen on ${address}: another program does already; choose another port with --listen or PARLEY_LISTEN\n`,
    ]);
  });

  it("says in one line that another one serves with the same folder, and what to do", async () => {
    const cwd = createFolder();
    const first = startParley(["serve"], { env: ANY_PORT, cwd });
    expect((await fetch(`${await urlOf(first)}/v1/admin/requests`)).status).toBe(200);
    const { status, stderr } = await runParley(["serve", "--log-level", "silent"], { env: ANY_PORT, cwd });
    expect(status).toBe(1);
    expect(stderr.split("\n")).toHaveLength(2);
    expect(stderr).toMatch(/^parley can't start: .*parley-data.*PARLEY_DATA_DIR.*DATABASE_URL/);
    // What only looks, and keys, go on beside it.
    expect((await runParley(["keys", "create", "--config", "none.yaml"], { env: ANY_PORT, cwd })).status).toBe(1);
    const made = await runParley(["keys", "create", "--json"], { env: ANY_PORT, cwd });
    expect(JSON.parse(made.stdout)).toMatchObject({
      key: { object: "key" },
      secret: expect.stringMatching(/^sk-parley-/),
    });
    first.child.kill();
    expect(await first.ended).toBe(0);
  });

  it("refuses a configuration with problems, each on a line", async () => {
    const cwd = createFolder({ "parley.yaml": "listen: 0.0.0.0:80\nport: 80" });
    const { status, stdout, stderr } = await runParley(["serve"], { cwd });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^parley\.yaml: port: is not a key .*\nparley\.yaml: listen: listening on 0\.0\.0\.0 .*\n$/);
  });
});
