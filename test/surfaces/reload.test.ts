/** Other settings for a gateway that runs, with calls in flight. */
import { createHook } from "node:async_hooks";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RunningGateway, startGateway } from "../../src/compose.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { GatewayError } from "../../src/errors/gateway-error.ts";
import { FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import { DOORS, openDoor, type Params } from "../support/doors.ts";
import { loadSettings } from "../support/load-settings.ts";
import { openRaw } from "../support/raw-call.ts";
import { VENDORS } from "../support/stage-vendors.ts";
import { eventStream, json, type Reply, startUpstream, type Upstream } from "../support/upstream.ts";

const user = (value: string) => ({ role: Role.USER, content: [{ kind: { case: "text" as const, value } }] });
const ask = (model: string): Params => ({ model, messages: [user("Hi")] });

/** Nothing is kept there: these gateways write nothing down. */
const DATA_DIR = join(tmpdir(), "parley-reload");

/** The settings that a file with these keys makes. */
const settingsOf = (file: object, env: Readonly<Record<string, string>> = {}): Promise<Settings> =>
  loadSettings({ request_log: { enabled: false }, ...file }, { PARLEY_DATA_DIR: DATA_DIR, ...env });

/** Settings that no file can make: all is well with them until the server is told of them. */
const unfit = (settings: Settings): Settings => ({ ...settings, limits: { ...settings.limits, maxConnections: 0 } });

/** Starts a gateway with a file of these keys. */
async function open(file: object, silent = true): Promise<{ gateway: RunningGateway; lines: string[] }> {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString("utf8").trimEnd().split("\n"));
      done();
    },
  });
  const gateway = await startGateway(
    await settingsOf(file),
    createLogger({ level: silent ? "silent" : "info", destination }),
  );
  onTestFinished(() => gateway.stop());
  return { gateway, lines };
}

const [OPENAI] = VENDORS.filter(({ id }) => id === "openai");
if (OPENAI === undefined) throw new Error("there is no such vendor");
const { whole, opening, said, ending } = OPENAI;

/** Starts an upstream that lists one model, and says what it is told to. */
async function startVendor(model: string, answer: (isStream: boolean) => Reply | Promise<Reply>): Promise<Upstream> {
  const upstream = await startUpstream(({ method, body }) =>
    method === "GET"
      ? json({ object: "list", data: [{ id: model, object: "model", created: 1, owned_by: "x" }] })
      : answer((JSON.parse(body) as { stream?: boolean }).stream === true),
  );
  onTestFinished(() => upstream.close());
  return upstream;
}

/** Says a text at once. */
const says =
  (text: string) =>
  (isStream: boolean): Reply =>
    isStream ? eventStream([...opening, said(text), ...ending]) : json(whole(text));

/** A provider of the file. */
const provider = (id: string, { url }: Upstream, more: object = {}): object => ({
  id,
  openai_compatible: { base_url: `${url}/v1`, ...more },
});

const listRequests = ({ requests }: Upstream): number => requests.filter(({ method }) => method === "GET").length;

