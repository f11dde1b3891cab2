/** `parley serve --workers`: start, end, and what becomes of workers that die, as its user sees it. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Parley, runParley, startParley } from "../cli/parley.ts";
import { createFolder } from "../config/folder.ts";
import { until } from "../support/collect.ts";
import { isAlive, killHard, TELLS_CHILDREN, workersOf } from "./processes.ts";

const ENV = { PARLEY_LISTEN: "127.0.0.1:0" };

interface Started {
  readonly parley: Parley;
  readonly url: string;
  readonly cwd: string;
}

/** Starts the command in a folder with this file, and waits until it listens. */
async function start(file: string, args: readonly string[] = ["--workers", "2"]): Promise<Started> {
  const cwd = createFolder({ "parley.yaml": file });
  const parley = startParley(["serve", ...args], { env: ENV, cwd });
  const [, url = ""] = await parley.until("stderr", /^Parley \S+ listens on (\S+)$/m);
  return { parley, url, cwd };
}

/** A request on a connection of its own, so that another worker gets the next one. */
const ask = (url: string, path: string, agent = "test"): Promise<Response> =>
  fetch(`${url}${path}`, { headers: { connection: "close", "user-agent": agent } });

const idsOf = async (url: string): Promise<string[]> => {
  const { data } = (await (await ask(url, "/v1/models")).json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
};

/** Opens a stream on a connection of its own and waits for its first bytes; the rest can be awaited. */
async function openStream(url: string): Promise<{ readonly rest: Promise<string> }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: '{"model":"auto","stream":true,"messages":[{"role":"user","content":"Hello"}]}',
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader.read();
  const readRest = async (): Promise<string> => {
    let text = first.value ?? "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
    return text;
  };
  return { rest: readRest() };
}

/** The lines of the log so far; each has to be whole. */
const linesOf = ({ out }: Parley): Record<string, unknown>[] =>
  out.stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const countOf = (parley: Parley, message: RegExp): number =>
  linesOf(parley).filter(({ msg }) => message.test(String(msg))).length;

/** Waits for the line of a reload that is the one of that number, and gives it. */
async function reload(parley: Parley, count: number): Promise<Record<string, unknown>> {
  const reloads = () => linesOf(parley).filter(({ msg }) => /reload/.test(String(msg)));
  await until(() => reloads().length >= count, `${count} reloads`);
  return reloads()[count - 1]!;
}

