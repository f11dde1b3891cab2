/** A process that is told to read its configuration again, by signals and by changes of its file. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFolder } from "../config/folder.ts";
import { until } from "../support/collect.ts";
import { ROOT } from "../support/commands.ts";
import { VENDORS } from "../support/stage-vendors.ts";
import { eventStream, json, startUpstream, type Upstream } from "../support/upstream.ts";
import { commandOf, type Parley, startParley } from "./parley.ts";

const ENV = { PARLEY_LISTEN: "127.0.0.1:0", PARLEY_LOG_LEVEL: "debug" };
const [{ whole, opening, said, ending }] = VENDORS as [(typeof VENDORS)[number]];

/** Starts the command in this folder, and waits until it listens. */
async function start(cwd: string, args: readonly string[] = []): Promise<{ parley: Parley; url: string }> {
  const parley = startParley(["serve", ...args], { env: ENV, cwd });
  const [, url = ""] = await parley.until("stderr", /^Parley \S+ listens on (\S+)$/m);
  return { parley, url };
}

/** The lines of the log that tell of reloads. */
const reloadsOf = ({ out }: Parley): Record<string, unknown>[] =>
  out.stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => /reload/.test(String(msg)));

/** Waits until there are so many of these lines, and gives the last one. */
async function reload(parley: Parley, count: number): Promise<Record<string, unknown>> {
  await until(() => reloadsOf(parley).length >= count, `${count} reloads`);
  expect(reloadsOf(parley)).toHaveLength(count);
  return reloadsOf(parley).at(-1) ?? {};
}

/** Starts an upstream that says its name; to a stream the second half of it when `go` is resolved. */
async function startNamed(name: string, go: Promise<void> = Promise.resolve()): Promise<Upstream> {
  async function* pieces(): AsyncGenerator<string> {
    yield* [...opening, said(name)];
    await go;
    yield* [said(", to the end"), ...ending];
  }
  const upstream = await startUpstream(({ method, body }) => {
    if (method === "GET") return json({ object: "list", data: [] });
    return body.includes('"stream":true') ? eventStream(pieces()) : json(whole(name));
  });
  onTestFinished(() => upstream.close());
  return upstream;
}

const providerFile = ({ url }: Upstream): string =>
  `providers: [{ id: a, openai_compatible: { base_url: "${url}/v1", api_key: s3cr3t } }]\n`;

const post = (url: string, stream: boolean, content = "Hi"): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "a/any", stream, messages: [{ role: "user", content }] }),
  });

/** What the provider "a" says. */
async function answerOf(url: string): Promise<unknown> {
  const { choices } = (await (await post(url, false)).json()) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content;
}

/** Runs commands in a terminal of their own; a machine that tests may not have it. */
const HAS_SCRIPT = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