describe.each(DOORS)("reload with calls in flight on %s", (name) => {
  it("ends them on what they began with, and serves the next ones by what is new", async () => {
    const go = Promise.withResolvers<void>();
    async function* pieces(): AsyncGenerator<string> {
      yield* [...opening, said("old, ")];
      await go.promise;
      yield* [said("to the end"), ...ending];
    }
    const before = await startVendor("small", async (isStream) => {
      if (isStream) return eventStream(pieces());
      await go.promise;
      return json(whole("old, to the end"));
    });
    const after = await startVendor("small", says("new"));
    const { gateway } = await open({ providers: [provider("a", before)] });
    const door = openDoor(name, gateway.url);
    onTestFinished(() => door.close());
    const stream = door.stream(ask("a/small"));
    const first = await stream.next();
    const call = door.complete(ask("a/small"));
    await until(() => gateway.openCalls === 2, "two open calls");

    await gateway.reload(await settingsOf({ providers: [provider("a", after)] }));
    expect(gateway.openCalls).toBe(2);
    const next = await door.complete(ask("a/small"));
    expect(next.choices[0]?.message?.content[0]?.kind.value).toBe("new");

    go.resolve();
    const chunks = [first.value, ...(await collect(stream))];
    const text = chunks.map((chunk) => chunk?.choices[0]?.delta?.content ?? "").join("");
    const reasons = chunks.map((chunk) => chunk?.choices[0]?.finishReason);
    expect([text, reasons.includes(FinishReason.STOP)]).toEqual(["old, to the end", true]);
    expect((await call).choices[0]?.message?.content[0]?.kind.value).toBe("old, to the end");
    await until(() => gateway.openCalls === 0, "no open call");
  });

  it("waits for them when the server ends", async () => {
    const { gateway } = await open({ sandbox: { token_delay: "0.06s" }, timeouts: { drain: "20s" } });
    const door = openDoor(name, gateway.url);
    const stream = collect(door.stream({ model: "sandbox/echo", messages: [user("one two three four")] }));
    await until(() => gateway.openCalls === 1, "one open call");
    await gateway.reload(await settingsOf({ sandbox: { token_delay: "0s" }, timeouts: { drain: "20s" } }));
    const stopped = gateway.stop();
    expect((await stream).flatMap(({ choices }) => choices.map(({ finishReason }) => finishReason))).toContain(
      FinishReason.STOP,
    );
    door.close();
    await stopped;
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });

  it("ends them after the grace period of the settings in force", async () => {
    const { gateway } = await open({ timeouts: { drain: "3600s" } });
    const door = openDoor(name, gateway.url);
    const stream = failureOf(collect(door.stream({ model: "sandbox/fault-stall", messages: [user("one two three")] })));
    await until(() => gateway.openCalls === 1, "one open call");
    await gateway.reload(await settingsOf({ timeouts: { drain: "0.05s" } }));
    await gateway.stop();
    expect(await stream).toMatchObject({ code: "shutting_down" });
    door.close();
  });
});

