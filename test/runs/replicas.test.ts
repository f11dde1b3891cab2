/** Several gateways on one PostgreSQL, whose ways to it are cut. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { Run_Status } from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import { createLateStore } from "../../src/store/late-store.ts";
import type { LateStore } from "../../src/store/store.ts";
import { failureOf, until } from "../support/collect.ts";
import { postgresPlace, STORE_KINDS, type StorePlace } from "../support/stores.ts";
import { createRig, paramsFor, type Rig, type RigChange, saidIn, sequencesOf, textOf } from "./rig.ts";
import { startProxy, type TcpProxy } from "./tcp-proxy.ts";

interface Replica extends Rig {
  readonly store: LateStore;
  readonly way: TcpProxy;
}

const isMissing = STORE_KINDS.find(({ name }) => name === "PostgreSQL")?.isMissing ?? true;
const gated = { params: paramsFor("gated/m") };

describe.skipIf(isMissing)("replicas", () => {
  let place: StorePlace;
  let replicas: Replica[] = [];
  beforeEach(async () => {
    place = await postgresPlace();
  });
  afterEach(async () => {
    for (const { way } of replicas) way.mend();
    await Promise.all(replicas.map((replica) => replica.stop()));
    await Promise.all(replicas.map(({ store }) => store.close()));
    await Promise.all(replicas.map(({ way }) => way.close()));
    replicas = [];
    await place.remove();
  });

  const start = async (change?: RigChange): Promise<Replica> => {
    const url = new URL(place.settings.databaseUrl ?? "");
    const way = await startProxy({ host: url.hostname, port: Number(url.port) });
    url.host = `127.0.0.1:${way.port}`;
    const store = createLateStore({ ...place.settings, databaseUrl: url.href });
    const replica: Replica = Object.assign(createRig(store, change), { store, way });
    replicas.push(replica);
    replica.runs.start();
    return replica;
  };

  it("show what another one's run gives, and cancel it there", async () => {
    const a = await start();
    const b = await start({ settings: { workers: 0 } });
    const { uid } = await b.client().create(gated);
    const events = b.client().watch(uid)[Symbol.asyncIterator]();
    await until(() => a.streams.length === 1, "the call");
    for (const word of ["one", "two"]) {
      a.streams[0]?.say(word);
      expect(saidIn((await events.next()).value)).toBe(word);
    }
    const waiting = b.client().wait(uid);
    expect(await b.client().cancel(uid)).toMatchObject({ status: Run_Status.RUNNING, cancelRequested: true });
    expect(await waiting).toMatchObject({ status: Run_Status.CANCELLED });
    expect((await events.next()).value).toMatchObject([{ event: { case: "run" } }]);
    expect((await events.next()).done).toBe(true);
    expect(a.streams[0]?.signal.aborted).toBe(true);
  });

  it("share the work, and do each run once", async () => {
    const all = [await start(), await start(), await start()];
    const made = await Promise.all(
      Array.from({ length: 60 }, (_, at) => all[at % 3]!.client().create({ params: paramsFor("sandbox/eliza") })),
    );
    for (const { uid } of made) {
      expect(await all[0]!.client().wait(uid)).toMatchObject({ status: Run_Status.COMPLETED, attempts: 1 });
    }
    const executed = (): number => all.reduce((sum, { finished }) => sum + finished.length, 0);
    await until(() => executed() >= 60, "that all are told");
    expect(executed()).toBe(60);
  });

  it("make one run of one request that comes to all of them at once", async () => {
    const all = [await start({ settings: { workers: 0 } }), await start({ settings: { workers: 0 } })];
    const made = await Promise.all(
      Array.from({ length: 50 }, (_, at) => all[at % 2]!.client().create({ requestId: "once" })),
    );
    expect(new Set(made.map(({ uid }) => uid)).size).toBe(1);
    expect((await all[0]!.client().list()).runs.length).toBe(1);
  });

  it("take over from one that is cut off, which can't write when it is back", async () => {
    const a = await start({ settings: { leaseMs: 1_000 } });
    const { uid } = await a.client().create(gated);
    await until(() => a.streams.length === 1, "the call");
    const b = await start({ settings: { leaseMs: 1_000 } });
    const watching = b.client().events(uid);
    a.streams[0]?.say("void");
    await until(async () => (await b.client().get(uid)).lastSequence > 0n, "the first event");
    a.way.cut();
    a.streams[0]?.say("never stored");
    await until(() => b.streams.length === 1, "the second call");
    b.streams[0]?.say("good");
    a.way.mend();
    a.streams[0]?.say("late");
    await until(() => a.streams[0]?.signal.aborted === true, "the end of the late call");
    b.streams[0]?.end();
    const events = await watching;
    expect(sequencesOf(events)).toEqual(events.map((_, at) => at + 1));
    const restart = events.findIndex(({ event }) => event.case === "restart");
    expect([saidIn(events.slice(0, restart)), saidIn(events.slice(restart))]).toEqual(["void", "good"]);
    const run = await a.client().get(uid);
    expect(run).toMatchObject({ status: Run_Status.COMPLETED, attempts: 2 });
    expect(textOf(run.response)).toBe("good");
  });

  it("lose and repeat nothing when the way to the store is cut for a moment, again and again", async () => {
    const a = await start({ settings: { leaseMs: 60_000 } });
    const b = await start({ settings: { workers: 0 } });
    const { uid } = await b.client().create(gated);
    const watching = b.client().events(uid);
    await until(() => a.streams.length === 1, "the call");
    let said = "";
    for (let at = 0; at < 60; at++) {
      const word = `${at} `;
      said += word;
      a.streams[0]?.say(word);
      if (at % 10 === 5) a.way.cut();
      await new Promise((resolve) => setTimeout(resolve, 5));
      a.way.mend();
    }
    a.streams[0]?.end();
    a.way.cut();
    await new Promise((resolve) => setTimeout(resolve, 20));
    a.way.mend();
    const events = await watching;
    expect(saidIn(events)).toBe(said);
    expect(sequencesOf(events)).toEqual(events.map((_, at) => at + 1));
    expect(events.at(-1)?.event).toMatchObject({ value: { status: Run_Status.COMPLETED, attempts: 1 } });
  });

  it("say that the store is away, and go on when it is back", async () => {
    const a = await start();
    const { uid } = await a.client().create(gated);
    await until(() => a.streams.length === 1, "the call");
    a.way.cut();
    const calls = [a.client().create(), a.client().get(uid), a.client().list(), a.client().cancel(uid)];
    for (const failure of await Promise.all(calls.map(failureOf))) {
      expect(failure).toMatchObject({ reason: Reason.UNAVAILABLE, retryable: true });
    }
    a.streams[0]?.say("a");
    a.streams[0]?.end();
    a.way.mend();
    expect(await a.client().wait(uid)).toMatchObject({ status: Run_Status.COMPLETED });
  });

  it("begin to work when a store that was away at the start is there", async () => {
    const b = await start({ settings: { workers: 0 } });
    const { uid } = await b.client().create();
    const url = new URL(place.settings.databaseUrl ?? "");
    const way = await startProxy({ host: url.hostname, port: Number(url.port) });
    way.cut();
    url.host = `127.0.0.1:${way.port}`;
    const store = createLateStore({ ...place.settings, databaseUrl: url.href });
    const a: Replica = Object.assign(createRig(store), { store, way });
    replicas.push(a);
    a.runs.start();
    await until(() => a.lines.some((line) => line.includes("can't be opened")), "the first try");
    way.mend();
    expect(await b.client().wait(uid)).toMatchObject({ status: Run_Status.COMPLETED });
  });
});
