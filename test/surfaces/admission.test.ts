/** Who may call, what, and how much: the same on every door, and decided before a body is read. */
import { createHash } from "node:crypto";
import net from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { collect, failureOf } from "../support/collect.ts";
import type { DoorError } from "../support/door-error.ts";
import { DOORS, type DoorClient, openDoor, type Params, type CallSettings as Settings } from "../support/doors.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { CREATE } from "../support/raw-call.ts";
import { openTyped, TYPED_DOORS } from "../support/typed-doors.ts";

const sha256 = (secret: string): string => createHash("sha256").update(secret).digest("hex");
const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });

const echo = (text: string): Exclude<Params, { $typeName: string }> => ({
  model: "sandbox/echo",
  messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: text } }] }],
});

/** Keys by what they are for; each one's secret is its id. */
const KEYS = [
  { id: "everything", scopes: ["chat", "models", "runs", "requests", "admin"] },
  { id: "plain" },
  { id: "reader", scopes: ["models"] },
  { id: "queuer", scopes: ["runs"] },
  { id: "echoes", models: ["sandbox/echo"] },
  { id: "named", models: ["fast"] },
  { id: "two", limits: { requests_per_minute: 2 } },
  { id: "looking", scopes: ["chat", "models", "runs"], limits: { requests_per_minute: 3, tokens_per_minute: 900 } },
  { id: "tokens", limits: { tokens_per_minute: 100 } },
  { id: "one", limits: { concurrent: 1, concurrent_streams: 1 } },
] as const;

const secretOf = (id: (typeof KEYS)[number]["id"], door = ""): string => `secret-of-${id}${door}`;

/** Keys with limits are one's own on each door, because each door uses them up. */
const CONFIG_KEYS = KEYS.flatMap((key) =>
  ["", ...("limits" in key ? DOORS : [])].map((door) => ({
    ...key,
    id: door === "" ? key.id : `${key.id}.${door}`,
    sha256: sha256(secretOf(key.id, door)),
  })),
);

