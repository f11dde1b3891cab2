import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLateStore } from "../../src/store/late-store.ts";
import { createListeners } from "../../src/store/listeners.ts";
import { openJoinedStore } from "../../src/store/sqlite/joined-store.ts";
import { createSqliteSession, type SqliteSession } from "../../src/store/sqlite/sqlite-session.ts";
import type { LateStore, Store } from "../../src/store/store.ts";
import { failureOf } from "../support/collect.ts";
import { type StorePlace, sqlitePlace } from "../support/stores.ts";
import { keyRow } from "./rows.ts";

const insert = (queries: Store["db"], id: string): Promise<unknown> =>
  queries
    .insertInto("keys")
    .values({ ...keyRow(id), created_at: 1, revoked_at: null })
    .execute();

const idsOf = async ({ db }: Store): Promise<string[]> =>
  (await db.selectFrom("keys").select("id").orderBy("id").execute()).map(({ id }) => id);

describe("sessions of other processes with the built-in database", () => {
  let place: StorePlace;
  let late: LateStore;
  let store: Store;
  beforeEach(async () => {
    place = await sqlitePlace();
    late = createLateStore(place.settings);
    store = await late.open();
  });
  afterEach(async () => {
    await late.close();
    await place.remove();
  });

  /** A store through a session. */
  const join = (session: SqliteSession): Store =>
    openJoinedStore({ client: session, listeners: createListeners(), tell: () => undefined });

  it("run no statement of another one within a transaction", async () => {
    const [one, other] = [join(createSqliteSession(store.db)), join(createSqliteSession(store.db))];
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const work = one.transact(async (transaction) => {
      await insert(transaction, "a");
      begun.resolve();
      await end.promise;
      await insert(transaction, "c");
    });
    await begun.promise;
    const seen = Promise.all([idsOf(other), idsOf(store)]);
    const written = insert(other.db, "b");
    end.resolve();
    await work;
    expect(await seen).toEqual([
      ["a", "c"],
      ["a", "c"],
    ]);
    await written;
    expect(await idsOf(store)).toEqual(["a", "b", "c"]);
  });

  it("count up together without losing anything", async () => {
    const joined = Array.from({ length: 4 }, () => join(createSqliteSession(store.db)));
    await Promise.all(
      joined.flatMap((each) =>
        Array.from({ length: 25 }, () =>
          each.transact(async (transaction) => {
            const { version } = await transaction.selectFrom("key_changes").select("version").executeTakeFirstOrThrow();
            await transaction
              .updateTable("key_changes")
              .set({ version: version + 1 })
              .execute();
          }),
        ),
      ),
    );
    const { version } = await store.db.selectFrom("key_changes").select("version").executeTakeFirstOrThrow();
    expect(version).toBe(100);
  });

  it("roll back what a process had begun that is gone, and let the others go on", async () => {
    const dead = createSqliteSession(store.db);
    await dead.query("begin immediate", []);
    await join(dead).db.selectFrom("keys").select("id").execute();
    await dead.query("insert into key_changes (id, version) values (2, 5)", []);
    const waiting = createSqliteSession(store.db);
    const begins = waiting.query("begin immediate", []);
    await dead.close();
    await begins;
    expect((await waiting.query("select id from key_changes", [])).rows).toEqual([{ id: 1 }]);
    await waiting.query("rollback", []);
  });

  it("give back the database where a process is gone before it got it", async () => {
    const [holder, dead] = [createSqliteSession(store.db), createSqliteSession(store.db)];
    await holder.query("begin immediate", []);
    const begins = failureOf(dead.query("begin immediate", []));
    await dead.close();
    await holder.query("commit", []);
    expect(await begins).toMatchObject({ message: expect.stringContaining("rolled back") });
    expect(await idsOf(store)).toEqual([]);
  });

  it("take the database from one that falls silent within a transaction, and do nothing more of that", async () => {
    const slow = createSqliteSession(store.db, 20);
    await slow.query("begin immediate", []);
    await slow.query("insert into key_changes (id, version) values (2, 5)", []);
    // It waits for the one that is silent.
    expect(await idsOf(store)).toEqual([]);
    for (const statement of ["insert into key_changes (id, version) values (3, 5)", "commit", "begin immediate"]) {
      expect(await failureOf(slow.query(statement, []))).toMatchObject({ message: /silent/ });
    }
    await slow.query("rollback", []);
    const { rows } = await slow.query("select id from key_changes", []);
    expect(rows).toEqual([{ id: 1 }]);
  });

  it("tell a database that is away from a fault of ours", async () => {
    const joined = join(createSqliteSession(store.db));
    expect(
      await failureOf(
        joined.db
          .selectFrom("keys")
          .select("nothing" as "id")
          .execute(),
      ),
    ).toMatchObject({
      message: expect.stringContaining("nothing"),
    });
    expect(joined.isAway).toBe(false);
  });
});
