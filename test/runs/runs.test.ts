/** Runs on every kind of store. */
import { create, toJson } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { CreateChatCompletionRequestSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ChatCompletionSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import {
  Run_Status,
  RunSchema,
  type WatchRunResponse,
  WatchRunResponseSchema,
} from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import { sweep } from "../../src/runs/sweeper.ts";
import type { Store } from "../../src/store/store.ts";
import { failureOf, until } from "../support/collect.ts";
import { STORE_KINDS, type TestStore } from "../support/stores.ts";
import { callOf, createRig, lateOf, paramsFor, type Rig, type RigChange, saidIn, sequencesOf, textOf } from "./rig.ts";

const { QUEUED, RUNNING, COMPLETED, FAILED, CANCELLED } = Run_Status;

describe.each(STORE_KINDS)("runs on $name", ({ isMissing, open }) => {
  let own: TestStore;
  let store: Store;
  let rigs: Rig[] = [];
  beforeAll(async () => {
    if (isMissing) return;
    own = await open();
    ({ store } = own);
  });
  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.stop()));
    await store?.db.deleteFrom("runs").execute();
  });
  afterAll(() => own?.remove());

  const start = (change?: RigChange): Rig => {
    const rig = createRig(lateOf(store), change);
    rigs = [...rigs, rig];
    return rig;
  };
  const rowOf = (uid: string) =>
    store.db.selectFrom("runs").selectAll().where("uid", "=", uid).executeTakeFirstOrThrow();
  const count = async (table: "runs" | "run_events" | "webhooks"): Promise<number> =>
    (
      await store.db
        .selectFrom(table)
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow()
    ).count;
  const gated = { params: paramsFor("gated/m") };

  describe.skipIf(isMissing)("a run", () => {
    it("is kept before anybody is called, and answers at once", async () => {
      const { client, streams } = start({ settings: { workers: 0 } });
      const run = await client().create({ ...gated, requestId: "first" });
      expect(run).toMatchObject({
        uid: expect.stringMatching(/^run_[0-9A-Za-z]{28}$/),
        status: QUEUED,
        model: "gated/m",
        attempts: 0,
        lastSequence: 0n,
        cancelRequested: false,
        requestId: "first",
      });
      expect(Math.abs(timestampMs(run.createdAt!) - Date.now())).toBeLessThan(60_000);
      expect([run.startedAt, run.finishedAt, run.expiresAt, run.response, run.error, run.report]).toEqual(
        Array(6).fill(undefined),
      );
      expect(await client().get(run.uid)).toEqual(run);
      expect(streams).toEqual([]);
    });

    it("ends with the answer that the call itself has, and forgets what was asked", async () => {
      const { client, gateway, finished } = start();
      const params = paramsFor("sandbox/eliza", { n: 2, logprobs: true, seed: 7n });
      const whole = await gateway.operations.createChatCompletion(
        create(CreateChatCompletionRequestSchema, { params }),
        callOf(OPEN_CALLER),
      );
      const { uid } = await client().create({ params: { ...params, stream: false, async: true } });
      const run = await client().wait(uid);
      expect(run).toMatchObject({ status: COMPLETED, attempts: 1, cancelRequested: false });
      const comparable = (completion: typeof whole.completion) =>
        toJson(ChatCompletionSchema, { ...completion!, id: "", created: 0n });
      expect(comparable(run.response)).toEqual(comparable(whole.completion));
      expect(run.report).toMatchObject({
        provider: "sandbox",
        model: "eliza",
        requestId: expect.stringMatching(/^req_/),
      });
      const [started, ended, expires] = [run.startedAt, run.finishedAt, run.expiresAt].map((at) => timestampMs(at!));
      expect(started).toBeGreaterThanOrEqual(timestampMs(run.createdAt!));
      expect(ended).toBeGreaterThanOrEqual(started!);
      expect(expires! - ended!).toBeGreaterThan(86_000_000);
      expect((await rowOf(uid)).request).toBeNull();
      await until(() => finished.length > 0, "that it is told");
      expect(finished).toMatchObject([
        {
          log: {
            door: "run",
            operation: "StreamChatCompletion",
            model: "sandbox/eliza",
            usage: { completionTokens: expect.any(Number) },
          },
          execution: { runUid: uid, caller: { id: "open" }, completion: { choices: [{}, {}] } },
        },
      ]);
    });

    it("gives every watcher the same events under the same numbers, from wherever it begins", async () => {
      const { client } = start();
      const { uid } = await client().create({ params: paramsFor("sandbox/eliza", {}, "Tell me about a long day.") });
      const during = await client().events(uid);
      const after = await client().events(uid);
      const asJson = (events: readonly WatchRunResponse[]) => events.map((it) => toJson(WatchRunResponseSchema, it));
      expect(asJson(after)).toEqual(asJson(during));
      expect(sequencesOf(during)).toEqual(during.map((_, at) => at + 1));
      const last = during.at(-1)!;
      expect(last.event).toMatchObject({ case: "run", value: { status: COMPLETED, lastSequence: last.sequence } });
      expect(saidIn(during)).toBe(textOf((await client().get(uid)).response));
      for (const seen of [1, 2, during.length - 2, during.length - 1]) {
        expect(asJson(await client().events(uid, seen))).toEqual(asJson(during.slice(seen)));
      }
      expect(await client().events(uid, during.length)).toEqual([]);
      for (const beyond of [during.length + 1, 2 ** 53, 2 ** 63 - 1024]) {
        expect(await client().events(uid, beyond)).toEqual([]);
      }
    });

    it("shows what comes when it comes", async () => {
      const { client, streams } = start();
      const { uid } = await client().create(gated);
      const events = client().watch(uid)[Symbol.asyncIterator]();
      await until(() => streams.length === 1, "the call");
      for (const word of ["one", "two", "three"]) {
        streams[0]?.say(word);
        const { value } = await events.next();
        expect(saidIn(value)).toBe(word);
        expect(await client().get(uid)).toMatchObject({
          status: RUNNING,
          lastSequence: value.at(-1).sequence,
        });
      }
      const beyond = await failureOf(client().events(uid, 4));
      expect(beyond).toMatchObject({ reason: Reason.INVALID_VALUE, details: { param: "after_sequence" } });
      streams[0]?.end();
      const rest: WatchRunResponse[] = [];
      for (let next = await events.next(); !next.done; next = await events.next()) rest.push(...next.value);
      expect(rest.at(-1)?.event.case).toBe("run");
      expect(textOf((await client().get(uid)).response)).toBe("onetwothree");
    });

    it("fails as the call fails", async () => {
      const { client, finished } = start();
      const { uid } = await client().create({ params: paramsFor("sandbox/fault-401") });
      const run = await client().wait(uid);
      expect(run).toMatchObject({
        status: FAILED,
        error: {
          reason: Reason.UPSTREAM_AUTHENTICATION_FAILED,
          message: "the provider refused the gateway's credentials",
          type: "server_error",
          code: "upstream_authentication_failed",
        },
        report: { attempts: [{ target: "sandbox/fault-401" }] },
      });
      await until(() => finished.length > 0, "that it is told");
      expect(finished).toMatchObject([{ log: { error: { reason: Reason.UPSTREAM_AUTHENTICATION_FAILED } } }]);
    });

    it("keeps what came before it failed", async () => {
      const { client } = start();
      const { uid } = await client().create({ params: paramsFor("sandbox/fault-cut") });
      const events = await client().events(uid);
      expect(saidIn(events)).not.toBe("");
      expect(events.at(-1)?.event).toMatchObject({
        case: "run",
        value: { status: FAILED, error: { reason: Reason.UPSTREAM_STREAM_INTERRUPTED } },
      });
    });

    it("ends at its own time limit", async () => {
      const { client, streams } = start();
      const { uid } = await client().create({ ...gated, timeout: { nanos: 50_000_000 } });
      expect(await client().wait(uid)).toMatchObject({ status: FAILED, error: { reason: Reason.DEADLINE_EXCEEDED } });
      expect(streams[0]?.signal.aborted).toBe(true);
    });

    it("is waited for no longer than was said", async () => {
      const { client } = start({ settings: { workers: 0 } });
      const { uid } = await client().create(gated);
      expect(await client().wait(uid, 0)).toMatchObject({ status: QUEUED });
      expect(await client().wait(uid, 0.05)).toMatchObject({ status: QUEUED });
    });

    it("can have a long answer, which a slow watcher reads page by page", async () => {
      const { client, streams } = start();
      const { uid } = await client().create(gated);
      const watcher = client().watch(uid)[Symbol.asyncIterator]();
      await until(() => streams.length === 1, "the call");
      const piece = "x".repeat(64 * 1024);
      streams[0]?.say(piece);
      const first = await watcher.next();
      for (let at = 1; at < 100; at++) streams[0]?.say(piece);
      streams[0]?.end();
      const run = await client().wait(uid);
      expect(textOf(run.response).length).toBe(100 * piece.length);
      const events = [...first.value];
      let largest = 0;
      for (let next = await watcher.next(); !next.done; next = await watcher.next()) {
        largest = Math.max(largest, saidIn(next.value).length);
        events.push(...next.value);
      }
      expect(sequencesOf(events)).toEqual(events.map((_, at) => at + 1));
      expect(saidIn(events).length).toBe(100 * piece.length);
      expect(largest).toBeLessThan(50 * piece.length);
    });

    it("has many watchers at once", async () => {
      const { client, streams } = start();
      const { uid } = await client().create(gated);
      const watching = Array.from({ length: 50 }, () => client().events(uid));
      await until(() => streams.length === 1, "the call");
      for (const word of ["a", "b", "c"]) streams[0]?.say(word);
      streams[0]?.end();
      for (const events of await Promise.all(watching)) {
        expect(saidIn(events)).toBe("abc");
        expect(sequencesOf(events)).toEqual(events.map((_, at) => at + 1));
      }
    });
  });

  describe.skipIf(isMissing)("a cancel", () => {
    it("ends a run that is queued", async () => {
      const { client } = start({ settings: { workers: 0 } });
      const { uid } = await client().create(gated);
      const watching = client().events(uid);
      expect(await client().cancel(uid)).toMatchObject({ status: CANCELLED, cancelRequested: true, lastSequence: 1n });
      expect(await watching).toMatchObject([{ sequence: 1n, event: { case: "run", value: { status: CANCELLED } } }]);
    });

    it("ends the provider's call of one that runs", async () => {
      const { client, streams } = start();
      const { uid } = await client().create(gated);
      await until(() => streams.length === 1, "the call");
      streams[0]?.say("a");
      const watching = client().events(uid);
      await until(async () => (await client().get(uid)).lastSequence > 0n, "the first event");
      expect(await client().cancel(uid)).toMatchObject({ status: RUNNING, cancelRequested: true });
      expect(await client().wait(uid)).toMatchObject({ status: CANCELLED, cancelRequested: true });
      expect(streams[0]?.signal.aborted).toBe(true);
      const events = await watching;
      expect(saidIn(events)).toBe("a");
      expect(sequencesOf(events)).toEqual(events.map((_, at) => at + 1));
    });

    it("holds where the call came to its end before its worker heard of it", async () => {
      const { client, streams } = start();
      const { uid } = await client().create(gated);
      await until(() => streams.length === 1, "the call");
      streams[0]?.say("a");
      await until(async () => (await client().get(uid)).lastSequence > 0n, "the first event");
      await store.db.updateTable("runs").set({ cancel_requested: 1 }).where("uid", "=", uid).execute();
      streams[0]?.end();
      const ended = await client().wait(uid);
      expect(ended).toMatchObject({ status: CANCELLED, cancelRequested: true });
      expect([ended.response, ended.error]).toEqual([undefined, undefined]);
      expect((await client().events(uid)).at(-1)).toMatchObject({
        event: { case: "run", value: { status: CANCELLED } },
      });
    });

    it("leaves one that has ended as it is", async () => {
      const { client } = start();
      const { uid } = await client().create();
      const ended = await client().wait(uid);
      expect(toJson(RunSchema, await client().cancel(uid))).toEqual(toJson(RunSchema, ended));
    });
  });

  describe.skipIf(isMissing)("a list", () => {
    it("has the newest first, in pages, without answers", async () => {
      const { client } = start();
      const uids: string[] = [];
      for (let at = 0; at < 7; at++) {
        const { uid } = await client().create();
        await client().wait(uid);
        uids.unshift(uid);
      }
      const pages: string[][] = [];
      for (let pageToken = ""; ; ) {
        const { runs, nextPageToken } = await client().list({ pageSize: 3, pageToken });
        pages.push(runs.map(({ uid }) => uid));
        expect(runs.map(({ response, report }) => [response, report])).toEqual(runs.map(() => [undefined, undefined]));
        pageToken = nextPageToken;
        if (pageToken === "") break;
      }
      expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
      expect(pages.flat().toSorted()).toEqual(uids.toSorted());
    });

    it("has only those of a status", async () => {
      const { client } = start();
      const done = await client().create();
      await client().wait(done.uid);
      const failed = await client().create({ params: paramsFor("sandbox/fault-401") });
      await client().wait(failed.uid);
      const uids = async (status: Run_Status) => (await client().list({ status })).runs.map(({ uid }) => uid);
      expect([await uids(COMPLETED), await uids(FAILED), await uids(QUEUED)]).toEqual([[done.uid], [failed.uid], []]);
    });

    it.each([
      "x",
      "e30",
      Buffer.from(`["a",1]`).toString("base64url"),
      Buffer.from(`[1e300,"a"]`).toString("base64url"),
    ])("refuses the page token %s", async (pageToken) => {
      const { client } = start();
      expect(await failureOf(client().list({ pageToken }))).toMatchObject({
        reason: Reason.INVALID_VALUE,
        details: { param: "page_token" },
      });
    });
  });

  describe.skipIf(isMissing)("an end", () => {
    it("lets a run be deleted, with all that it gave", async () => {
      const { client, streams } = start();
      const { uid } = await client().create(gated);
      await until(() => streams.length === 1, "the call");
      expect(await failureOf(client().delete(uid))).toMatchObject({ reason: Reason.CONFLICT });
      streams[0]?.say("a");
      streams[0]?.end();
      await client().wait(uid);
      expect(await count("run_events")).toBeGreaterThan(0);
      expect(await client().delete(uid)).toBe(true);
      expect([await count("runs"), await count("run_events")]).toEqual([0, 0]);
      expect(await failureOf(client().get(uid))).toMatchObject({ reason: Reason.NOT_FOUND });
      expect(await failureOf(client().delete(uid))).toMatchObject({ reason: Reason.NOT_FOUND });
    });

    it("lets it be swept away once it has expired", async () => {
      const { client } = start({ settings: { retentionMs: 1 } });
      const { client: keeping } = start({ settings: { workers: 0 } });
      const { uid } = await client().create();
      await client().wait(uid);
      const kept = await keeping().create(gated);
      await until(async () => (await sweep(store)) === 1, "the sweep");
      expect(await failureOf(client().get(uid))).toMatchObject({ reason: Reason.NOT_FOUND });
      expect(await count("run_events")).toBe(0);
      expect((await client().get(kept.uid)).uid).toBe(kept.uid);
    });
  });

  describe.skipIf(isMissing)("a request", () => {
    it("that is repeated has the same run, however many come at once", async () => {
      const { client } = start({ settings: { workers: 0 } });
      const runs = await Promise.all(Array.from({ length: 50 }, () => client().create({ requestId: "again" })));
      expect(new Set(runs.map(({ uid }) => uid)).size).toBe(1);
      expect(await count("runs")).toBe(1);
      const other = client().create({ requestId: "again", params: paramsFor("sandbox/eliza") });
      expect(await failureOf(other)).toMatchObject({ reason: Reason.CONFLICT, retryable: false });
      expect((await client({ id: "key_other" }).create({ requestId: "again" })).uid).not.toBe(runs[0]?.uid);
      expect((await client().create()).uid).not.toBe((await client().create()).uid);
    });

    it("that is repeated after the end has the run as it ended", async () => {
      const { client } = start();
      const { uid } = await client().create({ requestId: "later" });
      await client().wait(uid);
      expect(await client().create({ requestId: "later" })).toMatchObject({ uid, status: COMPLETED });
    });

    it("finds no room where too many wait", async () => {
      const { client } = start({ settings: { workers: 0, maxQueued: 2 } });
      await client().create({ requestId: "a" });
      await client().create();
      const refused = await failureOf(client().create());
      expect(refused).toMatchObject({ reason: Reason.RATE_LIMIT_EXCEEDED, details: { retryAfterMs: 1_000 } });
      expect(await client().create({ requestId: "a" })).toMatchObject({ status: QUEUED });
      expect(await client({ id: "key_other" }).create()).toMatchObject({ status: QUEUED });
    });

    it.each<readonly [string, object, Reason, string]>([
      ["has no messages", { params: { model: "sandbox/echo" } }, Reason.MISSING_PARAMETER, "messages"],
      [
        "has a tool choice without tools",
        { params: paramsFor("sandbox/echo", { toolChoice: { choice: { case: "function", value: { name: "f" } } } }) },
        Reason.INVALID_VALUE,
        "tool_choice",
      ],
      [
        "has no number",
        { params: paramsFor("sandbox/echo", { extra: { a: Number.NaN } }) },
        Reason.INVALID_VALUE,
        "extra",
      ],
      ["has a long request_id", { requestId: "x".repeat(256) }, Reason.INVALID_VALUE, "request_id"],
      ["has no time", { timeout: { seconds: 0n } }, Reason.INVALID_VALUE, "timeout"],
      [
        "wants a webhook where there are none",
        { webhookUrl: "https://example.com/" },
        Reason.FAILED_PRECONDITION,
        "webhook_url",
      ],
    ])("that %s is refused", async (_, init, reason, param) => {
      const { client } = start({ settings: { workers: 0 } });
      expect(await failureOf(client().create(init))).toMatchObject({ reason, details: { param } });
      expect(await count("runs")).toBe(0);
    });

    it("that is bound to fail is refused by whoever knows", async () => {
      const { client } = start({
        check: ({ params }) => {
          throw new GatewayError(Reason.MODEL_NOT_FOUND, `there is no ${params?.model}`);
        },
      });
      expect(await failureOf(client().create())).toMatchObject({ reason: Reason.MODEL_NOT_FOUND });
      expect(await count("runs")).toBe(0);
    });

    it("keeps odd texts harmless", async () => {
      const { client } = start({ settings: { workers: 0 } });
      const odd = "'; drop table runs; --\0\n\"";
      const { uid } = await client({ id: "key_'x" }).create({ params: paramsFor(odd, {}, odd), requestId: odd });
      const again = await client({ id: "key_'x" }).create({ params: paramsFor(odd, {}, odd), requestId: odd });
      expect(again.uid).toBe(uid);
      for (const bad of ["", "'", "run_\0", "run_' or 1=1 --", "x".repeat(100_000)]) {
        expect(await failureOf(client().wait(bad, 1))).toBeInstanceOf(GatewayError);
        expect(await failureOf(client().events(bad))).toBeInstanceOf(GatewayError);
      }
    });
  });

  describe.skipIf(isMissing)("somebody else", () => {
    it("finds nothing of a run", async () => {
      const { client } = start();
      const { uid } = await client({ id: "key_a" }).create();
      await client({ id: "key_a" }).wait(uid);
      const other = client({ id: "key_b" });
      for (const failure of await Promise.all(
        [other.get(uid), other.wait(uid), other.events(uid), other.cancel(uid), other.delete(uid)].map(failureOf),
      )) {
        expect(failure).toMatchObject({ reason: Reason.NOT_FOUND, message: "there is no run of that uid" });
      }
      expect((await other.list()).runs).toEqual([]);
      expect(await client({ id: "key_a" }).get(uid)).toMatchObject({ status: COMPLETED });
    });

    it("does not find out by waiting that there is a run", async () => {
      const { client } = start({ settings: { workers: 0 } });
      const { uid } = await client({ id: "key_a" }).create();
      expect(await failureOf(client({ id: "key_b" }).wait(uid, 3_600))).toMatchObject({ reason: Reason.NOT_FOUND });
    });
  });

  describe.skipIf(isMissing)("a worker", () => {
    it("goes on with what waits when it starts", async () => {
      const { client } = start({ settings: { workers: 0 } });
      const { uid } = await client().create();
      const second = start();
      second.runs.start();
      expect(await client().wait(uid)).toMatchObject({ status: COMPLETED });
    });

    it("has no more runs at once than it may", async () => {
      const { client, streams, runs } = start({ settings: { workers: 2 } });
      const made = await Promise.all(Array.from({ length: 5 }, () => client().create(gated)));
      for (let at = 0; at < 5; at++) {
        await until(() => streams.length > at, `call ${at}`);
        expect(runs.running).toBeLessThanOrEqual(2);
        streams[at]?.say("a");
        streams[at]?.end();
      }
      for (const { uid } of made) expect(await client().wait(uid)).toMatchObject({ status: COMPLETED });
    });

    it("lets a run wait that its owner's limits refuse, and does not count that as a loss", async () => {
      let refusals = 0;
      const { gateway } = start();
      const { client, finished } = start({
        operations: {
          async *streamChatCompletion(request, call) {
            if (refusals++ < 2) {
              throw new GatewayError(Reason.RATE_LIMIT_EXCEEDED, "too many", { quota: "key:open", retryAfterMs: 20 });
            }
            yield* gateway.operations.streamChatCompletion(request, call);
          },
        },
      });
      const { uid } = await client().create();
      const events = await client().events(uid);
      expect(events.every(({ event }) => event.case !== "restart")).toBe(true);
      expect(await client().get(uid)).toMatchObject({ status: COMPLETED, attempts: 3 });
      expect(await rowOf(uid)).toMatchObject({ losses: 0 });
      await until(() => finished.length > 0, "that it is told");
      expect(finished.length).toBe(1);
    });

    it("does not let it wait for a provider's limits", async () => {
      const { client } = start();
      const { uid } = await client().create({ params: paramsFor("sandbox/fault-429") });
      expect(await client().wait(uid)).toMatchObject({ status: FAILED, error: { reason: Reason.RATE_LIMIT_EXCEEDED } });
    });

    it("calls for nobody who may not call any more", async () => {
      const { client, streams } = start({ recall: async () => undefined });
      const { uid } = await client().create(gated);
      expect(await client().wait(uid)).toMatchObject({ status: FAILED, error: { reason: Reason.INVALID_API_KEY } });
      const without = start({ recall: async (before) => ({ ...before, scopes: new Set() }) });
      const second = await without.client().create(gated);
      expect(await client().wait(second.uid)).toMatchObject({ status: FAILED });
      expect([...streams, ...without.streams]).toEqual([]);
    });

    it("puts back what it can't end in time, and another one begins again", async () => {
      const first = start();
      const { uid } = await first.client().create(gated);
      await until(() => first.streams.length === 1, "the call");
      first.streams[0]?.say("void");
      await until(async () => (await first.client().get(uid)).lastSequence > 0n, "the first event");
      const watching = failureOf(first.client().events(uid));
      await first.stop();
      expect(await watching).toMatchObject({ reason: Reason.SHUTTING_DOWN, retryable: true });
      expect(first.streams[0]?.signal.aborted).toBe(true);
      expect(await rowOf(uid)).toMatchObject({ status: "queued", losses: 0, lease_until: null });
      const second = start();
      second.runs.start();
      await until(() => second.streams.length === 1, "the second call");
      second.streams[0]?.say("good");
      second.streams[0]?.end();
      const events = await second.client().events(uid);
      expect(sequencesOf(events)).toEqual(events.map((_, at) => at + 1));
      const restart = events.findIndex(({ event }) => event.case === "restart");
      expect(events[restart]?.event).toMatchObject({ value: { attempt: 2 } });
      expect([saidIn(events.slice(0, restart)), saidIn(events.slice(restart))]).toEqual(["void", "good"]);
      expect(events.at(-1)?.event).toMatchObject({ value: { status: COMPLETED, attempts: 2 } });
      expect(textOf((await second.client().get(uid)).response)).toBe("good");
    });

    it("ends what it can in the time that it has", async () => {
      const { client, runs, streams } = start();
      const { uid } = await client().create(gated);
      await until(() => streams.length === 1, "the call");
      const ending = runs.drain(new AbortController().signal);
      streams[0]?.say("a");
      streams[0]?.end();
      await ending;
      expect(await rowOf(uid)).toMatchObject({ status: "completed" });
      expect(await failureOf(client().get(uid))).toMatchObject({ reason: Reason.SHUTTING_DOWN });
    });

    it("can't write any more once somebody else has the run", async () => {
      const { client, streams } = start();
      const { uid } = await client().create(gated);
      await until(() => streams.length === 1, "the call");
      streams[0]?.say("mine");
      await until(async () => (await client().get(uid)).lastSequence > 0n, "the first event");
      const { last_sequence, attempt } = await rowOf(uid);
      await store.db
        .updateTable("runs")
        .set({ attempt: attempt + 1, worker: "other", lease_until: Date.now() + 3_600_000 })
        .where("uid", "=", uid)
        .execute();
      streams[0]?.say("late");
      await until(() => streams[0]?.signal.aborted === true, "the end of the late call");
      expect(await rowOf(uid)).toMatchObject({
        status: "running",
        attempt: attempt + 1,
        last_sequence,
        worker: "other",
      });
    });

    it("takes over from one that is lost, until too many were", async () => {
      const { client, streams, finished } = start({ settings: { maxAttempts: 2, leaseMs: 300 } });
      const { uid } = await client().create(gated);
      for (const losses of [1, 2]) {
        await until(() => streams.length === losses, `call ${losses}`);
        await store.db.updateTable("runs").set({ worker: "dead", lease_until: 0 }).where("uid", "=", uid).execute();
        await until(async () => (await rowOf(uid)).losses === losses, `loss ${losses}`);
      }
      expect(await client().wait(uid)).toMatchObject({
        status: FAILED,
        attempts: 2,
        error: { reason: Reason.WORKER_LOST, message: "the run was given up: its worker was lost 2 times" },
      });
      expect(streams.map(({ signal }) => signal.aborted)).toEqual([true, true]);
      // Who was thought lost and was not has no fault in its log.
      await until(() => finished.length === 2, "the end of both calls");
      expect(finished.map(({ log }) => log.error?.reason)).toEqual([Reason.CANCELLED, Reason.CANCELLED]);
    });

    it("ends a run of a lost worker that was to be cancelled", async () => {
      const { client, streams } = start({ settings: { leaseMs: 300 } });
      const { uid } = await client().create(gated);
      await until(() => streams.length === 1, "the call");
      await store.db
        .updateTable("runs")
        .set({ worker: "dead", lease_until: 0, cancel_requested: 1 })
        .where("uid", "=", uid)
        .execute();
      expect(await client().wait(uid)).toMatchObject({ status: CANCELLED });
    });
  });
});
