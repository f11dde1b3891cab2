/** What several workers have in common: limits, keys, runs, the log of requests and metrics, over processes and sockets. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, callAtOnce, echo } from "../replicas/replicas.ts";
import { until } from "../support/collect.ts";
import { configKey } from "../support/config-key.ts";
import { type Replica, startReplica } from "../support/replica.ts";
import { startServer, type TestServer } from "../support/servers.ts";
import { eventStream, events, json, startUpstream, type Upstream } from "../support/upstream.ts";
import { createDatabase, serverUrl, type TestDatabase } from "../support/use-servers.ts";
import { sampleOf } from "../telemetry/support/samples.ts";
import { killHard, TELLS_CHILDREN, workersOf } from "./processes.ts";

const [postgres, redis] = await Promise.all([serverUrl("postgres"), serverUrl("redis")]);

const REQUESTS = 663;
const TOKENS = 3_000;
const PLACES = 7;
const CROWD = configKey("crowd", ["chat"], { limits: { requests_per_minute: REQUESTS } });
const TALKER = configKey("talker", ["chat"], { limits: { tokens_per_minute: TOKENS } });
const NARROW = configKey("narrow", ["chat"], { limits: { concurrent: PLACES } });
const STREAMER = configKey("streamer", ["chat"], { limits: { concurrent_streams: 3 } });
const ADMIN = configKey("root", ["admin", "chat", "runs", "models"]);

/** What a limit may let through besides what it holds: what it is refilled with in that time. */
const refilled = (perMinute: number, ms: number): number => Math.ceil((perMinute * ms) / 60_000);

const chunk = (delta: object, finish: string | null = null): string =>
  JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

/** A request on a connection of its own, so that the next worker gets it. */
async function ask(url: string, method: string, path: string, secret: string, body?: object): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", connection: "close" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    json: answer.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : text,
  };
}

