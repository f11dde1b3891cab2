/** The end of the server, and readers that stop reading, with calls at providers under way. */
import { describe, expect, it, onTestFinished } from "vitest";
import { collect, failureOf, until } from "../support/collect.ts";
import { DOORS, openDoor } from "../support/doors.ts";
import { expectTold, ROWS } from "../support/error-rows.ts";
import { type SettingsChange, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { envelope, openRaw, requestBytes, STREAM } from "../support/raw-call.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, type Reply, startUpstream, type Upstream } from "../support/upstream.ts";
import { ask } from "../support/vendor-stage.ts";

/** A gateway with one provider, which answers every call so. */
async function open(
  vendor: Vendor,
  answer: () => Reply,
  change: SettingsChange = {},
): Promise<{ gateway: TestGateway; upstream: Upstream; calls: number }> {
  const upstream = await startUpstream(({ method }) => (method === "GET" ? { status: 404 } : answer()));
  const gateway = await startTestGateway({ ...change, providers: [vendor.settings(upstream.url)] });
  onTestFinished(async () => {
    await gateway.stop();
    await upstream.close();
  });
  await upstream.request(0); // The list of models.
  return { gateway, upstream, calls: upstream.requests.length };
}

describe.each(VENDORS)("the end of the server, with $id", (vendor) => {
  const { opening, said, ending } = vendor;
  const stalled = [...opening, said("Hello")];

  it.each(DOORS)("%s: closes the upstream's sockets after the grace period, with a typed error", async (name) => {
    const answer = (): Reply => eventStream(stalled, "hold");
    const { gateway, upstream, calls } = await open(vendor, answer, { timeouts: { drainMs: 100 } });
    const door = openDoor(name, gateway.url);
    const stream = door.stream(ask(vendor));
    expect((await stream.next()).done).toBe(false);
    const rest = failureOf(collect(stream));
    const { closed } = await upstream.request(calls);
    await gateway.stop();
    const told = { ...ROWS.overloaded, code: "shutting_down", reason: "SHUTTING_DOWN", retryMs: 1_000 };
    const message = "the server went down before the call ended";
    expectTold(door, await rest, vendor.id, { ...told, message }, true);
    await closed;
    await until(() => upstream.openConnections === 0, "no connection to the upstream");
    door.close();
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });

  it.each(DOORS)("%s: lets a stream finish within the grace period", async (name) => {
    const go = Promise.withResolvers<void>();
    async function* pieces(): AsyncGenerator<string> {
      yield* stalled;
      await go.promise;
      yield* ending;
    }
    const { gateway, upstream } = await open(vendor, () => eventStream(pieces()));
    const door = openDoor(name, gateway.url);
    const stream = door.stream(ask(vendor));
    expect((await stream.next()).done).toBe(false);
    const rest = collect(stream);
    const stopped = gateway.stop();
    go.resolve();
    expect((await rest).flatMap(({ choices }) => choices.map(({ finishReason }) => finishReason))).toContain(1);
    door.close();
    await stopped;
    await until(() => upstream.openConnections === 0, "no connection to the upstream");
  });
});

const TIMEOUT_MS = 3_000;
const GRPC = { "content-type": "application/grpc", te: "trailers", "grpc-timeout": `${TIMEOUT_MS}m` };

/** Far more than all buffers on the way hold, and far less than what a stream without a brake would send until its deadline. */
const MOST_BYTES = 48 * 1024 * 1024;
const EVENT_BYTES = 64 * 1024;

describe.each(VENDORS)("a client that does not read what $id says", (vendor) => {
  const message = envelope(requestBytes({ ...ask(vendor) }));
  const json = { model: `${vendor.id}/large`, messages: [{ role: "user", content: "Hi" }], stream: true };
  const rows = [
    ["grpc", STREAM, GRPC, message],
    ["grpc-web", STREAM, { ...GRPC, "content-type": "application/grpc-web+proto" }, message],
    [
      "connect",
      STREAM,
      { "content-type": "application/connect+proto", "connect-timeout-ms": `${TIMEOUT_MS}` },
      message,
    ],
    [
      "rest",
      "/v1/chat/completions",
      { "content-type": "application/json", "x-parley-timeout-ms": `${TIMEOUT_MS}` },
      JSON.stringify(json),
    ],
  ] as const;

  it.each(rows)("%s: stops the upstream, until the deadline ends it", async (_door, path, headers, body) => {
    let sent = 0;
    const event = vendor.said("x".repeat(EVENT_BYTES));
    function* endless(): Generator<string> {
      yield* vendor.opening;
      for (;;) {
        sent += event.length;
        yield event;
      }
    }
    const { gateway, upstream, calls } = await open(vendor, () => eventStream(endless()));
    const client = openRaw(gateway.url);
    onTestFinished(() => client.close());
    const read = Promise.withResolvers<void>();
    const call = client.call(path, { headers, body, readsAfter: read.promise });
    await (await upstream.request(calls)).closed;
    await until(() => gateway.openCalls === 0, "no open call");
    expect(sent).toBeGreaterThan(EVENT_BYTES);
    expect(sent).toBeLessThan(MOST_BYTES);
    read.resolve();
    const { trailers, body: answer } = await call;
    const end = `${JSON.stringify(trailers)} ${answer.toString("latin1").slice(-4_000)}`;
    expect(end.replaceAll("%20", " ")).toContain(`the call did not end within its deadline of ${TIMEOUT_MS} ms`);
  });
});
