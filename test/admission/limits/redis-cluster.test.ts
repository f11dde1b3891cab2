import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startServer, type TestServer } from "../../support/servers.ts";
import { serverUrl } from "../../support/use-servers.ts";
import { askFor, granted, quotaWith, refused, type SharedLimiter, startShared } from "./stage.ts";

const isMissing = (await serverUrl("redis")) === undefined;

const SLOTS = 16_384;
const NODES = 3;

/** Starts servers, and makes one cluster of them. */
async function startCluster(): Promise<readonly TestServer[]> {
  const servers = await Promise.all(Array.from({ length: NODES }, () => startServer("redis-node")));
  const nodes = servers.filter((server) => server !== undefined);
  const clients = nodes.map(({ url }) => createClient({ url, RESP: 2 }));
  for (const client of clients) await client.connect();
  const share = Math.ceil(SLOTS / NODES);
  for (const [at, client] of clients.entries()) {
    const last = Math.min((at + 1) * share, SLOTS) - 1;
    await client.sendCommand(["CLUSTER", "ADDSLOTSRANGE", String(at * share), String(last)]);
  }
  const [first] = clients;
  const addresses = await Promise.all(
    clients.map(async (client) => {
      const port = (await client.sendCommand(["CONFIG", "GET", "port"])) as unknown as string[];
      const bus = (await client.sendCommand(["CONFIG", "GET", "cluster-port"])) as unknown as string[];
      return { port: port[1] as string, bus: bus[1] as string };
    }),
  );
  for (const { port, bus } of addresses.slice(1)) {
    await first?.sendCommand(["CLUSTER", "MEET", "127.0.0.1", port, bus]);
  }
  for (const client of clients) {
    await vi.waitUntil(
      async () => {
        const info = String(await client.sendCommand(["CLUSTER", "INFO"]));
        return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${NODES}`);
      },
      { timeout: 50_000, interval: 50 },
    );
    client.destroy();
  }
  return nodes;
}

describe.skipIf(isMissing)("createRedisLimiter() on a cluster", () => {
  let nodes: readonly TestServer[];
  const limiters: SharedLimiter[] = [];
  beforeAll(async () => {
    nodes = await startCluster();
    // Each comes by another node.
    for (const { url } of nodes) limiters.push(await startShared(url));
  });
  afterAll(async () => {
    for (const limiter of limiters) await limiter.close();
    for (const node of nodes) await node.stop();
  });

  it("shares the limits of callers that lie on different nodes", async () => {
    expect(limiters.map(({ isLocal }) => isLocal)).toEqual(limiters.map(() => false));
    const quota = quotaWith({ requestsPerMinute: 6, tokensPerMinute: 1_000, concurrent: 100 });
    for (let caller = 0; caller < 12; caller++) {
      const name = `key_${caller}`;
      const tries = await Promise.all(
        limiters.flatMap((limiter) => [1, 2, 3, 4].map(() => limiter.reserve(name, quota, askFor(10)))),
      );
      expect(tries.filter((it) => it.granted)).toHaveLength(6);
      for (const it of tries) if (it.granted) it.settle({ tokens: 10, nanoDollars: 0 });
    }
    expect(limiters.map(({ isLocal }) => isLocal)).toEqual(limiters.map(() => false));
  });

  it("settles where it has reserved", async () => {
    const quota = quotaWith({ concurrent: 1 });
    for (let caller = 0; caller < 12; caller++) {
      const name = `place_${caller}`;
      const [one, other] = limiters as [SharedLimiter, SharedLimiter];
      const grant = await granted(one.reserve(name, quota, askFor(1)));
      expect((await refused(other.reserve(name, quota, askFor(1)))).limit).toBe("concurrent");
      grant.settle({ tokens: 1, nanoDollars: 0 });
      await vi.waitUntil(async () => {
        const again = await other.reserve(name, quota, askFor(1));
        if (again.granted) again.settle({ tokens: 1, nanoDollars: 0 });
        return again.granted;
      });
    }
  });
});
