import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createLimiter } from "../../../src/admission/limits/create-limiter.ts";
import type { Grant } from "../../../src/admission/limits/limiter.ts";
import { createSpendLedger } from "../../../src/admission/limits/spend-ledger.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { startServer, type TestServer } from "../../support/servers.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { serverUrl } from "../../support/use-servers.ts";
import {
  askFor,
  emptyLedger,
  granted,
  NOTHING_USED,
  quotaWith,
  refused,
  type SharedLimiter,
  startShared,
} from "./stage.ts";

const isMissing = (await serverUrl("redis")) === undefined;

/** Waits as long as it takes. */
const until = (holds: () => boolean | Promise<boolean>): Promise<void> =>
  vi.waitUntil(holds, { timeout: 50_000, interval: 10 }).then(() => undefined);

const portOf = ({ url }: TestServer): number => Number(new URL(url).port);

describe.skipIf(isMissing)("createRedisLimiter()", () => {
  let server: TestServer;
  let control: ReturnType<typeof createClient>;
  const open: { close(): Promise<void> }[] = [];
  /** Closes it after the test. */
  const closing = <T extends { close(): Promise<void> }>(it: T): T => {
    open.push(it);
    return it;
  };
  const start = async (url: string, options?: Parameters<typeof startShared>[1]): Promise<SharedLimiter> =>
    closing(await startShared(url, options));
  const startProxy = async (target: number): Promise<{ readonly proxy: TcpProxy; readonly url: string }> => {
    const proxy = closing(await startTcpProxy(target));
    return { proxy, url: `redis://127.0.0.1:${proxy.port}` };
  };

  beforeAll(async () => {
    server = (await startServer("redis")) as TestServer;
    control = createClient({ url: server.url });
    await control.connect();
  });
  afterEach(async () => {
    for (const it of open.splice(0)) await it.close();
    await control.flushAll();
  });
  afterAll(async () => {
    control.destroy();
    await server.stop();
  });

  it("grants exactly the limit over two processes", async () => {
    const limiters = [await start(server.url), await start(server.url)];
    const quota = quotaWith({ requestsPerMinute: 100, tokensPerMinute: 1_000_000 });
    const sinceMs = performance.now();
    const decisions = await Promise.all(
      Array.from({ length: 400 }, (_, at) => limiters[at % 2]?.reserve("a", quota, askFor(10))),
    );
    const count = decisions.filter((it) => it?.granted).length;
    expect(count).toBeGreaterThanOrEqual(100);
    expect(count).toBeLessThanOrEqual(100 + Math.ceil(((performance.now() - sinceMs) * 100) / 60_000) + 1);
  });

  it("shares places, and frees those of a process that has died", async () => {
    const { proxy, url } = await startProxy(portOf(server));
    const quota = quotaWith({ concurrent: 2, concurrentStreams: 2 });
    const dying = await start(url, { leaseMs: 2_000 });
    const living = await start(server.url, { leaseMs: 2_000 });
    await granted(dying.reserve("a", quota, askFor(0, true)));
    await granted(living.reserve("a", quota, askFor(0, true)));
    // Longer than it is held without being renewed.
    await sleep(3_000);
    expect((await refused(living.reserve("a", quota, askFor(0, true)))).limit).toBe("concurrent");
    proxy.turn("refuse");
    await until(async () => (await living.reserve("a", quota, askFor(0, true))).granted);
    expect((await refused(living.reserve("a", quota, askFor(0, true)))).limit).toBe("concurrent");
  });

  it("charges what a call took whose place was taken away meanwhile", async () => {
    const limiter = await start(server.url, { leaseMs: 1, beatMs: 60_000 });
    const quota = quotaWith({ tokensPerMinute: 1_000, concurrent: 1 });
    const grant = await granted(limiter.reserve("a", quota, askFor(100)));
    await sleep(20);
    const other = await granted(limiter.reserve("a", quota, askFor(0)));
    grant.settle({ tokens: 3_000, nanoDollars: 0 });
    other.settle(NOTHING_USED);
    expect((await refused(limiter.reserve("a", quota, askFor(0)))).retryAfterMs).toBeGreaterThan(60_000);
  });

  it("starts with what the store says was spent, and counts what all processes spend", async () => {
    const reads: string[] = [];
    const ledger = () =>
      createSpendLedger({
        read: async (caller) => {
          reads.push(caller);
          return 700;
        },
      });
    const one = await start(server.url, { spend: ledger() });
    const other = await start(server.url, { spend: ledger() });
    const quota = quotaWith({ budget: { nanoDollars: 1_000, per: "day" } });
    (await granted(one.reserve("a", quota, askFor(0)))).settle({ tokens: 0, nanoDollars: 200 });
    const last = await granted(other.reserve("a", quota, askFor(0)));
    last.settle({ tokens: 0, nanoDollars: 100 });
    await until(async () => !(await one.reserve("a", quota, askFor(0))).granted);
    expect((await refused(other.reserve("a", quota, askFor(0)))).limit).toBe("budget");
    expect(reads).toEqual(["a"]);
  });

  it("keeps nothing for ever, and all keys of a caller in one slot", async () => {
    const limiter = await start(server.url);
    const budget = { nanoDollars: 1_000, per: "month" } as const;
    const quota = quotaWith({
      requestsPerMinute: 10,
      tokensPerMinute: 1_000,
      concurrent: 2,
      concurrentStreams: 2,
      budget,
    });
    const grant = await granted(limiter.reserve("jwt:a}b{c", quota, askFor(10, true)));
    const keys = (await control.keys("*")).sort();
    const slots = await Promise.all(
      keys
        .filter((key) => key !== "parley:processes")
        .map((key) => control.sendCommand(["CLUSTER", "KEYSLOT", key]).catch(() => tagOf(key))),
    );
    expect(keys).toHaveLength(5);
    expect(new Set(slots).size).toBe(1);
    for (const key of keys) expect(await control.pTTL(key)).toBeGreaterThan(0);
    // Debt of 100 minutes is not forgotten before it is repaid.
    grant.settle({ tokens: 100_000, nanoDollars: 5 });
    await until(async () => (await control.pTTL(keys.find((it) => it.endsWith(":buckets")) ?? "")) > 5_900_000);
    expect(await control.exists(keys.filter((it) => /:(calls|streams)$/.test(it)))).toBe(0);
  });

  it("forgets a caller whose buckets are full", async () => {
    const limiter = await start(server.url);
    const quota = quotaWith({ tokensPerMinute: 1_000 });
    (await granted(limiter.reserve("a", quota, askFor(1_000)))).settle(NOTHING_USED);
    await until(async () => (await control.keys("parley:{*")).length === 0);
  });

  it("counts the processes, and enforces a share of the limits while Redis is away", async () => {
    const { proxy, url } = await startProxy(portOf(server));
    const other = await start(server.url);
    const limiter = await start(url);
    const quota = quotaWith({ requestsPerMinute: 10, concurrent: 6 });
    proxy.turn("refuse");
    await until(() => limiter.isLocal);
    const { standing } = await granted(limiter.reserve("a", quota, askFor(0)));
    expect(standing.requests).toMatchObject({ limit: 5, remaining: 4 });
    await granted(limiter.reserve("a", quota, askFor(0)));
    await granted(limiter.reserve("a", quota, askFor(0)));
    expect((await refused(limiter.reserve("a", quota, askFor(0)))).limit).toBe("concurrent");
    expect(other.isLocal).toBe(false);
    proxy.turn("pass");
    await until(() => !limiter.isLocal);
    expect((await granted(limiter.reserve("a", quota, askFor(0)))).standing.requests?.limit).toBe(10);
    expect(limiter.lines).toEqual([
      "limits are shared through Redis",
      "Redis is away: each process grants its share of the limits",
      "limits are shared through Redis",
    ]);
  });

  it("goes on while Redis is killed and started anew, and tells the new one of the calls that run", async () => {
    const mortal = (await startServer("redis")) as TestServer;
    const { proxy, url } = await startProxy(portOf(mortal));
    const limiter = await start(url);
    const quota = quotaWith({ requestsPerMinute: 1_000_000, concurrent: 3 });
    const held = await granted(limiter.reserve("held", quota, askFor(0)));
    let isOver = false;
    const failures: unknown[] = [];
    let calls = 0;
    const caller = async (): Promise<void> => {
      while (!isOver) {
        try {
          const decision = await limiter.reserve("busy", quotaWith({ tokensPerMinute: 1_000_000_000 }), askFor(1));
          if (decision.granted) decision.settle({ tokens: 1, nanoDollars: 0 });
          calls += 1;
        } catch (error) {
          failures.push(error);
        }
        await sleep(1);
      }
    };
    const callers = Array.from({ length: 5 }, caller);
    await until(() => calls > 50);
    await mortal.stop();
    await until(() => limiter.isLocal);
    calls = 0;
    await until(() => calls > 50);
    proxy.turn("pass", portOf(server));
    await until(() => !limiter.isLocal);
    calls = 0;
    await until(() => calls > 50);
    isOver = true;
    await Promise.all(callers);
    expect(failures).toEqual([]);
    // The new server holds the place of the call that began on the old one.
    await granted(limiter.reserve("held", quota, askFor(0)));
    await granted(limiter.reserve("held", quota, askFor(0)));
    expect((await refused(limiter.reserve("held", quota, askFor(0)))).limit).toBe("concurrent");
    held.settle(NOTHING_USED);
    await granted(limiter.reserve("held", quota, askFor(0)));
  });

  it("waits once for a Redis that says nothing any more", async () => {
    const { proxy, url } = await startProxy(portOf(server));
    const limiter = await start(url, { timeoutMs: 1_000, connectMs: 1_000, beatMs: 60_000 });
    await until(() => !limiter.isLocal);
    const quota = quotaWith({ requestsPerMinute: 100 });
    await granted(limiter.reserve("a", quota, askFor(0)));
    proxy.turn("hold");
    const waited = Array.from({ length: 20 }, () => limiter.reserve("a", quota, askFor(0)));
    expect(waited.every((it) => it instanceof Promise)).toBe(true);
    expect((await Promise.all(waited)).every((it) => it.granted)).toBe(true);
    // From now on nobody waits: what is answered at once is no promise.
    expect(limiter.isLocal).toBe(true);
    expect(limiter.reserve("a", quota, askFor(0))).toMatchObject({ granted: true });
    // It is tried again and again, and still says nothing.
    const { connections } = proxy;
    await until(() => proxy.connections > connections + 1);
    expect(limiter.reserve("a", quota, askFor(0))).toMatchObject({ granted: true });
    proxy.turn("pass");
    await until(() => !limiter.isLocal);
  });

  it("settles once what was heard without an answer, and takes back what nobody used", async () => {
    const { proxy, url } = await startProxy(portOf(server));
    const limiter = await start(url, { timeoutMs: 2_000, beatMs: 60_000 });
    const quota = quotaWith({ tokensPerMinute: 1_000_000, concurrent: 5 });
    const grant = await granted(limiter.reserve("a", quota, askFor(500_000)));
    proxy.turn("mute");
    grant.settle({ tokens: 900_000, nanoDollars: 0 });
    const late = limiter.reserve("a", quota, askFor(100_000));
    (await granted(late)).settle({ tokens: 5, nanoDollars: 0 });
    expect(limiter.isLocal).toBe(true);
    proxy.turn("pass");
    await until(() => !limiter.isLocal);
    const { standing } = await granted(limiter.reserve("a", quota, askFor(0)));
    expect(standing.tokens?.remaining).toBeGreaterThanOrEqual(100_000);
    // Charged once; what is refilled meanwhile is a sixtieth a second.
    expect(standing.tokens?.remaining).toBeLessThan(500_000);
    const [calls = ""] = await control.keys("*:calls");
    expect(await control.zCard(calls)).toBe(1);
  });

  it("tells Redis what was settled while it was away", async () => {
    const { proxy, url } = await startProxy(portOf(server));
    const spend = emptyLedger();
    const limiter = await start(url, { spend });
    const quota = quotaWith({ tokensPerMinute: 1_000, concurrent: 1, budget: { nanoDollars: 1_000, per: "day" } });
    const shared = await granted(limiter.reserve("a", quota, askFor(100)));
    proxy.turn("refuse");
    await until(() => limiter.isLocal);
    shared.settle({ tokens: 3_000, nanoDollars: 300 });
    const local = await granted(limiter.reserve("a", quota, askFor(100)));
    local.settle({ tokens: 100, nanoDollars: 200 });
    local.settle({ tokens: 100, nanoDollars: 200 });
    proxy.turn("pass");
    await until(() => !limiter.isLocal);
    const refusal = await refused(limiter.reserve("a", quota, askFor(0)));
    expect(refusal).toMatchObject({ limit: "tokens" });
    const [spent = ""] = await control.keys("*:spend:*");
    expect(await control.get(spent)).toBe("500");
  });

  it("tells Redis, too, what was settled while it was just coming back", async () => {
    const { proxy, url } = await startProxy(portOf(server));
    const limiter = await start(url);
    const quota = quotaWith({ concurrent: 10_000 });
    const grants = await Promise.all(
      Array.from({ length: 2_000 }, () => granted(limiter.reserve("a", quota, askFor(0)))),
    );
    proxy.turn("refuse");
    await until(() => limiter.isLocal);
    for (const grant of grants.splice(0, 1_500)) grant.settle(NOTHING_USED);
    proxy.turn("pass");
    while (limiter.isLocal || grants.length > 0) {
      grants.pop()?.settle(NOTHING_USED);
      await sleep(0);
    }
    await until(async () => (await control.keys("parley:{*")).length === 0);
    expect(limiter.isLocal).toBe(false);
  });

  it("takes a Redis for away that can't write", async () => {
    const limiter = await start(server.url);
    const quota = quotaWith({ requestsPerMinute: 10 });
    await control.configSet({ maxmemory: "1", "maxmemory-policy": "noeviction" });
    try {
      await granted(limiter.reserve("a", quota, askFor(0)));
      await until(() => limiter.isLocal);
      await granted(limiter.reserve("a", quota, askFor(0)));
    } finally {
      await control.configSet({ maxmemory: "0" });
    }
    await until(() => !limiter.isLocal);
  });

  it("leaves when it is closed, with all of it told", async () => {
    const limiter = await startShared(server.url);
    const quota = quotaWith({ concurrent: 1 });
    const grants: Grant[] = [];
    for (let caller = 0; caller < 20; caller++)
      grants.push(await granted(limiter.reserve(`caller ${caller}`, quota, askFor(0))));
    for (const grant of grants) grant.settle(NOTHING_USED);
    await limiter.close();
    expect(await control.keys("*")).toEqual([]);
    // Whoever calls all the same is answered here.
    expect(limiter.reserve("a", quota, askFor(0))).toMatchObject({ granted: true });
  });
});