describe("parley serve --workers", () => {
  it.each([
    "SIGTERM",
    "SIGINT",
  ] as const)("serves from one port until %s, with one banner and one log", async (signal) => {
    const { parley, url } = await start("", ["--workers", "3"]);
    for (let at = 0; at < 9; at++) await ask(url, `/v1/models/${at}`);
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(url, "/v1/models", "x".repeat(6_000))));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const workers = workersOf(parley.child.pid);
    parley.child.kill(signal);
    expect(await parley.ended).toBe(0);
    expect(workers.filter(isAlive)).toEqual([]);
    expect(parley.out.stderr.match(/listens on/g)).toHaveLength(1);
    const lines = linesOf(parley);
    const calls = lines.filter(({ msg }) => msg === "call");
    expect(calls).toHaveLength(69);
    // Connections that come one after the other go to the workers in turn.
    const inTurn = calls.filter(({ path }) => path !== "/v1/models");
    for (const number of [1, 2, 3]) expect(inTurn.filter(({ worker }) => worker === number)).toHaveLength(3);
    expect(lines.at(-1)).toMatchObject({ level: "info", msg: "stopped" });
    expect(lines.at(-1)).not.toHaveProperty("worker");
  });

  it("takes the number from the file, and is one process without", async () => {
    const two = await start("workers: 2", []);
    const one = await start("", []);
    const also = await start("workers: 2", ["--workers", "1"]);
    expect((await ask(two.url, "/readyz")).status).toBe(200);
    expect(linesOf(one.parley).filter((line) => "worker" in line)).toEqual([]);
    const counts = [two, one, also].map(({ parley }) => workersOf(parley.child.pid).length);
    expect(counts).toEqual(TELLS_CHILDREN ? [2, 0, 0] : [0, 0, 0]);
  });

  it("lets open calls of all workers finish", async () => {
    const { parley, url } = await start("sandbox: { token_delay: 0.05s }");
    const streams = await Promise.all(Array.from({ length: 4 }, () => openStream(url)));
    parley.child.kill("SIGINT");
    // A keystroke that arrives twice.
    parley.child.kill("SIGTERM");
    for (const { rest } of streams) expect(await rest).toMatch(/data: \[DONE\]\n\n$/);
    expect(await parley.ended).toBe(0);
    expect(countOf(parley, /^draining$/)).toBe(2);
  });

  it("cuts what does not end in time, and ends at once at a second signal", async () => {
    const late = await start("sandbox: { token_delay: 10s }\ntimeouts: { drain: 0.2s }");
    const { rest } = await openStream(late.url);
    late.parley.child.kill("SIGTERM");
    expect(await rest).toMatch(/shutting_down|going down|went down/i);
    expect(await late.parley.ended).toBe(0);

    const { parley, url } = await start("sandbox: { token_delay: 10s }");
    const cut = (await openStream(url)).rest.catch(() => "cut");
    const workers = workersOf(parley.child.pid);
    parley.child.kill("SIGTERM");
    await until(() => countOf(parley, /^draining$/) === 2, "both drain");
    await sleep(600);
    parley.child.kill("SIGTERM");
    expect(await parley.ended).toBe(130);
    expect(await cut).toBe("cut");
    await until(() => !workers.some(isAlive), "the workers are gone");
  });

  it("is ended by nothing that a terminal sends to its workers, too", async () => {
    const { parley, url } = await start("sandbox: { token_delay: 0.05s }");
    const { rest } = await openStream(url);
    for (const pid of workersOf(parley.child.pid)) {
      for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) process.kill(pid, signal);
    }
    expect(await rest).toMatch(/data: \[DONE\]\n\n$/);
    parley.child.kill("SIGINT");
    expect(await parley.ended).toBe(0);
    expect(countOf(parley, /has ended/)).toBe(0);
  });

  it("says in one line that the address is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const args = ["serve", "--workers", "3", "--listen", address, "--log-level", "silent"];
    const { status, stdout, stderr } = await runParley(args, { cwd: createFolder() });
    expect([status, stdout, stderr]).toEqual([
      1,
      "",
      `parley can't listen on ${address}: another program does already; choose another port with --listen or PARLEY_LISTEN\n`,
    ]);
  });

  it("says once what a worker finds wrong with the configuration", async () => {
    const cwd = createFolder({ "parley.yaml": 'providers: [{ id: g, google: { models: [{ match: "(" }] } }]' });
    const { status, stderr } = await runParley(["serve", "--workers", "2"], { env: ENV, cwd });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^parley\.yaml: providers\[0\]\.google.*\n$/)]);
  });

  it("says once that another one serves with the same folder", async () => {
    const first = await start("");
    expect((await ask(first.url, "/v1/admin/requests")).status).toBe(200);
    const { status, stderr } = await runParley(["serve", "--workers", "2", "--log-level", "silent"], {
      env: ENV,
      cwd: first.cwd,
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^parley can't start: .*parley-data.*\n$/)]);
  });

  it("says of its workers' command whose it is", async () => {
    const { status, stdout, stderr } = await runParley(["worker"]);
    expect([status, stdout, stderr]).toEqual([1, "", expect.stringContaining("parley serve --workers")]);
  });

  it.skipIf(!TELLS_CHILDREN)("replaces workers that die, one or all, and serves on", async () => {
    const { parley, url } = await start("");
    // What a worker has not written yet is lost with it.
    await until(() => countOf(parley, /^ready$/) === 2, "both have said that they are ready");
    const [first, second] = workersOf(parley.child.pid);
    await killHard(first!);
    // The other one answers meanwhile.
    for (let at = 0; at < 10; at++) expect((await ask(url, "/readyz")).status).toBe(200);
    await until(() => countOf(parley, /^ready$/) === 3, "another one is ready");
    expect(linesOf(parley).find(({ msg }) => /has ended/.test(String(msg)))).toMatchObject({
      level: "error",
      pid: first,
      ended: "SIGKILL",
    });
    const now = workersOf(parley.child.pid);
    expect(now).toHaveLength(2);
    expect(now).toContain(second);
    for (const pid of now) process.kill(pid, "SIGKILL");
    // Whoever comes while there is none waits for the next one.
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(url, "/v1/models")));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    await until(() => countOf(parley, /^ready$/) === 5, "two others are ready");
    parley.child.kill("SIGTERM");
    expect(await parley.ended).toBe(0);
  });

  it.skipIf(!TELLS_CHILDREN)("loses no connection that a worker was given that hangs, and is killed", async () => {
    const { parley, url } = await start("");
    const [hanging] = workersOf(parley.child.pid);
    process.kill(hanging!, "SIGSTOP");
    const asking = Array.from({ length: 6 }, () => ask(url, "/readyz"));
    // The other one answers its own.
    await Promise.race(asking);
    await killHard(hanging!);
    expect((await Promise.all(asking)).map(({ status }) => status)).toEqual(asking.map(() => 200));
  });

  it("closes connections above its limit, whichever worker has them", async () => {
    const { parley, url } = await start("limits: { max_connections: 4 }");
    const sockets = Array.from({ length: 10 }, () => connect(Number(new URL(url).port), "127.0.0.1"));
    let closed = 0;
    for (const socket of sockets) {
      socket
        .on("error", () => undefined)
        .once("close", () => {
          closed += 1;
        });
    }
    await until(() => closed === 6, "the others are closed");
    const isServed = async (): Promise<boolean> => (await ask(url, "/healthz").catch(() => undefined))?.status === 200;
    expect(await isServed()).toBe(false);
    sockets.find(({ destroyed }) => !destroyed)?.destroy();
    await until(isServed, "there is room again");
    parley.child.kill("SIGTERM");
    expect(await parley.ended).toBe(0);
  });

  it.skipIf(!TELLS_CHILDREN)("leaves no worker behind when the primary is killed", async () => {
    const { parley } = await start("");
    const workers = workersOf(parley.child.pid);
    expect(workers).toHaveLength(2);
    parley.child.kill("SIGKILL");
    await parley.ended;
    await until(() => !workers.some(isAlive), "the workers are gone");
  });

  it.skipIf(!TELLS_CHILDREN)("leaves none behind either when it is killed while they start", async () => {
    const parley = startParley(["serve", "--workers", "4"], { env: ENV });
    await until(() => workersOf(parley.child.pid).length === 4, "the workers are started");
    const workers = workersOf(parley.child.pid);
    parley.child.kill("SIGKILL");
    await parley.ended;
    await until(() => !workers.some(isAlive), "the workers are gone");
  });

  it("takes other settings in all workers at SIGHUP and when the file changes, or in none", async () => {
    const named = (id: string, workers = 3): string =>
      `workers: ${workers}\nmodels: [{ id: ${id}, targets: [sandbox/echo] }]\n`;
    const { parley, url, cwd } = await start(named("one"), []);
    const file = join(cwd, "parley.yaml");
    /** The names that so many workers have, asked one after the other. */
    const names = async (): Promise<string> => {
      const lists = await Promise.all(Array.from({ length: 6 }, () => idsOf(url)));
      return [...new Set(lists.map((ids) => ids.filter((id) => /^(?:one|two|three|four)$/.test(id)).join()))].join(
        " or ",
      );
    };
    expect(await names()).toBe("one");
    writeFileSync(file, named("two"));
    parley.child.kill("SIGHUP");
    expect(await reload(parley, 1)).toMatchObject({ level: "info", msg: "reloaded", changed: ["models"] });
    expect(await names()).toBe("two");
    // What the file itself says, and what only a worker finds.
    for (const [at, fault] of [
      "limits: { nothing: 1 }",
      'providers: [{ id: g, google: { models: [{ match: "(" }] } }]',
    ].entries()) {
      writeFileSync(file, `${named("three")}${fault}\n`);
      parley.child.kill("SIGHUP");
      expect(await reload(parley, 2 + at)).toMatchObject({ level: "error", msg: "reload refused" });
      expect(await names()).toBe("two");
    }
    writeFileSync(file, named("four"));
    expect(await reload(parley, 4)).toMatchObject({ msg: "reloaded", changed: ["models"] });
    expect(await names()).toBe("four");
    const text = await (await ask(url, "/metrics")).text();
    expect(text).toContain('parley_config_reloads_total{parley_config_reload_outcome="ok"} 2\n');
    expect(text).toContain('parley_config_reloads_total{parley_config_reload_outcome="refused"} 2\n');
    writeFileSync(file, named("four", 4));
    expect(await reload(parley, 5)).toMatchObject({ msg: "reload refused", problems: [{ path: "workers" }] });
  });

  it.skipIf(!TELLS_CHILDREN)(
    "gives a worker that takes the place of another the settings that are in force",
    async () => {
      const { parley, url, cwd } = await start("models: [{ id: one, targets: [sandbox/echo] }]");
      writeFileSync(join(cwd, "parley.yaml"), "models: [{ id: two, targets: [sandbox/echo] }]");
      parley.child.kill("SIGHUP");
      await reload(parley, 1);
      // What is in the file now is refused.
      writeFileSync(join(cwd, "parley.yaml"), "nothing: 1");
      parley.child.kill("SIGHUP");
      await reload(parley, 2);
      for (const pid of workersOf(parley.child.pid)) await killHard(pid);
      await until(() => countOf(parley, /^ready$/) === 4, "two others are ready");
      for (let at = 0; at < 4; at++) expect(await idsOf(url)).toContain("two");
    },
  );
});
