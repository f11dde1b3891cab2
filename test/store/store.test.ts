import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createKeyRows } from "../../src/store/keys.ts";
import type { Store } from "../../src/store/store.ts";
import { STORE_KINDS, type TestStore } from "../support/stores.ts";
import { keyRow } from "./rows.ts";

const insert = (queries: Store["db"], id: string): Promise<unknown> =>
  queries
    .insertInto("keys")
    .values({ ...keyRow(id), created_at: 1, revoked_at: null })
    .execute();

describe.each(STORE_KINDS)("a store on $name", ({ isMissing, open }) => {
  let own: TestStore;
  let store: Store;
  beforeAll(async () => {
    if (isMissing) return;
    own = await open();
    ({ store } = own);
  });
  afterAll(() => own?.remove());

  const names = async (prefix: string): Promise<string[]> => {
    const rows = await store.db
      .selectFrom("keys")
      .select("id")
      .where("id", "like", `${prefix}%`)
      .orderBy("id")
      .execute();
    return rows.map(({ id }) => id);
  };
  const insert = (queries: Store["db"], id: string): Promise<unknown> =>
    queries
      .insertInto("keys")
      .values({ ...keyRow(id), created_at: 1, revoked_at: null })
      .execute();

  describe.skipIf(isMissing)("the store", () => {
    it("reads whole numbers up to 2^53 as numbers, and its clock in milliseconds", async () => {
      const { rows } = await sql<{ big: number; now: number; count: number }>`
        select cast(${Number.MAX_SAFE_INTEGER} as bigint) as big, ${store.now} as now, count(*) as count from keys
      `.execute(store.db);
      const before = Date.now();
      expect(rows).toEqual([{ big: Number.MAX_SAFE_INTEGER, now: expect.any(Number), count: expect.any(Number) }]);
      // The server is on this machine.
      expect(Math.abs((rows[0]?.now ?? 0) - before)).toBeLessThan(60_000);
      expect(Number.isInteger(rows[0]?.now)).toBe(true);
    });

    it("keeps texts as they are, but for what no engine takes", async () => {
      const texts = { plain: "a'b\"c\\;--\n", astral: "😀", nul: "a\0b", half: "\ud800x" };
      for (const [name, text] of Object.entries(texts)) {
        await insert(store.db, `text_${name}`);
        await store.db.updateTable("keys").set({ name: text }).where("id", "=", `text_${name}`).execute();
      }
      const rows = await store.db.selectFrom("keys").select(["id", "name"]).where("id", "like", "text_%").execute();
      expect(Object.fromEntries(rows.map(({ id, name }) => [id.slice(5), name]))).toEqual({
        ...texts,
        nul: "a\uFFFDb",
        half: "\uFFFDx",
      });
    });

    it("does all of a transaction, or nothing, and takes no bystander along", async () => {
      const begun = Promise.withResolvers<void>();
      const end = Promise.withResolvers<void>();
      const failing = store.transact(async (transaction) => {
        await insert(transaction, "tx_inside");
        begun.resolve();
        await end.promise;
        throw new Error("no");
      });
      await begun.promise;
      const bystander = insert(store.db, "tx_bystander");
      end.resolve();
      await expect(failing).rejects.toThrow("no");
      await bystander;
      await store.transact((transaction) => insert(transaction, "tx_later"));
      expect(await names("tx_")).toEqual(["tx_bystander", "tx_later"]);
    });

    it("fails with the error of the statement that failed, and goes on", async () => {
      await insert(store.db, "twice");
      const failing = store.transact(async (transaction) => {
        await insert(transaction, "twice_other");
        await insert(transaction, "twice");
      });
      await expect(failing).rejects.toThrow(/unique/i);
      await expect(
        store.db
          .selectFrom("keys")
          .select("nothing" as "id")
          .execute(),
      ).rejects.toThrow(/nothing/);
      expect(store.isAway).toBe(false);
      expect(await names("twice")).toEqual(["twice"]);
    });

    it("keeps many transactions apart that count up one number", async () => {
      const version = async (): Promise<number> => await createKeyRows(store).version();
      const before = await version();
      await Promise.all(
        Array.from({ length: 50 }, () =>
          store.transact(async (transaction) => {
            const row = await store.lockRows(transaction.selectFrom("key_changes").select("id")).executeTakeFirst();
            await transaction
              .updateTable("key_changes")
              .set((it) => ({ version: it("version", "+", 1) }))
              .execute();
            return row;
          }),
        ),
      );
      expect(await version()).toBe(before + 50);
    });

    it("tells who listens, once the transaction is done, and not when it was rolled back", async () => {
      const heard: string[] = [];
      const unlisten = store.listen("runs_ready", (payload) => heard.push(payload));
      const other = vi.fn();
      const unlistenOther = store.listen("run_cancel", other);
      await store
        .transact(async (transaction) => {
          await store.notify(transaction, "runs_ready", "rolled back");
          throw new Error("no");
        })
        .catch(() => undefined);
      await store.transact(async (transaction) => {
        await store.notify(transaction, "runs_ready", 'it\'s "done"');
        await sleep(20);
        heard.push("not yet");
      });
      await store.notify(store.db, "runs_ready", "alone");
      await expect.poll(() => heard).toEqual(["not yet", 'it\'s "done"', "alone"]);
      unlisten();
      await store.notify(store.db, "runs_ready", "nobody hears");
      await store.notify(store.db, "run_cancel", "end");
      await expect.poll(() => other.mock.calls).toEqual([["end"]]);
      unlistenOther();
      expect(heard).toHaveLength(3);
    });
  });
});

// Kysely keeps what waits for PGlite to itself, and it is no engine that anybody's data are in.
const engines = STORE_KINDS.filter(({ name }) => name !== "PGlite");

describe.each(engines)("closing a store on $name", ({ isMissing, open }) => {
  it.skipIf(isMissing)("waits for what is under way", async () => {
    const { store, remove } = await open();
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const work = store.transact(async (transaction) => {
      await insert(transaction, "closing");
      begun.resolve();
      await end.promise;
      return await transaction.selectFrom("keys").select("id").execute();
    });
    await begun.promise;
    // More than there are connections: some wait for one.
    const queries = Array.from({ length: 30 }, () => store.db.selectFrom("key_changes").select("id").execute());
    const removed = remove();
    end.resolve();
    expect(await work).toEqual([{ id: "closing" }]);
    expect(await Promise.all(queries)).toEqual(queries.map(() => [{ id: 1 }]));
    await removed;
    await expect(store.db.selectFrom("keys").select("id").execute()).rejects.toThrow();
  });
});