describe("a gateway with keys", () => {
  let gateway: TestGateway;
  const doors: DoorClient[] = [];
  beforeAll(async () => {
    gateway = await startTestGateway({
      auth: { keys: CONFIG_KEYS },
      models: [{ id: "fast", targets: ["sandbox/eliza"] }],
      auto: { models: ["sandbox/eliza", "sandbox/echo"] },
    });
    doors.push(...DOORS.map((name) => openDoor(name, gateway.url)));
  });
  afterAll(async () => {
    for (const door of doors) door.close();
    await gateway.stop();
  });

  const door = (name: DoorClient["name"]): DoorClient => doors.find((it) => it.name === name) as DoorClient;
  const statusOn = (name: DoorClient["name"], rest: number, rpc: Code): number => (name === "rest" ? rest : rpc);

  describe.each(DOORS)("on %s", (name) => {
    const fails = async (params: Params, settings: Settings): Promise<DoorError> =>
      (await failureOf(door(name).complete(params, settings))) as DoorError;

    it.each<[what: string, settings: Settings]>([
      ["nothing", {}],
      ["another key", bearer("sk-parley-0000000000000000000000000000000000000000000")],
      ["text that is no key", bearer("secret-of-nobody")],
      ["another scheme", { headers: { authorization: "Basic c2VjcmV0" } }],
      ["an empty key", { headers: { authorization: "Bearer " } }],
    ])("refuses a call with %s", async (_, settings) => {
      for (const thrown of [
        await fails(echo("a"), settings),
        (await failureOf(collect(door(name).stream(echo("a"), settings)))) as DoorError,
      ]) {
        expect([thrown.status, thrown.code]).toEqual([statusOn(name, 401, Code.Unauthenticated), "invalid_api_key"]);
        expect(thrown.message).not.toMatch(/secret-of|sk-parley-0|c2Vj/);
      }
    });

    it("takes a key", async () => {
      const { choices } = await door(name).complete(echo("Hello"), bearer(secretOf("plain")));
      expect(choices[0]?.message?.content[0]?.kind.value).toBe("Hello");
      expect((await collect(door(name).stream(echo("Hello"), bearer(secretOf("plain"))))).length).toBeGreaterThan(1);
    });

    it("refuses what the key has no scope for, and names it", async () => {
      const { status, code, message } = await fails(echo("a"), bearer(secretOf("reader")));
      expect([status, code]).toEqual([statusOn(name, 403, Code.PermissionDenied), "permission_denied"]);
      expect(message).toContain('scope "chat"');
    });

    it("keeps a key to its models", async () => {
      const settings = bearer(secretOf("echoes"));
      await door(name).complete(echo("a"), settings);
      const refused = await fails({ ...echo("a"), model: "sandbox/eliza" }, settings);
      expect([refused.status, refused.param]).toEqual([statusOn(name, 403, Code.PermissionDenied), "model"]);
      const fallback = await fails(echo("a"), { ...settings, options: { fallbackModels: ["sandbox/eliza"] } });
      expect([fallback.code, fallback.param]).toEqual(["permission_denied", "fallback_models[0]"]);
      const missing = await fails({ ...echo("a"), model: "nobody/nothing" }, settings);
      expect(missing.code).toBe("model_not_found");
    });

    it("keeps auto within them", async () => {
      const { model } = await door(name).complete({ ...echo("a"), model: "auto" }, bearer(secretOf("echoes")));
      expect(model).toBe("sandbox/echo");
      const refused = await fails({ ...echo("a"), model: "auto" }, bearer(secretOf("named")));
      expect([refused.code, refused.param]).toEqual(["permission_denied", "model"]);
    });

    it("lets a key that has a name use all that it stands for", async () => {
      const { model } = await door(name).complete({ ...echo("a"), model: "fast" }, bearer(secretOf("named")));
      expect(model).toBe("fast");
    });

    it("holds a key to its requests, and burns nothing with those that it refuses", async () => {
      const settings = bearer(secretOf("two", name));
      await door(name).complete(echo("a"), settings);
      const invalid = await fails({ ...echo("a"), temperature: 9 }, settings);
      expect(invalid.code).toBe("invalid_value");
      await collect(door(name).stream(echo("a"), settings));
      for (let time = 0; time < 3; time++) {
        const refused = await fails(echo("a"), settings);
        expect([refused.status, refused.code, refused.type]).toEqual([
          statusOn(name, 429, Code.ResourceExhausted),
          "rate_limit_exceeded",
          "rate_limit_error",
        ]);
        expect(refused.message).toContain("requests per minute: 2");
        expect(refused.retryAfterMs).toBeGreaterThan(0);
        expect(refused.retryAfterMs).toBeLessThanOrEqual(30_000);
        expect(refused.details?.quotas ?? [`key:two.${name}`]).toEqual([`key:two.${name}`]);
      }
    });

    it("holds a key to its tokens: what was reserved is settled with what was used", async () => {
      const settings = bearer(secretOf("tokens", name));
      // 60 tokens are reserved each time, and only the few that were used are gone.
      for (let time = 0; time < 3; time++)
        await door(name).complete({ ...echo("a"), maxCompletionTokens: 60 }, settings);
      await door(name).complete({ ...echo("word ".repeat(40)), maxCompletionTokens: 1 }, settings);
      const refused = await fails({ ...echo("a"), maxCompletionTokens: 60 }, settings);
      expect([refused.code, refused.message]).toEqual([
        "rate_limit_exceeded",
        "the limit of this key is reached: tokens per minute: 100",
      ]);
    });

    it("holds a key to its calls at once, and frees the place of one that was cancelled", async () => {
      const settings = bearer(secretOf("one", name));
      const stalled = { ...echo("a"), model: "sandbox/fault-stall" };
      const client = new AbortController();
      const first = collect(door(name).stream(stalled, { ...settings, signal: client.signal })).catch(() => undefined);
      await expect.poll(() => gateway.openCalls).toBe(1);
      const refused = await fails(echo("a"), settings);
      expect([refused.code, refused.message]).toEqual([
        "rate_limit_exceeded",
        "the limit of this key is reached: calls at once: 1",
      ]);
      client.abort();
      await first;
      await expect.poll(() => gateway.openCalls).toBe(0);
      await door(name).complete(echo("a"), settings);
    });
  });

  describe.each(TYPED_DOORS)("the contract on %s", (name) => {
    it("lists the models that the key may use", async () => {
      const { models, close } = openTyped(name, gateway.url);
      const idsFor = async (id: (typeof KEYS)[number]["id"]): Promise<string[]> =>
        (await models.listModels({}, bearer(secretOf(id)))).models.map((model) => model.id);
      const all = await idsFor("plain");
      expect(all).toContain("sandbox/fault-429");
      expect(await idsFor("reader")).toEqual(all);
      expect(await idsFor("echoes")).toEqual(["auto", "sandbox/echo"]);
      expect(await idsFor("named")).toEqual(["fast"]);
      const refused = await failureOf(models.getModel({ model: "sandbox/eliza" }, bearer(secretOf("echoes"))));
      expect(refused).toMatchObject({ code: Code.PermissionDenied });
      close();
    });

    it("tells how it stands with the limits in the headers of every answer", async () => {
      const { chat, close } = openTyped(name, gateway.url);
      const seen: (string | null)[][] = [];
      const onHeader = (headers: Headers): void => {
        seen.push(["limit", "remaining"].map((what) => headers.get(`x-ratelimit-${what}-tokens`)));
      };
      const settings = { ...bearer(secretOf("tokens")), onHeader };
      const params = { ...echo("a"), maxCompletionTokens: 1 };
      await chat.createChatCompletion({ params }, settings);
      for await (const _ of chat.streamChatCompletion({ params }, settings)) expect(seen.length).toBe(2);
      expect(seen.map(([limit]) => limit)).toEqual(["100", "100"]);
      expect(seen.every(([, remaining]) => /^\d+$/.test(remaining ?? ""))).toBe(true);
      close();
    });

    it("tells it also where nothing is taken", async () => {
      const { models, chat, close } = openTyped(name, gateway.url);
      const seen: (string | null)[] = [];
      const onHeader = (headers: Headers): void => void seen.push(headers.get("x-ratelimit-remaining-requests"));
      await models.listModels({}, { ...bearer(secretOf("looking")), onHeader });
      expect(seen).toEqual(["3"]);
      const params = { ...echo("a"), temperature: 9 };
      const thrown = ConnectError.from(
        await failureOf(chat.createChatCompletion({ params }, bearer(secretOf("looking")))),
      );
      expect([thrown.code, thrown.metadata.get("x-ratelimit-remaining-requests")]).toEqual([Code.InvalidArgument, "3"]);
      close();
    });

    it("lets everybody ask for its health", async () => {
      const answer = await fetch(`${gateway.url}/healthz`);
      expect(answer.status).toBe(200);
    });
  });

  describe("on REST", () => {
    const get = (path: string, secret?: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${gateway.url}${path}`, {
        ...init,
        headers: {
          "content-type": "application/json",
          ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
        },
      });

    it("says how to say who one is", async () => {
      const answer = await get("/v1/models");
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="parley"']);
      expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error", code: "invalid_api_key" } });
    });

    it("tells how it stands with the limits, also where it refuses", async () => {
      const body = JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: "a" }] });
      const answers = [];
      for (let time = 0; time < 3; time++) {
        answers.push(await get("/v1/chat/completions", secretOf("two"), { method: "POST", body }));
      }
      const told = answers.map(({ status, headers }) => [
        status,
        headers.get("x-ratelimit-limit-requests"),
        headers.get("x-ratelimit-remaining-requests"),
        /^\d+(?:\.\d+)?m?s$/.test(headers.get("x-ratelimit-reset-requests") ?? ""),
        headers.has("x-ratelimit-limit-tokens"),
        headers.has("retry-after"),
        headers.has("retry-after-ms"),
      ]);
      expect(told).toEqual([
        [200, "2", "1", true, false, false, false],
        [200, "2", "0", true, false, false, false],
        [429, "2", "0", true, false, true, true],
      ]);
    });

    it.each<[what: string, path: string, body: object | undefined, status: number]>([
      ["the list of models", "/v1/models", undefined, 200],
      ["a model that there is not", "/v1/models/nobody/nothing", undefined, 404],
      ["the list of runs", "/v1/chat_completion_runs", undefined, 200],
      ["a call that is refused", "/v1/chat/completions", { model: "sandbox/echo", messages: [] }, 400],
      ["a call of no model", "/v1/chat/completions", { model: "x/y", messages: [{ role: "user", content: "a" }] }, 404],
    ])("tells how it stands with the limits, and takes nothing of them, with %s", async (_, path, body, status) => {
      const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
      const answer = await get(path, secretOf("looking"), init);
      const told = ["limit", "remaining", "reset"].flatMap((what) =>
        ["requests", "tokens"].map((of) => answer.headers.get(`x-ratelimit-${what}-${of}`)),
      );
      expect([answer.status, ...told]).toEqual([status, "3", "900", "3", "900", "0s", "0s"]);
    });

    it.each<[what: string, path: string, header: string, status: number]>([
      ["no key", "/v1/chat/completions", "", 401],
      ["a key without the scope", "/v1/chat/completions", "authorization: Bearer secret-of-reader\r\n", 403],
      ["no key, by Connect", CREATE, "", 401],
      ["a key without the scope, by Connect", CREATE, "authorization: Bearer secret-of-reader\r\n", 403],
    ])("refuses %s before the body is read", async (_, path, header, status) => {
      const { hostname, port } = new URL(gateway.url);
      const socket = net.connect(Number(port), hostname);
      const head = `POST ${path} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n${header}`;
      socket.write(`${head}content-length: 1000000\r\n\r\n{`);
      const [first] = (await new Promise((resolve) => socket.once("data", (data) => resolve([data])))) as [Buffer];
      expect(first.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      socket.destroy();
    });

    it("queues only for keys with the scope runs", async () => {
      const body = JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: "a" }], async: true });
      const refused = await get("/v1/chat/completions", secretOf("plain"), { method: "POST", body });
      expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: "permission_denied" } }]);
      const queued = await get("/v1/chat/completions", secretOf("queuer"), { method: "POST", body });
      expect(queued.status).toBe(202);
      const plain = await get("/v1/chat/completions", secretOf("queuer"), {
        method: "POST",
        body: body.replace("true", "false"),
      });
      expect(plain.status).toBe(403);
    });

    it("gives metrics to who may read them", async () => {
      expect((await get("/metrics")).status).toBe(401);
      expect((await get("/metrics", secretOf("plain"))).status).toBe(403);
      expect((await get("/metrics", secretOf("everything"))).status).toBe(200);
    });

    it("logs who called, and no secret", async () => {
      await get("/v1/models", secretOf("plain"));
      await expect.poll(() => gateway.lines.some(({ keyId }) => keyId === "plain")).toBe(true);
      expect(JSON.stringify(gateway.lines)).not.toContain("secret-of");
    });
  });
});

describe("a gateway that is open", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ cors: { allowedOrigins: ["https://app.example"] } });
  });
  afterAll(() => gateway.stop());

  const raw = async (headers: Readonly<Record<string, string>>, path = "/v1/models"): Promise<number> => {
    const { hostname, port } = new URL(gateway.url);
    const socket = net.connect(Number(port), hostname);
    const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\nconnection: close\r\n\r\n`);
    const [first] = (await new Promise((resolve) => socket.once("data", (data) => resolve([data])))) as [Buffer];
    socket.destroy();
    return Number(/^HTTP\/1\.1 (\d+)/.exec(first.toString())?.[1]);
  };

  it.each<[what: string, headers: Readonly<Record<string, string>>, status: number]>([
    ["a program", {}, 200],
    ["a program with any key", { authorization: "Bearer none" }, 200],
    ["a page of another origin", { origin: "https://evil.example" }, 403],
    ["a page of an opaque origin", { origin: "null" }, 403],
    ["a page whose name leads here", { host: "evil.example" }, 403],
    ["a page of an allowed origin", { origin: "https://app.example" }, 200],
    ["an image in a page of another site", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, 403],
  ])("answers %s as it should", async (_, headers, status) => {
    expect(await raw(headers)).toBe(status);
    expect(await raw(headers, "/metrics")).toBe(status);
  });
});