describe("four workers", () => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  let folder: string;
  let upstream: Upstream;
  let workers: Replica;
  /** How many calls the upstream works on, and the most that there were at once. */
  let open = 0;
  let most = 0;
  /** It answers nothing before there were so many at once. */
  let gathered = 1;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parley-workers-"));
    upstream = await startUpstream(async ({ method, body, closed }) => {
      if (method === "GET") return json({ object: "list", data: [] });
      open += 1;
      most = Math.max(most, open);
      if (body.includes('"stream":true')) {
        void closed.then(() => {
          open -= 1;
        });
        return eventStream(events(chunk({ role: "assistant", content: "a" })), "hold");
      }
      await until(() => most >= gathered, "there are so many calls at once");
      await new Promise((resolve) => setTimeout(resolve, 100));
      open -= 1;
      const choices = [{ index: 0, message: { role: "assistant", content: "a" }, finish_reason: "stop" }];
      return json({ id: "c", object: "chat.completion", created: 1, model: "m", choices });
    });
    workers = await startReplica({
      name: "workers",
      folder,
      config: {
        workers: 4,
        store: { data_dir: join(folder, "state") },
        sandbox: { token_delay: "0s" },
        runs: { lease: "1s" },
        providers: [{ id: "up", openai_compatible: { base_url: `${upstream.url}/v1`, api_key: "none" } }],
        auth: { keys: [CROWD, TALKER, NARROW, STREAMER, ADMIN].map(({ entry }) => entry) },
      },
      onLine: (line) => lines.push(line),
    });
    await workers.ready();
  });
  afterAll(async () => {
    await workers?.kill();
    await upstream?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The answers that a limit let through; all others say when to come again. */
  function passed(answers: readonly Answer[]): readonly Answer[] {
    const refused = answers.filter(({ status }) => status !== 200);
    const odd = refused.filter(({ status, headers }) => status !== 429 || !(Number(headers["retry-after"]) >= 1));
    expect(odd).toEqual([]);
    return answers.filter(({ status }) => status === 200);
  }
  /** Kills a worker, and waits until another one has its place. */
  const killAndReplace = async (pid: number): Promise<void> => {
    const ready = (): number => lines.filter(({ msg }) => msg === "ready").length;
    const before = ready();
    await killHard(pid);
    await until(() => ready() > before, "another one is ready");
  };
  const busy = (): Set<unknown> => new Set(lines.flatMap(({ msg, worker }) => (msg === "call" ? [worker] : [])));

  it("let as many requests through as the limit has, whichever they come to", async () => {
    const startedAt = performance.now();
    const answers = await callAtOnce([workers], CROWD.secret, 2_000);
    const upTo = REQUESTS + refilled(REQUESTS, performance.now() - startedAt);
    const { length } = passed(answers);
    expect(answers).toHaveLength(2_000);
    expect(length).toBeGreaterThanOrEqual(REQUESTS);
    expect(length).toBeLessThanOrEqual(upTo);
    await until(() => busy().size === 4, "all have worked");
  });

  it("let no more tokens through than the limit has, but for those of the calls in flight", async () => {
    const atOnce = 8;
    const body = echo(Array.from({ length: 400 }, (_, at) => `word${at % 10}`).join(" "));
    const used: number[] = [];
    const startedAt = performance.now();
    const talk = async (): Promise<void> => {
      for (;;) {
        const [through] = passed([await ask(workers.url, "POST", "/v1/chat/completions", TALKER.secret, body)]);
        if (through === undefined) return;
        used.push((through.json as { usage: { total_tokens: number } }).usage.total_tokens);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, talk));
    const upTo = TOKENS + refilled(TOKENS, performance.now() - startedAt);
    const sum = used.reduce((all, tokens) => all + tokens, 0);
    const [each] = used as [number];
    expect(sum).toBeGreaterThan(TOKENS - each);
    expect(sum).toBeLessThanOrEqual(upTo + atOnce * each);
  });

  it("never work on more calls of a key at once than it has places, and use all of them", async () => {
    most = 0;
    gathered = PLACES;
    const body = { model: "up/m", messages: [{ role: "user", content: "Hello" }] };
    const statuses: number[] = [];
    const call = async (): Promise<void> => {
      for (let at = 0; at < 4; at++) {
        const [through] = passed([await ask(workers.url, "POST", "/v1/chat/completions", NARROW.secret, body)]);
        statuses.push(through === undefined ? 429 : 200);
      }
    };
    await Promise.all(Array.from({ length: 25 }, call));
    expect(most).toBe(PLACES);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    // One after the other, each finds the place free that the one before it gave back, at whichever worker.
    for (let at = 0; at < 8; at++) {
      expect((await ask(workers.url, "POST", "/v1/chat/completions", NARROW.secret, body)).status).toBe(200);
    }
  });

  it.skipIf(!TELLS_CHILDREN)("have the places of a worker again that was killed", async () => {
    const sent: ClientRequest[] = [];
    /** Opens a stream that goes on, on a connection of its own; "refused" where it may not. */
    const stream = async (): Promise<"open" | "refused"> => {
      const call = request(`${workers.url}/v1/chat/completions`, {
        method: "POST",
        agent: false,
        headers: { authorization: `Bearer ${STREAMER.secret}`, "content-type": "application/json" },
      });
      sent.push(call);
      // Its worker may be killed.
      call.on("error", () => undefined);
      call.end(JSON.stringify({ model: "up/m", stream: true, messages: [{ role: "user", content: "Hello" }] }));
      const [answer] = (await once(call, "response")) as [IncomingMessage];
      answer.on("error", () => undefined).resume();
      return answer.statusCode === 200 ? "open" : "refused";
    };
    expect([await stream(), await stream(), await stream()]).toEqual(["open", "open", "open"]);
    expect([await stream(), await stream()]).toEqual(["refused", "refused"]);
    // They went to three of the four.
    let freed = 0;
    for (const pid of workersOf(workers.pid)) {
      const before = open;
      await killAndReplace(pid);
      for (; open < before; freed++) await until(async () => (await stream()) === "open", "a place is free");
      expect(await stream()).toBe("refused");
    }
    expect(freed).toBeGreaterThanOrEqual(3);
    for (const call of sent) call.destroy();
    await until(() => open === 0, "the streams have ended");
  });

  it("know a key at once that was made at one of them, and refuse it soon after it was revoked", async () => {
    const made = await ask(workers.url, "POST", "/v1/admin/keys", ADMIN.secret, { scopes: ["models"] });
    const { key, secret } = made.json as { key: { id: string }; secret: string };
    const statuses = (): Promise<number[]> =>
      Promise.all(Array.from({ length: 8 }, async () => (await ask(workers.url, "GET", "/v1/models", secret)).status));
    expect(new Set(await statuses())).toEqual(new Set([200]));
    expect((await ask(workers.url, "DELETE", `/v1/admin/keys/${key.id}`, ADMIN.secret)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_001));
    expect(new Set(await statuses())).toEqual(new Set([401]));
  });

  it("find each other's rows in the log of requests, as soon as a call was answered", async () => {
    const body = echo("Hello");
    for (let at = 0; at < 8; at++) {
      const { headers } = await ask(workers.url, "POST", "/v1/chat/completions", ADMIN.secret, body);
      const path = `/v1/admin/requests?request_id=${headers["x-request-id"]}`;
      const found = (await ask(workers.url, "GET", path, ADMIN.secret)).json as { data: unknown[] };
      expect(found.data).toHaveLength(1);
    }
  });

  it("tell the metrics of all, whichever is asked", async () => {
    const count = async (): Promise<number | undefined> => {
      const text = (await ask(workers.url, "GET", "/metrics", ADMIN.secret)).json as string;
      return sampleOf(text, "parley_call_duration_count", {
        parley_operation: "GetModel",
        error_type: "model_not_found",
      });
    };
    for (let at = 0; at < 10; at++) await ask(workers.url, "GET", `/v1/models/none-${at}`, ADMIN.secret);
    await until(async () => (await count()) === 10, "all are counted");
    expect(await Promise.all(Array.from({ length: 6 }, count))).toEqual(Array.from({ length: 6 }, () => 10));
  });

  const RUNS = "/v1/chat_completion_runs";
  const create = async (at: Replica, model: string): Promise<string> => {
    const body = { model, messages: [{ role: "user", content: "Hello" }] };
    return ((await ask(at.url, "POST", RUNS, ADMIN.secret, body)).json as { uid: string }).uid;
  };
  const get = async (at: Replica, uid: string): Promise<{ readonly status: string; readonly attempts: number }> =>
    (await ask(at.url, "GET", `${RUNS}/${uid}`, ADMIN.secret)).json as { status: string; attempts: number };
  const has = (at: Replica, uid: string, status: string): Promise<void> =>
    until(async () => (await get(at, uid)).status === status, `the run is ${status}`);

  it("share the work of runs, and show each other's", async () => {
    const uids = await Promise.all(Array.from({ length: 20 }, () => create(workers, "sandbox/echo")));
    for (const uid of uids) {
      const { json: run } = await ask(workers.url, "GET", `${RUNS}/${uid}/wait`, ADMIN.secret);
      expect(run).toMatchObject({ status: "completed", attempts: 1 });
    }
    const executors = (): Set<unknown> =>
      new Set(
        lines.flatMap(({ door, runUid, worker }) => (door === "run" && uids.includes(String(runUid)) ? [worker] : [])),
      );
    await until(() => executors().size > 1, "several have worked on them");
  });

  it("end a run wherever it is cancelled, and tell it to whoever watches it wherever", async () => {
    const uid = await create(workers, "up/m");
    await has(workers, uid, "running");
    const watching = Array.from({ length: 4 }, () => ask(workers.url, "GET", `${RUNS}/${uid}/events`, ADMIN.secret));
    await ask(workers.url, "POST", `${RUNS}/${uid}/cancel`, ADMIN.secret);
    for (const { json: text } of await Promise.all(watching)) expect(text).toContain('"status":"cancelled"');
    await has(workers, uid, "cancelled");
  });

  it.skipIf(!TELLS_CHILDREN)("take over the run of a worker that was killed", async () => {
    const uid = await create(workers, "up/m");
    await until(async () => (await get(workers, uid)).attempts === 1 && open === 1, "the run is worked on");
    for (const pid of workersOf(workers.pid)) {
      await killAndReplace(pid);
    }
    await until(async () => (await get(workers, uid)).attempts > 1 && open === 1, "the run is worked on again");
    await ask(workers.url, "POST", `${RUNS}/${uid}/cancel`, ADMIN.secret);
    await has(workers, uid, "cancelled");
  });

  it("go on with their runs at once when all of them were killed", async () => {
    const config = {
      workers: 2,
      store: { data_dir: join(folder, "other") },
      runs: { lease: "600s" },
      sandbox: { token_delay: "0s" },
      auth: { keys: [ADMIN.entry] },
      models: [{ id: "slow", targets: ["up/m"] }],
      providers: [{ id: "up", openai_compatible: { base_url: `${upstream.url}/v1`, api_key: "none" } }],
    };
    const other = await startReplica({ name: "other", folder, config });
    try {
      await other.ready();
      const uid = await create(other, "slow");
      await until(() => open === 1, "the run is worked on");
      await other.kill();
      await until(() => open === 0, "its upstream hears of it");
      other.start();
      await other.ready();
      await until(() => open === 1, "the run is worked on again");
      expect(await get(other, uid)).toMatchObject({ status: "running", attempts: 2 });
    } finally {
      await other.kill();
    }
  });
});