describe("createLimiter()", () => {
  const logger = createLogger({ level: "error" });

  it("has limits of its own without an address", async () => {
    const limiter = await createLimiter({ redisUrl: undefined, spend: emptyLedger(), logger });
    expect(limiter.isLocal).toBe(false);
    expect(limiter.reserve(randomUUID(), quotaWith({ concurrent: 1 }), askFor(0))).toMatchObject({ granted: true });
    await limiter.close();
  });

  it("starts where nobody answers, and says nothing of the address", async () => {
    const nobody = createServer().listen(0, "127.0.0.1");
    await once(nobody, "listening");
    const { port } = nobody.address() as { readonly port: number };
    nobody.close();
    await once(nobody, "close");
    const written: string[] = [];
    const limiter = await createLimiter({
      redisUrl: `redis://user:secret-word@127.0.0.1:${port}`,
      spend: emptyLedger(),
      logger: createLogger({ level: "debug", destination: { write: (line) => void written.push(line) } }),
    });
    expect(limiter.isLocal).toBe(true);
    expect(limiter.reserve("a", quotaWith({ concurrent: 1 }), askFor(0))).toMatchObject({ granted: true });
    await limiter.close();
    expect(written).toHaveLength(1);
    expect(written.join()).not.toContain("secret-word");
  });
});

/** What a cluster goes by: the text in the first braces. */
const tagOf = (key: string): string => /\{([^}]+)\}/.exec(key)?.[1] ?? key;
