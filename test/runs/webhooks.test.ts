/** Webhooks of runs, with servers that get them. */
import type { LookupFunction } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { type Run, Run_Status } from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import type { Store } from "../../src/store/store.ts";
import { failureOf, until } from "../support/collect.ts";
import { STORE_KINDS, type TestStore } from "../support/stores.ts";
import { createRig, lateOf, paramsFor, type Rig, type RigChange } from "./rig.ts";
import { readWebhook, startReceiver, type WebhookReceiver } from "./webhook-receiver.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const WEBHOOK = { secret: SECRET, maxAttempts: 3, timeoutMs: 500 };

describe.each(STORE_KINDS)("webhooks on $name", ({ isMissing, open }) => {
  let own: TestStore;
  let store: Store;
  const rigs: Rig[] = [];
  const receivers: WebhookReceiver[] = [];
  beforeAll(async () => {
    if (isMissing) return;
    own = await open();
    ({ store } = own);
  });
  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.stop()));
    await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
    await store?.db.deleteFrom("runs").execute();
  });
  afterAll(() => own?.remove());

  const start = (change: RigChange = {}): Rig => {
    const rig = createRig(lateOf(store), {
      allowAddresses: ["127.0.0.1"],
      webhookDelaysMs: [10],
      ...change,
      settings: { webhook: WEBHOOK, ...change.settings },
    });
    rigs.push(rig);
    return rig;
  };
  const receiver = async (...statuses: number[]): Promise<WebhookReceiver> => {
    const it = await startReceiver(...statuses);
    receivers.push(it);
    return it;
  };
  /** The run once there is nothing more to do about its webhook. */
  const settled = async ({ client }: Rig, uid: string): Promise<Run> => {
    await until(async () => {
      const { status, webhook } = await client().get(uid);
      return status > Run_Status.RUNNING && webhook?.nextAttemptAt === undefined;
    }, "the end of the webhook");
    return client().get(uid);
  };

  describe.skipIf(isMissing)("a webhook", () => {
    it.each<readonly [string, string, Run_Status]>([
      ["sandbox/echo", "run.completed", Run_Status.COMPLETED],
      ["sandbox/fault-401", "run.failed", Run_Status.FAILED],
    ])("of %s tells %s, signed", async (model, type, status) => {
      const { url, receive } = await receiver(204);
      const rig = start();
      const { uid, webhook } = await rig.client().create({ params: paramsFor(model), webhookUrl: url });
      expect(webhook).toMatchObject({ url, attempts: 0, error: "" });
      const [message] = await receive(1);
      expect(message?.headers).toMatchObject({ "content-type": "application/json", "webhook-id": uid });
      const payload = readWebhook(SECRET, message!) as { readonly data: object };
      expect(payload).toMatchObject({
        type,
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        data: { uid, object: "chat.completion.run", status: Run_Status[status].toLowerCase(), model },
      });
      expect(Object.keys(payload.data)).not.toContain("response");
      const run = await settled(rig, uid);
      expect(run.webhook).toMatchObject({ attempts: 1, error: "", deliveredAt: { seconds: expect.any(BigInt) } });
    });

    it("tells of a cancelled run", async () => {
      const { url, receive } = await receiver(200);
      const { client } = start({ settings: { workers: 0 } });
      const { uid } = await client().create({ webhookUrl: url });
      await client().cancel(uid);
      const [message] = await receive(1);
      expect(readWebhook(SECRET, message!)).toMatchObject({ type: "run.cancelled", data: { uid } });
    });

    it.each<readonly [string, readonly number[], number, boolean, string]>([
      ["is tried again until it is taken", [500, 302, 201], 3, true, ""],
      ["is given up after so many tries", [500], 3, false, "the answer was 500"],
      ["is given up where nobody wants it", [503, 410], 2, false, "the answer was 410"],
      ["does not follow to where it is sent", [307], 3, false, "the answer was 307"],
      ["waits for an answer so long", [0], 3, false, "there was no answer within 500 ms"],
    ])("%s", async (_, statuses, attempts, isDelivered, error) => {
      const { url, received } = await receiver(...statuses);
      const rig = start();
      const { uid } = await rig.client().create({ webhookUrl: url });
      const { webhook } = await settled(rig, uid);
      expect(webhook).toMatchObject({ attempts, error });
      expect(webhook?.deliveredAt !== undefined).toBe(isDelivered);
      expect(received.length).toBe(attempts);
      expect(new Set(received.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([uid]));
      for (const message of received) expect(readWebhook(SECRET, message)).toMatchObject({ data: { uid } });
    });

    it("is sent by one of those who share the store", async () => {
      const { url, received } = await receiver(200);
      const change = { settings: { webhook: { ...WEBHOOK, timeoutMs: 60_000 } } };
      const [first] = [start(change), start(change), start(change)] as const;
      const made = await Promise.all(Array.from({ length: 20 }, () => first.client().create({ webhookUrl: url })));
      for (const { uid } of made) await settled(first, uid);
      expect(received.map(({ headers }) => headers["webhook-id"]).toSorted()).toEqual(
        made.map(({ uid }) => uid).toSorted(),
      );
    });

    it("that was cut by the end of its sender is sent by the next one, and the cut try does not count", async () => {
      const { url, receive } = await receiver(0, 200);
      const first = start({ settings: { webhook: { ...WEBHOOK, timeoutMs: 60_000 } } });
      const { uid } = await first.client().create({ webhookUrl: url });
      await receive(1);
      await first.stop();
      const second = start();
      second.runs.start();
      await receive(2);
      expect((await settled(second, uid)).webhook).toMatchObject({ attempts: 1, error: "" });
    });

    it("goes with its run", async () => {
      const { url } = await receiver(200);
      const rig = start();
      const { uid } = await rig.client().create({ webhookUrl: url });
      await settled(rig, uid);
      await rig.client().delete(uid);
      expect(await store.db.selectFrom("webhooks").selectAll().execute()).toEqual([]);
    });
  });

  const inside: LookupFunction = (_name, options, done) => {
    if (options.all === true) done(null, [{ address: "10.0.0.7", family: 4 }]);
    else done(null, "10.0.0.7", 4);
  };
  const nowhere: LookupFunction = (_name, _options, done) =>
    done(Object.assign(new Error("no"), { code: "ENOTFOUND" }), "");

  describe.skipIf(isMissing)("the address of a webhook", () => {
    it.each([
      ["nothing", "is no address"],
      ["//example.com/", "is no address"],
      ["ftp://example.com/", "must begin with https:// or http://"],
      ["file:///etc/passwd", "must begin with https:// or http://"],
      ["https://me:secret@example.com/", "must have no credentials in it"],
      ["http://127.0.0.2/", "is not at a public address"],
      ["http://0x7f000002/", "is not at a public address"],
      ["http://[::1]/", "is not at a public address"],
      ["http://[::ffff:10.0.0.1]/", "is not at a public address"],
      ["http://169.254.169.254/latest", "is not at a public address"],
      ["https://inside.example/", "is not at a public address"],
    ])("may not be %s", async (webhookUrl, what) => {
      const { client } = start({ lookup: inside, settings: { workers: 0 } });
      expect(await failureOf(client().create({ webhookUrl }))).toMatchObject({
        reason: Reason.INVALID_VALUE,
        message: `webhook_url ${what}`,
        details: { param: "webhook_url" },
      });
    });

    it("is looked at again when it is sent to", async () => {
      const { lookups, lookup } = turning(nowhere, inside);
      const rig = start({ lookup, settings: { webhook: { ...WEBHOOK, maxAttempts: 1 } } });
      const { uid } = await rig.client().create({ webhookUrl: "http://later.example:1/" });
      expect((await settled(rig, uid)).webhook).toMatchObject({
        attempts: 1,
        error: "its address is not public, or it can't be reached",
      });
      expect(lookups()).toBe(2);
    });
  });
});

/** Resolves by the first one once, and by the second one from then on. */
function turning(first: LookupFunction, then: LookupFunction) {
  let lookups = 0;
  const lookup: LookupFunction = (...call) => (lookups++ === 0 ? first : then)(...call);
  return { lookups: () => lookups, lookup };
}