describe("reload", () => {
  const idsOf = async ({ url }: RunningGateway): Promise<string[]> => {
    const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
    return data.map(({ id }) => id);
  };
  const complete = async ({ url }: RunningGateway, model: string, content = "Hi"): Promise<[number, string | null]> => {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
    });
    await answer.text();
    return [answer.status, answer.headers.get("x-parley-provider")];
  };

  it("keeps providers that are as they were, and has read the lists of the others", async () => {
    const [kept, changed, added, gone] = await Promise.all(
      ["kept", "changed", "added", "gone"].map((model) => startVendor(`${model}-model`, says(model))),
    );
    if (!(kept && changed && added && gone)) throw new Error("four were started");
    const { gateway } = await open({
      providers: [provider("gone", gone), provider("kept", kept), provider("changed", changed)],
    });
    await until(async () => (await idsOf(gateway)).filter((id) => id.endsWith("-model")).length === 3, "three lists");

    await gateway.reload(
      await settingsOf({
        limits: { max_body_bytes: 2048 },
        providers: [provider("added", added), provider("changed", changed, { api_key: "k" }), provider("kept", kept)],
      }),
    );
    // No list is waited for here: a model that is asked for by its own name alone is found in a list.
    for (const model of ["added-model", "changed-model", "kept-model"]) {
      expect(await complete(gateway, model)).toEqual([200, model.replace("-model", "")]);
    }
    expect(await complete(gateway, "gone-model")).toEqual([404, null]);
    expect(await complete(gateway, "gone/gone-model")).toEqual([404, null]);
    expect([kept, changed, added, gone].map(listRequests)).toEqual([1, 2, 1, 1]);
  });

  it("takes providers where there were none, and lets all of them go", async () => {
    const upstream = await startVendor("small", says("Hi"));
    const { gateway } = await open({});
    expect(await complete(gateway, "a/small")).toEqual([404, null]);
    await gateway.reload(await settingsOf({ providers: [provider("a", upstream)] }));
    expect(await complete(gateway, "small")).toEqual([200, "a"]);
    await gateway.reload(await settingsOf({}));
    expect(await complete(gateway, "a/small")).toEqual([404, null]);
    expect(await complete(gateway, "sandbox/echo")).toEqual([200, "sandbox"]);
  });

  it("takes other names for models, and another auto", async () => {
    const [one, two] = await Promise.all([startVendor("small", says("Hi")), startVendor("small", says("Hi"))]);
    const providers = [provider("one", one), provider("two", two)];
    const named = (target: string): object => ({
      providers,
      models: [{ id: "best", targets: [target] }],
      auto: { models: ["best"] },
    });
    const { gateway } = await open(named("one/small"));
    expect([await complete(gateway, "best"), await complete(gateway, "auto")]).toEqual([
      [200, "one"],
      [200, "one"],
    ]);
    await gateway.reload(await settingsOf(named("two/small")));
    expect([await complete(gateway, "best"), await complete(gateway, "auto")]).toEqual([
      [200, "two"],
      [200, "two"],
    ]);
    await gateway.reload(await settingsOf({ providers }));
    expect(await complete(gateway, "best")).toEqual([404, null]);
    expect([listRequests(one), listRequests(two)]).toEqual([1, 1]);
  });

  it("forgets nothing of how a provider fails that is as it was", async () => {
    const upstream = await startVendor("small", () => json({ error: { message: "down" } }, 500));
    const file = {
      providers: [provider("a", upstream)],
      routing: { max_retries: 0, breaker: { min_calls: 5, open: "600s", max_open: "600s" } },
    };
    const { gateway } = await open(file);
    for (let call = 0; call < 20; call += 1) await complete(gateway, "a/small");
    const calls = upstream.requests.length;
    expect(calls).toBeLessThan(20);
    await gateway.reload(await settingsOf({ ...file, limits: { max_body_bytes: 2048 } }));
    await complete(gateway, "a/small");
    expect(upstream.requests.length).toBe(calls);
    await gateway.reload(await settingsOf({ ...file, providers: [provider("a", upstream, { api_key: "k" })] }));
    await complete(gateway, "a/small");
    // Its list, and the call.
    expect(upstream.requests.length).toBe(calls + 2);
  });

  it("does not wait for ever for a list of models", async () => {
    const upstream = await startUpstream(({ method }) =>
      method === "GET" ? { status: "none", ending: "hold" } : says("Hi")(false),
    );
    onTestFinished(() => upstream.close());
    const { gateway } = await open({});
    await gateway.reload(await settingsOf({ providers: [provider("a", upstream)] }));
    expect(await complete(gateway, "a/any")).toEqual([200, "a"]);
  }, 20_000);

  it("changes bounds, origins and the log at once", async () => {
    const { gateway, lines } = await open({}, false);
    const origin = "https://app.example";
    const allowed = async (): Promise<string | null> =>
      (await fetch(`${gateway.url}/v1/models`, { headers: { origin } })).headers.get("access-control-allow-origin");
    const large = "x".repeat(3_000);
    expect([await complete(gateway, "sandbox/echo", large), await allowed()]).toEqual([[200, "sandbox"], null]);
    await until(() => lines.filter((line) => line.includes('"call"')).length === 2, "the line of each call");
    await gateway.reload(
      await settingsOf({
        limits: { max_body_bytes: 2048 },
        cors: { allowed_origins: [origin] },
        log: { level: "warn" },
      }),
    );
    expect([await complete(gateway, "sandbox/echo", large), await allowed()]).toEqual([[413, null], origin]);
    await gateway.stop();
    expect(lines.filter((line) => line.includes('"call"')).length).toBe(2);
  });

  it.each<[what: string, file: object, paths: string[]]>([
    [
      "a provider that can't be made",
      { providers: [{ id: "g", google: { models: [{ match: "(" }] } }] },
      ["providers[0].google.models[0].match"],
    ],
    ["another address", { listen: "127.0.0.1:9" }, ["listen"]],
    ["another store", { store: { database_url: "postgres://nobody@127.0.0.1:9/x" } }, ["store"]],
    ["another Redis", { redis: { url: "redis://127.0.0.1:9" } }, ["redis"]],
    ["other workers", { runs: { workers: 1 } }, ["runs"]],
    ["what needs a restart", { limits: { max_concurrent_streams: 9 } }, ["limits.max_concurrent_streams"]],
  ])("refuses %s, and changes nothing", async (_what, file, paths) => {
    const upstream = await startVendor("small", says("Hi"));
    const { gateway } = await open({ providers: [provider("a", upstream)] });
    await until(async () => (await idsOf(gateway)).includes("a/small"), "the list");
    const settings = await settingsOf(
      { limits: { max_body_bytes: 1024 }, ...file },
      "listen" in file ? { PARLEY_LISTEN: "" } : {},
    );
    const failure = await failureOf(gateway.reload(settings));
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).problems.map(({ path }) => path)).toEqual(paths);
    expect(await complete(gateway, "small", "x".repeat(2_000))).toEqual([200, "a"]);
    // The lists of the old providers are still read, and the next reload is as good as any.
    await gateway.reload(await settingsOf({ limits: { max_body_bytes: 1024 }, providers: [provider("a", upstream)] }));
    expect((await complete(gateway, "small", "x".repeat(2_000)))[0]).toBe(413);
    expect(listRequests(upstream)).toBe(1);
  });

  it("refuses what the server itself can't take, and changes nothing", async () => {
    const { gateway } = await open({});
    const next = unfit(await settingsOf({ limits: { max_body_bytes: 1024 } }));
    expect(await failureOf(gateway.reload(next))).toBeInstanceOf(RangeError);
    expect(await complete(gateway, "sandbox/echo", "x".repeat(2_000))).toEqual([200, "sandbox"]);
  });

  it("does several one after the other; the last one counts", async () => {
    const { gateway } = await open({});
    const sizes = [1_024, 1_025, 200_000];
    const all = await Promise.all(sizes.map((max_body_bytes) => settingsOf({ limits: { max_body_bytes } })));
    await Promise.all(all.map((settings) => gateway.reload(settings)));
    expect(await complete(gateway, "sandbox/echo", "x".repeat(100_000))).toEqual([200, "sandbox"]);
  });

  it("is over when the server ends, and does not hold it up", async () => {
    const upstream = await startUpstream(() => ({ status: "none", ending: "hold" }));
    onTestFinished(() => upstream.close());
    const { gateway } = await open({});
    const reload = failureOf(gateway.reload(await settingsOf({ providers: [provider("a", upstream)] })));
    const { closed } = await upstream.request(0);
    await gateway.stop();
    await closed;
    for (const failure of [await reload, await failureOf(gateway.reload(await settingsOf({})))]) {
      expect((failure as GatewayError).reasonName).toBe("SHUTTING_DOWN");
    }
  });

  it("has the end of the server refuse requests that were on their way before it", async () => {
    const { gateway } = await open({});
    const client = openRaw(gateway.url);
    const stopping = Promise.withResolvers<void>();
    const body = JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: "a" }] });
    const headers = { "content-type": "application/json" };
    const late = client.call("/v1/chat/completions", { headers, body, sendsAfter: stopping.promise });
    await client.call("/healthz", { method: "GET" }); // The request before it on the connection has arrived.
    await gateway.reload(await settingsOf({ cors: { allowed_origins: ["*"] } }));
    const stopped = gateway.stop();
    stopping.resolve();
    expect((await late).headers[":status"]).toBe(503);
    client.close();
    await stopped;
  });

  it("leaves no timers and no connections behind, however often", async () => {
    const timers = new Set<number>();
    const hook = createHook({
      init: (id, type) => void (type === "Timeout" && timers.add(id)),
      destroy: (id) => void timers.delete(id),
    }).enable();
    onTestFinished(() => void hook.disable());
    // A list that can't be read waits for its next try.
    const upstream = await startUpstream(() => json({}, 500));
    onTestFinished(() => upstream.close());
    const settings = (api_key: string): Promise<Settings> =>
      settingsOf({ providers: [provider("a", upstream, { api_key }), provider("b", upstream)] });
    const { gateway } = await open({});
    await gateway.reload(await settings("first"));
    const before = timers.size;
    const late = unfit(await settingsOf({ providers: [provider("c", upstream)] }));
    const broken = await settingsOf({
      providers: [provider("c", upstream), { id: "g", google: { models: [{ match: "(" }] } }],
    });
    for (let round = 0; round < 50; round += 1) {
      await gateway.reload(await settings(`${round}`));
      expect(await failureOf(gateway.reload(late))).toBeInstanceOf(RangeError);
      expect(await failureOf(gateway.reload(broken))).toBeInstanceOf(ConfigError);
      expect(await complete(gateway, "sandbox/echo")).toEqual([200, "sandbox"]);
    }
    expect(listRequests(upstream)).toBeGreaterThanOrEqual(102);
    // Some are of the test's own connections.
    await until(() => timers.size < before + 15, `about ${before} timers, not ${timers.size}`);
    expect(upstream.openConnections).toBeLessThan(5);
    expect([gateway.openCalls, process.listenerCount("SIGHUP")]).toEqual([0, 0]);
  }, 60_000);
});
