import { getEventListeners } from "node:events";
import net, { type AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { clientGone } from "../../src/errors/client-gone.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import { eventStream, events, type Reply, startUpstream, type Upstream } from "../support/upstream.ts";
import { openTinyBackend, planOf } from "./support/tiny-backend.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of opened.splice(0).reverse()) await it.close();
});

async function open(reply: Reply) {
  const upstream = await startUpstream(() => reply);
  const backend = openTinyBackend(upstream.url);
  opened.push(upstream, backend);
  return { upstream, backend };
}

const chunk = events('{"text":"a"}');
const silent: Reply = { status: "none", ending: "hold" };

/** Calls that are under way: whether they stream, what the upstream has said of its answer, and how far that is to come first. */
const UNDER_WAY: readonly (readonly [string, boolean, Reply])[] = [
  ["a call that is not answered yet", false, silent],
  [
    "a call whose answer has begun",
    false,
    { headers: { "content-type": "application/json" }, pieces: ['{"te'], ending: "hold" },
  ],
  ["a call whose failure has begun", false, { status: 500, pieces: ["<h1>"], ending: "hold" }],
  ["a stream that is not answered yet", true, silent],
  ["a stream whose head has come", true, eventStream([], "hold")],
  ["a stream that says that it lives", true, eventStream([": hi\n\n"], "hold")],
  ["a stream whose first chunk has come", true, eventStream(chunk, "hold")],
  [
    "a stream that comes compressed",
    true,
    { ...eventStream([gzipSync(chunk.join("")).subarray(0, 20)], "hold"), headers: { "content-encoding": "gzip" } },
  ],
];

/** Makes a call until it hangs, ends it by its signal, and returns what came of it. */
async function abortOnce(
  { upstream, backend }: Awaited<ReturnType<typeof open>>,
  streaming: boolean,
): Promise<{ error: unknown; afterMs: number; listeners: number }> {
  const controller = new AbortController();
  const reason = clientGone();
  const plan = planOf(backend, streaming);
  const ended = failureOf(streaming ? collect(plan.stream(controller.signal)) : plan.complete(controller.signal));
  const request = await upstream.request(upstream.requests.length);
  await new Promise((resolve) => setTimeout(resolve, 30)); // For what the upstream says to arrive.
  const abortedAt = performance.now();
  controller.abort(reason);
  const error = await ended;
  const afterMs = (await request.closed) - abortedAt;
  return { error, afterMs, listeners: getEventListeners(controller.signal, "abort").length };
}

describe("the signal of a call", () => {
  it.each(UNDER_WAY)("closes the upstream's socket at once: %s", async (_what, streaming, reply) => {
    const under = await open(reply);
    const results: Awaited<ReturnType<typeof abortOnce>>[] = [];
    for (let call = 0; call < 5; call++) results.push(await abortOnce(under, streaming));
    expect(results.map(({ error }) => error)).toMatchObject(Array(5).fill({ reason: Reason.CANCELLED }));
    expect(results.map(({ listeners }) => listeners)).toEqual([0, 0, 0, 0, 0]);
    // The best of five, as the machine may be busy with something else.
    expect(Math.min(...results.map(({ afterMs }) => afterMs))).toBeLessThan(50);
    expect(under.upstream.openConnections).toBe(0);
  });

  it("ends a call that waits for a connection", async () => {
    const server = net.createServer(() => undefined).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    // It takes connections, and says nothing of TLS.
    const backend = openTinyBackend(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    opened.push(backend);
    const controller = new AbortController();
    const ended = failureOf(planOf(backend, true).stream(controller.signal)[Symbol.asyncIterator]().next());
    await new Promise((resolve) => setTimeout(resolve, 30));
    controller.abort(clientGone());
    expect(await ended).toMatchObject({ reason: Reason.CANCELLED });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    server.close();
  });

  it("lets no call begin that is over already", async () => {
    const { upstream, backend } = await open(silent);
    const signal = AbortSignal.abort(clientGone());
    for (const streaming of [false, true]) {
      const plan = planOf(backend, streaming);
      const error = await failureOf(streaming ? collect(plan.stream(signal)) : plan.complete(signal));
      expect(error).toMatchObject({ reason: Reason.CANCELLED });
    }
    expect(upstream.connections).toBe(0);
  });

  it("keeps chunks back that are here, but not read", async () => {
    const { backend } = await open(eventStream([...chunk, ...chunk]));
    const controller = new AbortController();
    const stream = planOf(backend, true).stream(controller.signal)[Symbol.asyncIterator]();
    expect(await stream.next()).toMatchObject({ done: false });
    await new Promise((resolve) => setTimeout(resolve, 30)); // The rest is here.
    controller.abort(clientGone());
    expect(await failureOf(stream.next())).toMatchObject({ reason: Reason.CANCELLED });
  });
});

describe("a reader of a stream", () => {
  const leave = async (upstream: Upstream): Promise<void> => {
    await (await upstream.request(0)).closed;
    await until(() => upstream.openConnections === 0, "the connection is closed");
  };

  it("closes the upstream's socket by leaving", async () => {
    const { upstream, backend } = await open(eventStream(chunk, "hold"));
    const { signal } = new AbortController();
    for await (const batch of planOf(backend, true).stream(signal)) {
      expect(batch).toHaveLength(1);
      break;
    }
    await leave(upstream);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("closes the upstream's socket by failing", async () => {
    const { upstream, backend } = await open(eventStream(chunk, "hold"));
    const { signal } = new AbortController();
    const fail = async (): Promise<void> => {
      for await (const _ of planOf(backend, true).stream(signal)) throw new Error("enough");
    };
    expect(await failureOf(fail())).toMatchObject({ message: "enough" });
    await leave(upstream);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
