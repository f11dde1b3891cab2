import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/collect.ts";
import { configKey } from "../support/config-key.ts";
import { startServer, type TestServer } from "../support/servers.ts";
import { createDatabase, serverUrl, type TestDatabase } from "../support/use-servers.ts";
import { type Answer, ask, callAtOnce, echo, type Pair, startPair } from "./replicas.ts";

const [postgres, redis] = await Promise.all([serverUrl("postgres"), serverUrl("redis")]);

const REQUESTS = 663;
const TOKENS = 3_000;
const SHARED = 100;
const CROWD = configKey("crowd", ["chat"], { limits: { requests_per_minute: REQUESTS } });
const TALKER = configKey("talker", ["chat"], { limits: { tokens_per_minute: TOKENS } });
const STEADY = configKey("steady", ["chat"], { limits: { requests_per_minute: 1_000_000 } });
const BOUND = configKey("bound", ["chat"], { limits: { requests_per_minute: SHARED } });
const ADMIN = configKey("root", ["admin"]);

/** What a limit may let through besides what it holds: what it is refilled with in that time. */
const refilled = (perMinute: number, ms: number): number => Math.ceil((perMinute * ms) / 60_000);

/** The answers that a limit let through; all others say when to come again. */
function passed(answers: readonly Answer[]): readonly Answer[] {
  const refused = answers.filter(({ status }) => status !== 200);
  const odd = refused.filter(({ status, headers }) => status !== 429 || !(Number(headers["retry-after"]) >= 1));
  expect(odd).toEqual([]);
  return answers.filter(({ status }) => status === 200);
}

describe.skipIf(postgres === undefined || redis === undefined)("two replicas", () => {
  let database: TestDatabase;
  let redisServer: TestServer;
  let pair: Pair;

  beforeAll(async () => {
    database = await createDatabase(postgres as string);
    redisServer = (await startServer("redis")) as TestServer;
    pair = await startPair({
      store: { database_url: database.url },
      redis: { url: redisServer.url },
      log: { level: "warn" },
      sandbox: { token_delay: "0s" },
      auth: { keys: [CROWD, TALKER, STEADY, BOUND, ADMIN].map(({ entry }) => entry) },
    });
  });

  afterAll(async () => {
    await pair?.close();
    await redisServer?.stop();
    await database?.drop();
  });

  it("let as many requests through as the limit has, wherever they come", async () => {
    const startedAt = performance.now();
    const answers = await callAtOnce(pair.replicas, CROWD.secret, 1_000);
    const most = REQUESTS + refilled(REQUESTS, performance.now() - startedAt);
    const { length } = passed(answers);
    expect(answers).toHaveLength(2_000);
    expect(length).toBeGreaterThanOrEqual(REQUESTS);
    expect(length).toBeLessThanOrEqual(most);
  });

  it("let no more tokens through than the limit has, but for those of the calls in flight", async () => {
    const atOnce = 8;
    const body = echo(Array.from({ length: 400 }, (_, at) => `word${at % 10}`).join(" "));
    const used: number[] = [];
    const startedAt = performance.now();
    const talk = async (place: number): Promise<void> => {
      for (;;) {
        const replica = pair.replicas[place % 2 === 0 ? 0 : 1];
        const answer = await ask(replica, "POST", "/v1/chat/completions", TALKER.secret, body);
        const [through] = passed([answer]);
        if (through === undefined) return;
        used.push((through.json as { usage: { total_tokens: number } }).usage.total_tokens);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, (_, place) => talk(place)));
    const most = TOKENS + refilled(TOKENS, performance.now() - startedAt);
    const sum = used.reduce((all, tokens) => all + tokens, 0);
    const [each] = used as [number];
    expect(sum).toBeGreaterThan(TOKENS - each);
    expect(sum).toBeLessThanOrEqual(most + atOnce * each);
  });

  it("know a key at once that another one has made, and refuse it a second after another one has revoked it", async () => {
    const [one, other] = pair.replicas;
    for (const [maker, user] of [
      [one, other],
      [other, one],
    ] as const) {
      const made = await ask(maker, "POST", "/v1/admin/keys", ADMIN.secret, { scopes: ["models"] });
      const { key, secret } = made.json as { key: { id: string }; secret: string };
      for (const replica of [user, maker]) {
        expect((await ask(replica, "GET", "/v1/models", secret)).status).toBe(200);
      }
      expect((await ask(maker, "DELETE", `/v1/admin/keys/${key.id}`, ADMIN.secret)).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 1_001));
      for (const replica of [user, maker, user, maker]) {
        expect((await ask(replica, "GET", "/v1/models", secret)).status).toBe(401);
      }
    }
  });

  it("grant a share of the limit each when Redis is killed, and say so", async () => {
    const client = createClient({ url: redisServer.url });
    // It is going to be killed.
    client.on("error", () => undefined);
    await client.connect();
    await bothKnowOfEachOther(() => client.zRangeWithScores("parley:processes", 0, -1));
    const pid = Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);

    let isOver = false;
    const statuses = new Set<number>();
    const steady = pair.replicas.map(async (replica) => {
      while (!isOver) {
        statuses.add((await ask(replica, "POST", "/v1/chat/completions", STEADY.secret, echo("Hello"))).status);
      }
    });
    process.kill(pid, "SIGKILL");
    for (const replica of pair.replicas) {
      const answer = (): Promise<Answer> => ask(replica, "GET", "/readyz", "");
      await until(async () => JSON.stringify((await answer()).json).includes("redis"), "/readyz tells of Redis");
      expect(await answer()).toMatchObject({
        status: 200,
        json: { status: "ok", degraded: { redis: expect.stringContaining("share") } },
      });
    }
    const startedAt = performance.now();
    for (const replica of pair.replicas) {
      const { length } = passed(await callAtOnce([replica], BOUND.secret, SHARED));
      expect(length).toBeGreaterThanOrEqual(SHARED / 2);
      expect(length).toBeLessThanOrEqual(SHARED / 2 + refilled(SHARED / 2, performance.now() - startedAt));
    }
    isOver = true;
    await Promise.all(steady);
    expect([...statuses]).toEqual([200]);
    client.destroy();
  });
});

type Beats = readonly { readonly value: string; readonly score: number }[];

/** Waits until both have told that they live after both were there. */
async function bothKnowOfEachOther(read: () => Promise<Beats>): Promise<void> {
  let before: Beats = [];
  await until(async () => {
    before = await read();
    return before.length === 2;
  }, "there are two processes");
  await until(async () => {
    const now = await read();
    return before.every(({ value, score }) => now.some((beat) => beat.value === value && beat.score > score));
  }, "both have told that they live");
}