describe.skipIf(postgres === undefined || redis === undefined)("workers on PostgreSQL and Redis", () => {
  let folder: string;
  let database: TestDatabase;
  let redisServer: TestServer;
  let workers: Replica;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parley-workers-"));
    database = await createDatabase(postgres as string);
    redisServer = (await startServer("redis")) as TestServer;
    workers = await startReplica({
      name: "workers",
      folder,
      config: {
        workers: 3,
        store: { database_url: database.url },
        redis: { url: redisServer.url },
        sandbox: { token_delay: "0s" },
        auth: { keys: [CROWD, ADMIN].map(({ entry }) => entry) },
      },
    });
    await workers.ready();
  });
  afterAll(async () => {
    await workers?.kill();
    await redisServer?.stop();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it("let as many requests through as the limit has", async () => {
    const startedAt = performance.now();
    const answers = await callAtOnce([workers], CROWD.secret, 2_000);
    const upTo = REQUESTS + refilled(REQUESTS, performance.now() - startedAt);
    const { length } = answers.filter(({ status }) => status === 200);
    expect(length).toBeGreaterThanOrEqual(REQUESTS);
    expect(length).toBeLessThanOrEqual(upTo);
  });

  it("work on runs, and find each other's rows, with few connections", async () => {
    const body = { model: "sandbox/echo", messages: [{ role: "user", content: "Hello" }] };
    const made = await Promise.all(
      Array.from({ length: 30 }, () => ask(workers.url, "POST", "/v1/chat_completion_runs", ADMIN.secret, body)),
    );
    for (const { json: run } of made) {
      const path = `/v1/chat_completion_runs/${(run as { uid: string }).uid}/wait`;
      expect((await ask(workers.url, "GET", path, ADMIN.secret)).json).toMatchObject({ status: "completed" });
    }
    const { headers } = await ask(workers.url, "POST", "/v1/chat/completions", ADMIN.secret, body);
    const path = `/v1/admin/requests?request_id=${headers["x-request-id"]}`;
    expect((await ask(workers.url, "GET", path, ADMIN.secret)).json).toMatchObject({ data: [{}] });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(
      "select count(*)::int as count from pg_stat_activity where application_name = 'parley' and datname = current_database()",
    );
    await client.end();
    // Each worker has three for queries and one that listens.
    expect(rows[0].count).toBeLessThanOrEqual(3 * 4);
    expect(rows[0].count).toBeGreaterThanOrEqual(3 * 2);
  });
});
