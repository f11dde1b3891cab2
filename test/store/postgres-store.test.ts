import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { createKeyRows } from "../../src/store/keys.ts";
import { createLateStore } from "../../src/store/late-store.ts";
import type { LateStore } from "../../src/store/store.ts";
import { storeFault } from "../../src/store/store-error.ts";
import { createDatabase, serverUrl, type TestDatabase } from "../support/use-servers.ts";
import { startChild } from "./children.ts";
import { keyRow } from "./rows.ts";

const url = await serverUrl("postgres");

describe.skipIf(url === undefined)("a database of PostgreSQL", () => {
  let database: TestDatabase;
  const lates: LateStore[] = [];
  beforeEach(async () => {
    database = await createDatabase(url as string);
  });
  afterEach(async () => {
    for (const late of lates.splice(0)) await late.close();
    await database.drop();
  });
  const newStore = (databaseUrl = database.url): LateStore => {
    const late = createLateStore({ dataDir: "/nowhere", databaseUrl });
    lates.push(late);
    return late;
  };
  const away = { reason: Reason.UNAVAILABLE, message: "the database can't be reached" };

  it("exists before it is opened, and is nobody's alone", async () => {
    const late = newStore();
    expect(late.exists).toBe(true);
    expect(await late.open()).toMatchObject({ engine: "postgres", isSole: false, isAway: false });
  });

  it("is made once by processes that begin at the same time", async () => {
    const children = [1, 2, 3].map(() => startChild("open", database.url));
    expect(await Promise.all(children.map(({ said }) => said))).toEqual(["open", "open", "open"]);
    await Promise.all(children.map(({ ended }) => ended));
    expect(await database.query("select name from parley_migration")).toEqual([{ name: "0001_begin" }]);
  });

  it("is refused when a newer version was at it, and left alone", async () => {
    await newStore().open();
    await database.query("insert into parley_migration values ('9999_later', '2030-01-01T00:00:00.000Z')");
    const error: unknown = await newStore()
      .open()
      .catch((it: unknown) => it);
    expect(storeFault(error)).toBe(
      'the database is of a newer version of Parley (this one does not know its migration "9999_later"); ' +
        "use that version, or another database",
    );
  });

  it("tells other processes", async () => {
    const [here, there] = [await newStore().open(), await newStore().open()];
    const heard: string[] = [];
    there.listen("keys", (id) => heard.push(id));
    await createKeyRows(here).insert(keyRow("key_a"));
    await expect.poll(() => heard).toEqual(["key_a"]);
  });

  it("tells that something may have been missed when it listens again, and what comes then", async () => {
    const store = await newStore().open();
    const heard: string[] = [];
    store.listen(
      "runs_ready",
      (payload) => heard.push(payload),
      () => heard.push("missed"),
    );
    await store.notify(store.db, "runs_ready", "before");
    await expect.poll(() => heard).toEqual(["before"]);
    await database.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'",
    );
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual(["before", "missed"]);
    expect(store.isAway).toBe(false);
    await store.notify(store.db, "runs_ready", "after");
    await expect.poll(() => heard).toEqual(["before", "missed", "after"]);
  });

  it("says that it is away, and goes on when it is back", async () => {
    const store = await newStore().open();
    const keys = createKeyRows(store);
    let missed = 0;
    store.listen(
      "keys",
      () => undefined,
      () => {
        missed += 1;
      },
    );
    // One is under way; its connection is cut.
    const begun = Promise.withResolvers<void>();
    const cut = Promise.withResolvers<void>();
    const underWay = store.transact(async (transaction) => {
      await transaction.selectFrom("keys").select("id").execute();
      begun.resolve();
      await cut.promise;
      return await transaction.selectFrom("keys").select("id").execute();
    });
    await begun.promise;
    await database.shut(true);
    cut.resolve();
    await expect(underWay).rejects.toMatchObject(away);
    await expect(keys.insert(keyRow("key_a"))).rejects.toMatchObject(away);
    await expect(keys.get("key_a")).rejects.toMatchObject(away);
    expect(store.isAway).toBe(true);
    await database.shut(false);
    await expect.poll(() => missed, { timeout: 20_000 }).toBe(1);
    expect(store.isAway).toBe(false);
    await keys.insert(keyRow("key_a"));
    expect(await keys.get("key_a")).toMatchObject({ id: "key_a" });
  });

  it("is opened by a later call when it was away at first", async () => {
    const late = newStore();
    await database.shut(true);
    const error: unknown = await late.open().catch((it: unknown) => it);
    expect(error).toMatchObject({ reason: Reason.UNAVAILABLE, message: "the database can't be opened" });
    expect(storeFault(error)).toMatch(
      /^the PostgreSQL database of DATABASE_URL can't be used: .* not currently accepting/,
    );
    expect(late.isAway).toBe(true);
    await database.shut(false);
    await late.open();
    expect(late.isAway).toBe(false);
  });

  it.each([
    ["nobody listens", "postgres://parley:secret-word@127.0.0.1:1/db", "ECONNREFUSED"],
    ["there is no such host", "postgres://parley:secret-word@parley.invalid/db", "ENOTFOUND"],
    ["there is no such database", "/no_such_database", 'database "no_such_database" does not exist'],
  ])("says what is wrong where %s, without the address", async (_name, address, words) => {
    const target = address.startsWith("/") ? new URL(address, url).href : address;
    const error: unknown = await newStore(target)
      .open()
      .catch((it: unknown) => it);
    expect(storeFault(error)).toBe(`the PostgreSQL database of DATABASE_URL can't be used: ${words}`);
    expect(String(error)).not.toContain("secret-word");
  });

  it("runs a transaction again that lost a race", async () => {
    const store = await newStore().open();
    const keys = createKeyRows(store);
    for (const id of ["key_a", "key_b"]) await keys.insert(keyRow(id));
    const tries: string[] = [];
    const firstLocks = { key_a: Promise.withResolvers<void>(), key_b: Promise.withResolvers<void>() };
    // Each locks one row and then wants that of the other: the server ends one of them, which can be run again.
    const rename = (first: "key_a" | "key_b", second: "key_a" | "key_b"): Promise<void> =>
      store.transact(async (transaction) => {
        tries.push(first);
        const set = (id: string): Promise<unknown> =>
          transaction
            .updateTable("keys")
            .set({ name: `by ${first}` })
            .where("id", "=", id)
            .execute();
        await set(first);
        firstLocks[first].resolve();
        await firstLocks[second].promise;
        await set(second);
      });
    await Promise.all([rename("key_a", "key_b"), rename("key_b", "key_a")]);
    expect(tries).toHaveLength(3);
    const names = new Set((await keys.list(2)).map(({ name }) => name));
    expect(names).toEqual(new Set([`by ${tries[2]}`]));
  });

  it("passes over rows that others have locked", async () => {
    const store = await newStore().open();
    const keys = createKeyRows(store);
    for (const id of ["key_a", "key_b", "key_c"]) await keys.insert(keyRow(id));
    const taken = await store.transact(async (transaction) => {
      const take = (queries: typeof transaction): Promise<{ id: string }[]> =>
        store.lockRows(queries.selectFrom("keys").select("id").orderBy("id").limit(2)).execute();
      const first = await take(transaction);
      const second = await store.transact(take);
      return [...first, ...second].map(({ id }) => id);
    });
    expect(taken).toEqual(["key_a", "key_b", "key_c"]);
  });
});