describe("parley serve", () => {
  it("takes another provider at SIGHUP, and lets calls in flight end at the one before", async () => {
    const go = Promise.withResolvers<void>();
    const [one, two] = await Promise.all([startNamed("one", go.promise), startNamed("two")]);
    const cwd = createFolder({ "my.yaml": providerFile(one) });
    const { parley, url } = await start(cwd, ["--config", "my.yaml"]);
    const stream = await post(url, true);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader?.read())?.value ?? "";
    writeFileSync(join(cwd, "my.yaml"), providerFile(two));
    parley.child.kill("SIGHUP");
    expect(await reload(parley, 1)).toMatchObject({ level: "info", msg: "reloaded", changed: ["providers"] });
    expect(await answerOf(url)).toBe("two");
    go.resolve();
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) text += next.value;
    expect(text).toMatch(/one[\s\S]*, to the end[\s\S]*data: \[DONE\]\n\n$/);
    // The change of the file is the one that the signal told of, and is not noticed again.
    await sleep(2_000);
    parley.child.kill("SIGTERM");
    expect(await parley.ended).toBe(0);
    expect(reloadsOf(parley)).toHaveLength(1);
    expect(parley.out.stdout + parley.out.stderr).not.toContain("s3cr3t");
  });

  it("refuses a file with faults, by their paths, and goes on as before", async () => {
    const one = await startNamed("one");
    const cwd = createFolder({ "parley.yaml": providerFile(one) });
    const file = join(cwd, "parley.yaml");
    const { parley, url } = await start(cwd);
    const rows: readonly (readonly [text: string, problems: readonly object[]])[] = [
      [
        "limits: { max_conections: 5 }\nproviders: [{ id: a, openai_compatible: { base_url: s3cr3t, api_key: s3cr3t } }]",
        [{ path: "limits.max_conections" }, { path: "providers[0].openai_compatible.base_url" }],
      ],
      ["providers: [", [{ path: "", line: expect.any(Number) }]],
      [
        'providers: [{ id: g, google: { api_key: s3cr3t, models: [{ match: "(" }] } }]',
        [{ path: "providers[0].google.models[0].match" }],
      ],
      [
        "limits: { max_concurrent_streams: 9 }\ntimeouts: { headers: 9s }",
        [{ path: "limits.max_concurrent_streams" }, { path: "timeouts.headers" }],
      ],
    ];
    for (const [index, [text, problems]] of rows.entries()) {
      writeFileSync(file, text);
      parley.child.kill("SIGHUP");
      const line = await reload(parley, index + 1);
      expect(line).toMatchObject({ level: "error", msg: "reload refused" });
      expect(line["problems"]).toEqual(problems.map((problem) => expect.objectContaining({ file, ...problem })));
      expect(await answerOf(url)).toBe("one");
    }
    writeFileSync(file, `limits: { max_body_bytes: 1024 }\n${providerFile(one)}`);
    parley.child.kill("SIGHUP");
    expect(await reload(parley, rows.length + 1)).toMatchObject({ msg: "reloaded", changed: ["limits"] });
    expect((await post(url, false, "x".repeat(2_000))).status).toBe(413);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const [outcome, count] of [
      ["refused", rows.length],
      ["ok", 1],
    ] as const) {
      expect(metrics).toMatch(new RegExp(`^parley_config_reloads_total\\{.*outcome="${outcome}".*\\} ${count}$`, "m"));
    }
    expect(parley.out.stdout + parley.out.stderr).not.toContain("s3cr3t");
  });

  it("notices that its file is written, replaced or gone, each of it once", async () => {
    const cwd = createFolder({ "parley.yaml": "limits: { max_body_bytes: 1024 }" });
    const file = join(cwd, "parley.yaml");
    const { parley } = await start(cwd);
    writeFileSync(file, "cors: { allowed_origins: ['*'] }");
    expect(await reload(parley, 1)).toMatchObject({ msg: "reloaded", changed: ["limits", "cors"] });
    writeFileSync(join(cwd, "new.yaml"), "cors: { allowed_origins: ['https://a.example'] }");
    renameSync(join(cwd, "new.yaml"), file);
    expect(await reload(parley, 2)).toMatchObject({ msg: "reloaded", changed: ["cors"] });
    rmSync(file);
    expect(await reload(parley, 3)).toMatchObject({
      msg: "reload refused",
      problems: [{ file, path: "", message: "can't be read: there is no such file" }],
    });
    writeFileSync(file, "sandbox: { token_delay: 1s }");
    expect(await reload(parley, 4)).toMatchObject({ msg: "reloaded", changed: ["cors", "sandbox"] });
  });

  it("follows links to its file, as mounted configurations have them", async () => {
    const cwd = createFolder({
      "one/parley.yaml": "limits: { max_body_bytes: 1024 }",
      "two/parley.yaml": "limits: { max_body_bytes: 2048 }",
    });
    symlinkSync("one", join(cwd, "now"));
    const { parley } = await start(cwd, ["--config", "now/parley.yaml"]);
    symlinkSync("two", join(cwd, "next"));
    renameSync(join(cwd, "next"), join(cwd, "now"));
    expect(await reload(parley, 1)).toMatchObject({ msg: "reloaded", changed: ["limits"] });
  });

  it("takes SIGHUP without a file, and the file when it comes", async () => {
    const cwd = createFolder();
    const { parley, url } = await start(cwd);
    parley.child.kill("SIGHUP");
    expect(await reload(parley, 1)).toMatchObject({ level: "debug", msg: "nothing to reload" });
    writeFileSync(join(cwd, "parley.yaml"), providerFile(await startNamed("one")));
    expect(await reload(parley, 2)).toMatchObject({ msg: "reloaded", changed: ["providers"] });
    expect(await answerOf(url)).toBe("one");
  });

  it("shows another certificate after SIGHUP", async () => {
    const fixture = (name: string): string => readFileSync(`test/server/fixtures/localhost-${name}.pem`, "utf8");
    const cwd = createFolder({
      "parley.yaml": "tls: { cert_file: cert.pem, key_file: key.pem }",
      "cert.pem": fixture("cert"),
      "key.pem": fixture("key"),
    });
    const { parley, url } = await start(cwd);
    const isShown = async (ca: string): Promise<boolean> => {
      const socket = tls.connect({ port: Number(new URL(url).port), host: "127.0.0.1", servername: "localhost", ca });
      onTestFinished(() => void socket.destroy());
      return once(socket, "secureConnect").then(
        () => true,
        () => false,
      );
    };
    writeFileSync(join(cwd, "cert.pem"), fixture("next-cert"));
    parley.child.kill("SIGHUP");
    expect(await reload(parley, 1)).toMatchObject({ msg: "reload refused", problems: [{ path: "tls" }] });
    expect([await isShown(fixture("cert")), await isShown(fixture("next-cert"))]).toEqual([true, false]);
    writeFileSync(join(cwd, "key.pem"), fixture("next-key"));
    parley.child.kill("SIGHUP");
    expect(await reload(parley, 2)).toMatchObject({ msg: "reloaded", changed: ["tls"] });
    expect([await isShown(fixture("cert")), await isShown(fixture("next-cert"))]).toEqual([false, true]);
  });

  it("is not ended by SIGHUP while it drains", async () => {
    const go = Promise.withResolvers<void>();
    const cwd = createFolder({ "parley.yaml": providerFile(await startNamed("one", go.promise)) });
    const { parley, url } = await start(cwd);
    const stream = await post(url, true);
    parley.child.kill("SIGTERM");
    await parley.until("stdout", /"draining"/);
    parley.child.kill("SIGHUP");
    go.resolve();
    expect(await stream.text()).toMatch(/data: \[DONE\]\n\n$/);
    expect(await parley.ended).toBe(0);
    expect(reloadsOf(parley)).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")(
    "is not ended by SIGHUP while it starts, and is as the file is then",
    async () => {
      const cwd = createFolder({ "parley.yaml": "limits: { max_body_bytes: 1024 }" });
      const parley = startParley(["serve"], { env: ENV, cwd });
      // Before its first line runs, nothing in the program can take a signal.
      await until(() => takesSighup(parley), "the first line");
      const url = parley.until("stderr", /^Parley \S+ listens on (\S+)$/m);
      let hasStarted = false;
      void url.then(() => {
        hasStarted = true;
      });
      await until(() => parley.child.kill("SIGHUP") && hasStarted, "the start");
      const [, address = ""] = await url;
      expect((await fetch(`${address}/healthz`)).status).toBe(200);
      await until(() => reloadsOf(parley).length > 0, "a reload");
      expect(reloadsOf(parley)[0]).toMatchObject({ msg: "nothing to reload" });
    },
  );

  it.skipIf(!HAS_SCRIPT)("ends when its terminal is closed, which SIGHUP tells, too", async () => {
    const line = [...commandOf(ROOT), "serve"].map((word) => `'${word}'`).join(" ");
    const terminal = spawn("script", ["-qec", `exec ${line}`, "/dev/null"], {
      cwd: createFolder(),
      env: { ...process.env, ...ENV },
    });
    let out = "";
    terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    onTestFinished(() => void terminal.kill("SIGKILL"));
    await until(() => /listens on \S+\s/.test(out), "the start");
    const [, url = ""] = /listens on (\S+)/.exec(out) ?? [];
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    terminal.kill("SIGKILL");
    const isRefused = (): Promise<boolean> =>
      fetch(`${url}/healthz`).then(
        () => false,
        (error: Error) => JSON.stringify(error.cause).includes("ECONNREFUSED"),
      );
    await until(isRefused, "the end");
  });
});

/** Whether the process takes SIGHUP, as Linux tells it: by the lowest bit of a set of signals. */
function takesSighup({ child }: Parley): boolean {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  const [, set = "0"] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return (BigInt(`0x${set}`) & 1n) === 1n;
}
