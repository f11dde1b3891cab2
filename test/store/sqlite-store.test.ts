import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { createKeyRows } from "../../src/store/keys.ts";
import { createLateStore, type LateStoreOptions } from "../../src/store/late-store.ts";
import type { LateStore } from "../../src/store/store.ts";
import { storeFault } from "../../src/store/store-error.ts";
import { sqlitePlace } from "../support/stores.ts";
import { startChild } from "./children.ts";
import { keyRow } from "./rows.ts";

describe("the built-in database", () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  const newFolder = async (): Promise<string> => {
    const { settings, remove } = await sqlitePlace();
    cleanups.push(remove);
    return settings.dataDir;
  };
  const storeIn = (dataDir: string, options?: LateStoreOptions): LateStore => {
    const late = createLateStore({ dataDir, databaseUrl: undefined }, options);
    cleanups.push(() => late.close());
    return late;
  };
  const faultOf = async (late: LateStore): Promise<string | undefined> =>
    await late.open().then(
      () => "it was opened",
      (error: unknown) => storeFault(error),
    );

  it("makes its folder and files for nobody but their owner", async () => {
    const folder = join(await newFolder(), "a folder", "data");
    const late = storeIn(folder);
    expect(late.exists).toBe(false);
    expect((await late.open()).isSole).toBe(true);
    expect(late.exists).toBe(true);
    const modes = await Promise.all(
      [".", ...(await readdir(folder)).sort()].map(async (name) => {
        const { mode } = await stat(join(folder, name));
        return `${name} ${(mode & 0o777).toString(8)}`;
      }),
    );
    expect(modes).toEqual([". 700", "LOCK 600", "parley.sqlite 600", "parley.sqlite-shm 600", "parley.sqlite-wal 600"]);
  });

  it("takes a folder that was there from others, unless it holds other things", async () => {
    const [empty, other] = [await newFolder(), await newFolder()];
    await chmod(empty, 0o755);
    await storeIn(empty).open();
    expect((await stat(empty)).mode & 0o777).toBe(0o700);
    await chmod(other, 0o755);
    await mkdir(join(other, "photos"));
    await storeIn(other).open();
    expect((await stat(other)).mode & 0o777).toBe(0o755);
    expect((await stat(join(other, "parley.sqlite"))).mode & 0o777).toBe(0o600);
  });

  it("opens once for all who ask, and never after it was closed", async () => {
    const late = storeIn(await newFolder());
    expect(late.opened).toBeUndefined();
    const [one, other] = await Promise.all([late.open(), late.open()]);
    expect(other).toBe(one);
    expect(late.opened).toBe(one);
    await Promise.all([late.close(), late.close()]);
    expect(late.opened).toBeUndefined();
    await expect(late.open()).rejects.toMatchObject({ reason: Reason.SHUTTING_DOWN });
  });

  it("closes also while it opens", async () => {
    const folder = await newFolder();
    const late = storeIn(folder);
    const opening = late.open();
    await late.close();
    await opening;
    expect(late.opened).toBeUndefined();
    await expect(storeIn(folder).open()).resolves.toMatchObject({ engine: "sqlite" });
  });

  it("keeps what it has, and lets the next one in, when it is closed", async () => {
    const folder = await newFolder();
    const first = storeIn(folder);
    await createKeyRows(await first.open()).insert(keyRow("key_a"));
    await first.close();
    const keys = createKeyRows(await storeIn(folder).open());
    expect(await keys.get("key_a")).toMatchObject({ id: "key_a" });
  });

  it("tells a second process what to do, and tries again when it is asked again", async () => {
    const folder = await newFolder();
    const holder = startChild("hold", folder);
    cleanups.push(() => holder.kill());
    expect(await holder.said).toBe("open");
    const late = storeIn(folder);
    await expect(late.open()).rejects.toMatchObject({
      reason: Reason.UNAVAILABLE,
      message: "the database can't be opened",
    });
    expect(late.isAway).toBe(true);
    expect(await faultOf(late)).toBe(
      `another process of Parley uses the folder ${folder}: stop it, or give this one another folder by PARLEY_DATA_DIR, ` +
        "or let both share a PostgreSQL database by DATABASE_URL",
    );
    // Beside it, for a moment, a command may do its work.
    const shared = await storeIn(folder, { shared: true }).open();
    expect(shared.isSole).toBe(false);
    await createKeyRows(shared).insert(keyRow("key_beside"));
    await holder.kill();
    await late.open();
    expect(late.isAway).toBe(false);
    expect(await createKeyRows(await late.open()).version()).toBe(1);
  });

  it.each<[string, (folder: string) => Promise<unknown>, (folder: string) => string]>([
    [
      "a file in the place of the folder",
      (folder) => writeFile(folder, "a file"),
      (folder) => `the folder ${folder} can't be used: it is a file; another one can be named by PARLEY_DATA_DIR`,
    ],
    [
      "a file that is no database",
      async (folder) => {
        await mkdir(folder);
        await writeFile(join(folder, "parley.sqlite"), "no database ".repeat(1000));
      },
      (folder) =>
        `the database in the folder ${folder} can't be opened: its file is not a database of SQLite; ` +
        "another one can be named by PARLEY_DATA_DIR",
    ],
    [
      "a folder in the place of the database",
      (folder) => mkdir(join(folder, "parley.sqlite"), { recursive: true }),
      (folder) =>
        `the database in the folder ${folder} can't be opened: its file can't be opened; ` +
        "another one can be named by PARLEY_DATA_DIR",
    ],
  ])("says what is wrong with %s", async (_name, make, fault) => {
    const folder = join(await newFolder(), "data");
    await make(folder);
    expect(await faultOf(storeIn(folder))).toBe(fault(folder));
  });

  it("refuses a database of a newer version, and leaves it alone", async () => {
    const folder = await newFolder();
    const first = storeIn(folder);
    const store = await first.open();
    await sql`insert into parley_migration values ('9999_later', '2030-01-01T00:00:00.000Z')`.execute(store.db);
    await first.close();
    expect(await faultOf(storeIn(folder))).toBe(
      'the database is of a newer version of Parley (this one does not know its migration "9999_later"); ' +
        "use that version, or another database",
    );
  });

  it("says that it is away while the disk is full, and goes on when it is not any more", async () => {
    const store = await storeIn(await newFolder()).open();
    const keys = createKeyRows(store);
    await sql`pragma max_page_count = 1`.execute(store.db);
    const big = keyRow("key_big", { name: "x".repeat(1_000_000) });
    const full = { reason: Reason.UNAVAILABLE, message: "the database can't be reached" };
    await expect(keys.insert(big)).rejects.toMatchObject(full);
    expect(store.isAway).toBe(true);
    await sql`pragma max_page_count = 1000000`.execute(store.db);
    await keys.insert(big);
    expect(store.isAway).toBe(false);
    expect(await keys.version()).toBe(1);
  });

  it("is made once by processes that begin at the same time", async () => {
    const folder = await newFolder();
    const children = [1, 2, 3].map(() => startChild("open", folder));
    expect(await Promise.all(children.map(({ said }) => said))).toEqual(["open", "open", "open"]);
    await Promise.all(children.map(({ ended }) => ended));
    expect(await createKeyRows(await storeIn(folder).open()).version()).toBe(0);
  });

  it("loses nothing that it kept, however often its process is killed", { timeout: 300_000 }, async () => {
    const folder = await newFolder();
    const kept: string[] = [];
    for (let round = 0; round < 30; round += 1) {
      const child = startChild("insert", folder, `round_${round}`);
      expect(await child.said).toBe("open");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      await child.kill();
      kept.push(...child.lines.slice(1).filter((line) => line !== ""));
    }
    const store = await storeIn(folder).open();
    const rows = await store.db.selectFrom("keys").select("id").execute();
    const ids = new Set(rows.map(({ id }) => id));
    expect(kept.filter((id) => !ids.has(id))).toEqual([]);
    expect(kept.length).toBeGreaterThan(30);
    expect(await createKeyRows(store).version()).toBe(ids.size);
    const check = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(store.db);
    expect(check.rows).toEqual([{ integrity_check: "ok" }]);
  });
});
