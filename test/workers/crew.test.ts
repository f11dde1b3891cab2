/** What workers have in common, without processes. */
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import type { Settings } from "../../src/config/settings.ts";
import { ChatCompletionSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import {
  type Message,
  MessageSchema,
  ReasoningDetail_Type,
  ReasoningDetailSchema,
  Role,
} from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { createKeyRows } from "../../src/store/keys.ts";
import { createSpendRows } from "../../src/store/spend.ts";
import { storeFault } from "../../src/store/store-error.ts";
import { createRecollection } from "../../src/upstream/recollection.ts";
import { keyRow } from "../store/rows.ts";
import { failureOf, until } from "../support/collect.ts";
import { createCrew, type TestCrew } from "../support/crew.ts";
import { loadSettings } from "../support/load-settings.ts";
import { sqlitePlace } from "../support/stores.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(dataDir?: string): Promise<TestCrew & { readonly settings: Settings }> {
  const place = await sqlitePlace();
  cleanups.push(place.remove);
  const settings = await loadSettings({ workers: 3 }, { PARLEY_DATA_DIR: dataDir ?? place.settings.dataDir });
  const crew = createCrew(settings, 3);
  cleanups.push(crew.close);
  return { ...crew, settings };
}

describe("the database of workers", () => {
  it("tells all of them what is told in one, once its transaction is done", async () => {
    const { workers } = await start();
    const stores = await Promise.all(workers.map(({ crew }) => crew.openStore()));
    const heard: string[] = [];
    stores.forEach((store, at) => {
      store.listen("keys", (id) => heard.push(`${at} ${id}`));
    });
    const failed = failureOf(
      stores[0]!.transact(async (transaction) => {
        await stores[0]!.notify(transaction, "keys", "never");
        throw new Error("rolled back");
      }),
    );
    expect(await failed).toMatchObject({ message: "rolled back" });
    await createKeyRows(stores[1]!).insert(keyRow("key_a"));
    await until(() => heard.length === 3, "all have heard");
    expect(heard.toSorted()).toEqual(["0 key_a", "1 key_a", "2 key_a"]);
    expect(await createKeyRows(stores[2]!).get("key_a")).toMatchObject({ id: "key_a" });
    expect(stores.map(({ isSole }) => isSole)).toEqual([false, false, false]);
  });

  it("says to each worker why it can't be opened, and is tried again", async () => {
    const place = await sqlitePlace();
    cleanups.push(place.remove);
    const folder = join(place.settings.dataDir, "state");
    const { workers } = await start(folder);
    await chmod(place.settings.dataDir, 0o700);
    await mkdir(join(folder, "parley.sqlite"), { recursive: true });
    for (const { crew } of workers) {
      expect(storeFault(await failureOf(crew.openStore()))).toContain("can't be");
    }
  });

  it("has what the calls of a budget have cost, and their worker is gone", async () => {
    const { workers, close, settings } = await start();
    const quota = {
      requestsPerMinute: undefined,
      tokensPerMinute: undefined,
      concurrent: undefined,
      concurrentStreams: undefined,
      budget: { nanoDollars: 100, per: "month" as const },
    };
    const [one, other] = workers;
    for (const { crew } of [one!, other!]) {
      const decision = await crew.limiter.reserve("key", quota, { tokens: 1, stream: false });
      if (decision.granted) decision.settle({ tokens: 1, nanoDollars: 60 });
    }
    expect(await other!.crew.limiter.reserve("key", quota, { tokens: 1, stream: false })).toMatchObject({
      granted: false,
      limit: "budget",
    });
    await one!.kill();
    await close();
    const again = createCrew(settings, 1);
    cleanups.push(again.close);
    const month = new Date().toISOString().slice(0, 7);
    expect(await createSpendRows(await again.workers[0]!.crew.openStore()).read("key", month)).toBe(120);
  });
});

describe("what providers must get back", () => {
  it("is put back by any worker, whichever has heard it", async () => {
    const { workers } = await start();
    const recollections = workers.map(({ crew }) => createRecollection({ sharing: crew.sharing }));
    const message = create(MessageSchema, {
      role: Role.ASSISTANT,
      reasoningContent: "Let me look.",
      reasoningDetails: [create(ReasoningDetailSchema, { type: ReasoningDetail_Type.TEXT, signature: "c2ln" })],
      toolCalls: [
        {
          id: "call_1",
          kind: { case: "function", value: { name: "look", arguments: "{}" } },
          extraContent: { google: { thought_signature: "sig" } },
        },
      ],
    });
    const { reasoningContent: _, ...rest } = message;
    const stripped: Message = {
      ...rest,
      reasoningDetails: [],
      toolCalls: message.toolCalls.map(({ extraContent: _extra, ...call }) => call),
    };
    const params = create(ChatCompletionParamsSchema, { messages: [stripped] });
    recollections[0]!.of("tenant").remember("a", create(ChatCompletionSchema, { choices: [{ message }] }));
    const restored = (at: number, tenant: string): Message | undefined =>
      recollections[at]!.of(tenant).restore("a", params).messages[0];
    await until(() => [1, 2].every((at) => restored(at, "tenant") !== stripped), "all know of it");
    expect([0, 1, 2].map((at) => restored(at, "tenant"))).toEqual([message, message, message]);
    expect([0, 1, 2].map((at) => restored(at, "other"))).toEqual([stripped, stripped, stripped]);
  });
});
