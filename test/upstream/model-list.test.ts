import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { clone } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { ModelSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createModelList, type ModelList, type ModelListOptions } from "../../src/upstream/model-list.ts";
import { MAX_BYTES, MAX_PAGES } from "../../src/upstream/read-models.ts";
import { createUpstreamClient } from "../../src/upstream/undici-client.ts";
import { until } from "../support/collect.ts";
import { createListingProvider } from "../support/listing-provider.ts";
import { createLines } from "../telemetry/lines.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const NEVER = 1_000_000_000;
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A provider's server, whose answer can be exchanged. */
async function startProvider(answer: Answer) {
  const provider = { answer, paths: [] as (string | undefined)[], port: 0 };
  const server = createServer((request, response) => {
    provider.paths.push(request.url);
    provider.answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(
    () => void server.closeAllConnections(),
    () => void server.close(),
  );
  provider.port = (server.address() as AddressInfo).port;
  return provider;
}

function openList(port: number, options: Partial<ModelListOptions> = {}) {
  const lines = createLines();
  const client = createUpstreamClient({ userAgent: "parley/test" });
  const list = createModelList({
    provider: createListingProvider(`http://127.0.0.1:${port}`),
    client,
    refreshMs: NEVER,
    logger: createLogger({ level: "debug", destination: lines }),
    ...options,
  });
  closers.push(
    () => list.close(),
    () => void client.close(),
  );
  return { list, lines: () => lines.all().map((line) => pick(line as Record<string, unknown>)) };
}

const pick = ({ level, msg, provider, reason, retryMs, models }: Record<string, unknown>) => ({
  level,
  msg,
  provider,
  ...(reason === undefined ? {} : { reason, retryMs }),
  ...(models === undefined ? {} : { models }),
});

const says =
  (page: { readonly models: readonly object[]; readonly next?: string }): Answer =>
  (_request, response) =>
    void response.end(JSON.stringify(page));
const lists = (...ids: readonly string[]): Answer => says({ models: ids.map((id) => ({ id })) });
const fails =
  (status: number, headers: Record<string, string> = {}, body = "no"): Answer =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);
const idsOf = (list: ModelList): string[] => list.models().map(({ id }) => id);

describe("createModelList()", () => {
  it("asks nobody before it is started or read", async () => {
    const provider = await startProvider(lists("a"));
    const { list } = openList(provider.port);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(provider.paths).toEqual([]);
    list.start();
    list.start();
    await list.settled;
    expect(provider.paths).toEqual(["/models"]);
  });

  it("does not let readers wait, and has them sorted and each once", async () => {
    const provider = await startProvider(lists("b", "a", "", "b", "c/d:e"));
    const { list } = openList(provider.port);
    expect(idsOf(list)).toEqual([]);
    await list.settled;
    expect(idsOf(list)).toEqual(["a", "b", "c/d:e"]);
    expect(provider.paths).toEqual(["/models"]);
  });

  it("asks with the next key where one is refused, and not where the provider fails", async () => {
    const keys: (string | undefined)[] = [];
    const provider = await startProvider((request, response) => {
      keys.push(request.headers.authorization);
      const isGood = request.headers.authorization === "Bearer good";
      (isGood ? lists("a") : fails(401))(request, response);
    });
    const withKey = (key: string) => createListingProvider(`http://127.0.0.1:${provider.port}`, "listing", key);
    const { list } = openList(provider.port, { furtherKeys: [withKey("good"), withKey("unused")] });
    list.start();
    await list.settled;
    expect(idsOf(list)).toEqual(["a"]);
    expect(keys).toEqual(["Bearer key", "Bearer good"]);

    provider.answer = fails(500);
    provider.paths.length = 0;
    const other = openList(provider.port, { furtherKeys: [withKey("good")], firstRetryMs: NEVER });
    other.list.start();
    await other.list.settled;
    expect(idsOf(other.list)).toEqual([]);
    expect(provider.paths).toEqual(["/models"]);
  });

  it("follows pages, but not for ever", async () => {
    const provider = await startProvider(({ url }, response) => {
      const page = Number(new URL(url ?? "", "http://x").searchParams.get("page"));
      response.end(JSON.stringify({ models: [{ id: `m${page}` }], next: `/models?page=${page + 1}` }));
    });
    const { list } = openList(provider.port);
    list.start();
    await list.settled;
    expect(list.models()).toHaveLength(MAX_PAGES);
    expect(provider.paths.slice(0, 3)).toEqual(["/models", "/models?page=1", "/models?page=2"]);
    expect(provider.paths).toHaveLength(MAX_PAGES);
  });

  it("takes no more bytes than it may, over all pages", async () => {
    const half = "x".repeat(MAX_BYTES / 2);
    const provider = await startProvider(says({ models: [{ id: "a", description: half }], next: "/models" }));
    const { list, lines } = openList(provider.port);
    list.start();
    await list.settled;
    expect(idsOf(list)).toEqual([]);
    expect(provider.paths).toHaveLength(2);
    expect(lines()).toEqual([
      {
        level: "warn",
        msg: "model list cannot be read",
        provider: "listing",
        reason: "UPSTREAM_INVALID_RESPONSE",
        retryMs: 1_000,
      },
    ]);
  });

  it("is the same array until it says something else", async () => {
    const provider = await startProvider(lists("a", "b"));
    const { list } = openList(provider.port, { refreshMs: 0 });
    list.start();
    await list.settled;
    const before = list.models();
    await until(() => {
      list.models();
      return provider.paths.length >= 4;
    }, "it is read again");
    expect(list.models()).toBe(before);
    provider.answer = lists("b", "a", "c");
    await until(() => list.models() !== before, "the list changes");
    expect(idsOf(list)).toEqual(["a", "b", "c"]);
    expect(before.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("is not read again before it is too old", async () => {
    const provider = await startProvider(lists("a"));
    const { list } = openList(provider.port);
    list.start();
    await list.settled;
    for (let read = 0; read < 100; read++) list.models();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(provider.paths).toHaveLength(1);
  });

  it("asks once at a time, however many read it", async () => {
    const held: ServerResponse[] = [];
    const provider = await startProvider((_request, response) => void held.push(response));
    const { list } = openList(provider.port, { refreshMs: 0 });
    for (let read = 0; read < 100; read++) list.models();
    await until(() => held.length > 0, "the provider is asked");
    for (let read = 0; read < 100; read++) list.models();
    held[0]?.end('{"models":[{"id":"a"}]}');
    await list.settled;
    expect(provider.paths).toHaveLength(1);
  });

  it("keeps the list while the provider is down, and follows it when it is back", async () => {
    const provider = await startProvider(lists("a"));
    const { list, lines } = openList(provider.port, { refreshMs: 1, firstRetryMs: 1 });
    list.start();
    await list.settled;
    const before = list.models();
    provider.answer = fails(503);
    await until(() => {
      list.models();
      return provider.paths.length >= 5;
    }, "it is tried again");
    expect(list.models()).toBe(before);
    provider.answer = lists("a", "b");
    await until(() => list.models().length === 2, "the list is back");
    const logged = lines();
    expect(logged[0]).toEqual({
      level: "warn",
      msg: "model list cannot be read",
      provider: "listing",
      reason: "UPSTREAM_ERROR",
      retryMs: 1,
    });
    expect(logged.filter(({ level }) => level === "warn")).toHaveLength(1);
    expect(logged.at(-1)).toEqual({ level: "info", msg: "model list is back", provider: "listing", models: 2 });
  });

  it("tries again by itself until a provider that was down at the start is there", async () => {
    const provider = await startProvider(fails(502));
    const { list } = openList(provider.port, { firstRetryMs: 1 });
    list.start();
    await list.settled;
    expect(provider.paths).toHaveLength(1);
    await until(() => provider.paths.length >= 3, "it is tried again, unread");
    provider.answer = lists("a");
    await until(() => list.models().length === 1, "the list is there");
  });

  it.each<readonly [string, Answer, string, number]>([
    ["an error with a delay", fails(429, { "retry-after-ms": "60000" }), "UPSTREAM_ERROR", 60_000],
    ["an error with too long a delay", fails(429, { "retry-after-ms": "9000000" }), "UPSTREAM_ERROR", 300_000],
    ["an error without one", fails(500), "UPSTREAM_ERROR", 1_000],
    ["an error with an endless page", fails(404, {}, "x".repeat(200_000)), "UPSTREAM_ERROR", 1_000],
    ["no JSON", fails(200, {}, "<html>"), "UPSTREAM_INVALID_RESPONSE", 1_000],
    ["nothing", (request) => void request.socket.destroy(), "UPSTREAM_UNREACHABLE", 1_000],
  ])("stays empty when the provider answers with %s", async (_what, answer, reason, retryMs) => {
    const provider = await startProvider(answer);
    const { list, lines } = openList(provider.port, { refreshMs: 300_000 });
    list.start();
    await list.settled;
    expect(idsOf(list)).toEqual([]);
    expect(lines()).toEqual([
      { level: "warn", msg: "model list cannot be read", provider: "listing", reason, retryMs },
    ]);
  });

  it("gives a provider up that does not answer in time, and tries again", async () => {
    let closed = 0;
    const provider = await startProvider((request) => void request.socket.on("close", () => closed++));
    const { list, lines } = openList(provider.port, { timeoutMs: 100, firstRetryMs: 5 });
    list.start();
    await list.settled;
    expect(lines()[0]).toMatchObject({ level: "warn", reason: "DEADLINE_EXCEEDED", retryMs: 5 });
    await until(() => provider.paths.length >= 2 && closed >= 1, "it is asked again, and the first socket is closed");
    provider.answer = lists("a");
    await until(() => list.models().length === 1, "the list is there");
  });

  it("waits twice as long after each failure, up to the time of a refresh", async () => {
    const provider = await startProvider(fails(500));
    const { list, lines } = openList(provider.port, { refreshMs: 10, firstRetryMs: 2 });
    list.start();
    await until(() => lines().length >= 5, "it failed five times");
    expect(
      lines()
        .slice(0, 5)
        .map(({ level, retryMs }) => [level, retryMs]),
    ).toEqual([
      ["warn", 2],
      ["debug", 4],
      ["debug", 8],
      ["debug", 10],
      ["debug", 10],
    ]);
  });

  it("adds what is known besides", async () => {
    const provider = await startProvider(lists("a"));
    const { list } = openList(provider.port, {
      enrich: async (models) => models.map((model) => ({ ...clone(ModelSchema, model), contextWindow: 7 })),
    });
    list.start();
    await list.settled;
    expect(list.models().map(({ id, contextWindow }) => [id, contextWindow])).toEqual([["a", 7]]);
  });

  it("is what the provider says where nothing can be added", async () => {
    const provider = await startProvider(lists("a"));
    const { list, lines } = openList(provider.port, { enrich: () => Promise.reject(new Error("no prices")) });
    list.start();
    await list.settled;
    expect(idsOf(list)).toEqual(["a"]);
    expect(lines()).toMatchObject([{ level: "error", msg: "nothing can be added to the model list" }]);
  });

  it("closes the socket of what is under way, and asks nobody any more", async () => {
    let closed = false;
    const provider = await startProvider((request) => {
      request.socket.on("close", () => {
        closed = true;
      });
    });
    const { list, lines } = openList(provider.port, { refreshMs: 0, firstRetryMs: 0 });
    list.start();
    await until(() => provider.paths.length === 1, "the provider is asked");
    list.close();
    await list.settled;
    await until(() => closed, "the socket is closed");
    expect(idsOf(list)).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(provider.paths).toHaveLength(1);
    expect(lines()).toEqual([]);
  });
});
