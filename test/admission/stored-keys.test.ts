import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createSecret, hashSecret } from "../../src/admission/secret.ts";
import { createStoredKeys, type StoredKeys } from "../../src/admission/stored-keys.ts";
import type { StoreSettings } from "../../src/config/settings.ts";
import type { LateStore } from "../../src/store/store.ts";
import { createDatabase, serverUrl } from "../support/use-servers.ts";
import { addKey, revoke } from "./support/add-key.ts";
import { failureOf, reasonOf } from "./support/reason.ts";
import { createStoreFolder, createTestStore, watchStore } from "./support/test-store.ts";

function keysOf(store: LateStore, options: { readonly elapsed?: () => number } = {}): StoredKeys {
  const keys = createStoredKeys({ store, ...options });
  onTestFinished(() => keys.close());
  return keys;
}

const postgres = await serverUrl("postgres");

async function createPostgres(): Promise<StoreSettings> {
  const database = await createDatabase(postgres ?? "");
  onTestFinished(() => database.drop());
  return { dataDir: "", databaseUrl: database.url };
}

const ENGINES = [
  { engine: "SQLite", isMissing: false, create: async () => createStoreFolder() },
  { engine: "PostgreSQL", isMissing: postgres === undefined, create: createPostgres },
];

describe.each(ENGINES.filter(({ isMissing }) => !isMissing))("createStoredKeys() on $engine", ({ create }) => {
  it("finds keys by the hash of their secrets, and by their ids", async () => {
    const store = createTestStore(await create());
    const keys = keysOf(store);
    const { row, secret } = await addKey(store, { name: "ci" });
    await keys.start();
    const found = await keys.find(hashSecret(secret));
    expect(found).toEqual(row);
    expect(keys.find(hashSecret(secret))).toBe(found);
    expect(await keys.get(row.id)).toEqual(row);
    expect([await keys.find(hashSecret(createSecret())), await keys.get("key_none")]).toEqual([undefined, undefined]);
  });

  it("feels what another process does", async () => {
    const settings = await create();
    const [here, there] = [createTestStore(settings), createTestStore(settings)];
    await here.open();
    const keys = keysOf(here);
    await keys.start();
    expect(keys.any).toBe(false);

    const { row, secret } = await addKey(there);
    await vi.waitFor(() => expect(keys.any).toBe(true), { timeout: 10_000 });
    await vi.waitFor(async () => expect(await keys.find(hashSecret(secret))).toEqual(row), { timeout: 10_000 });

    await revoke(there, row.id);
    const isRevoked = async (): Promise<boolean> => (await keys.find(hashSecret(secret)))?.revoked_at !== null;
    await vi.waitFor(async () => expect(await isRevoked()).toBe(true), { timeout: 10_000 });
    expect(keys.any).toBe(true);
  });

  it("sees at once what this process has done before refresh()", async () => {
    const store = createTestStore(await create());
    await store.open();
    const keys = keysOf(store);
    await keys.start();
    const { row, secret } = await addKey(store);
    await keys.refresh();
    expect(keys.any).toBe(true);
    expect(await keys.find(hashSecret(secret))).toEqual(row);
    await revoke(store, row.id);
    await keys.refresh();
    expect((await keys.find(hashSecret(secret)))?.revoked_at).toEqual(expect.any(Number));
  });
});

describe("createStoredKeys()", () => {
  it("makes no database", async () => {
    const store = createTestStore(createStoreFolder());
    const keys = keysOf(store);
    await keys.start();
    expect([keys.any, keys.find(hashSecret(createSecret())), store.exists, store.opened]).toEqual([
      false,
      undefined,
      false,
      undefined,
    ]);
  });

  it("opens one that another process has made meanwhile", async () => {
    const settings = createStoreFolder();
    const keys = keysOf(createTestStore(settings));
    await keys.start();
    await addKey(createTestStore(settings));
    await vi.waitFor(() => expect(keys.any).toBe(true), { timeout: 10_000 });
  });

  it("does not know whether there are keys before it has looked", () => {
    expect(keysOf(createTestStore(createStoreFolder())).any).toBeUndefined();
  });

  it("asks the database once for a key that many calls come with, and once a second for one that there is not", async () => {
    const { store, countOf } = watchStore(createTestStore(createStoreFolder()));
    const { secret } = await addKey(store);
    let elapsed = 0;
    const keys = keysOf(store, { elapsed: () => elapsed });
    await keys.start();
    const before = countOf("keys");
    const ask = (text: string): Promise<unknown> =>
      Promise.all(Array.from({ length: 100 }, () => keys.find(hashSecret(text))));
    await ask(secret);
    await ask(secret);
    expect(countOf("keys") - before).toBe(1);

    const guess = createSecret();
    await ask(guess);
    await ask(guess);
    expect(countOf("keys") - before).toBe(2);

    elapsed = 999;
    await ask(guess);
    expect(countOf("keys") - before).toBe(2);
    elapsed = 1_000;
    await keys.refresh();
    await ask(guess);
    await ask(secret);
    expect(countOf("keys") - before).toBe(3);
  });

  it("asks by the hash alone, so a guess is never compared with more than one key", async () => {
    const { store, countOf } = watchStore(createTestStore(createStoreFolder()));
    for (let made = 0; made < 5; made += 1) await addKey(store);
    const keys = keysOf(store);
    await keys.start();
    const before = countOf("keys");
    const guesses = Array.from({ length: 20 }, createSecret);
    const found = await Promise.all(guesses.map((guess) => keys.find(hashSecret(guess))));
    expect([found.every((row) => row === undefined), countOf("keys") - before]).toEqual([true, 20]);
  });
});

describe("createStoredKeys() while the database is away", () => {
  const AWAY = "UNAVAILABLE: keys can't be looked up now, because the database is away";

  async function setUp() {
    const watched = watchStore(createTestStore(createStoreFolder()));
    const { secret, row } = await addKey(watched.store);
    const clock = { elapsed: 0 };
    const keys = keysOf(watched.store, { elapsed: () => clock.elapsed });
    await keys.start();
    await keys.find(hashSecret(secret));
    return { watched, secret, row, clock, keys, find: (text: string) => keys.find(hashSecret(text)) };
  }

  it("lets known keys go on for a minute, and no others", async () => {
    const { watched, secret, row, clock, keys, find } = await setUp();
    watched.isAway = true;
    clock.elapsed = 1_000;
    await keys.refresh();
    expect(find(secret)).toEqual(row);
    expect(await failureOf(() => find(createSecret()))).toBe(AWAY);
    clock.elapsed = 59_999;
    expect(find(secret)).toEqual(row);
    clock.elapsed = 60_000;
    expect(await failureOf(() => find(secret))).toBe(AWAY);
    expect([keys.any, await reasonOf(() => keys.get(row.id))]).toEqual([true, "UNAVAILABLE"]);
  });

  it("looks before it takes what is older than a second", async () => {
    const { watched, secret, clock, find } = await setUp();
    clock.elapsed = 1_000;
    const before = watched.countOf("key_changes");
    await Promise.all(Array.from({ length: 50 }, () => find(secret)));
    expect(watched.countOf("key_changes") - before).toBe(1);
  });

  it("goes on when it is back", async () => {
    const { watched, secret, clock, keys, find } = await setUp();
    const other = createSecret();
    watched.isAway = true;
    clock.elapsed = 100_000;
    expect(await failureOf(() => find(secret))).toBe(AWAY);
    watched.isAway = false;
    await keys.refresh();
    expect(await find(secret)).toMatchObject({ revoked_at: null });
    expect(await find(other)).toBeUndefined();
  });

  it("keeps a gateway without keys open for a minute, and then knows nothing any more", async () => {
    const watched = watchStore(createTestStore(createStoreFolder()));
    await watched.store.open();
    const clock = { elapsed: 0 };
    const keys = keysOf(watched.store, { elapsed: () => clock.elapsed });
    await keys.start();
    watched.isAway = true;
    await keys.refresh();
    clock.elapsed = 60_000;
    expect(keys.any).toBe(false);
    clock.elapsed = 60_001;
    expect(keys.any).toBeUndefined();
  });

  it("fails to start, and goes on trying", async () => {
    const watched = watchStore(createTestStore(createStoreFolder()));
    await addKey(watched.store);
    watched.isAway = true;
    const warn = vi.fn();
    const info = vi.fn();
    const keys = createStoredKeys({ store: watched.store, logger: { warn, info } });
    onTestFinished(() => keys.close());
    expect(await reasonOf(() => keys.start())).toBe("UNAVAILABLE");
    expect(keys.any).toBeUndefined();
    watched.isAway = false;
    await vi.waitFor(() => expect(keys.any).toBe(true), { timeout: 10_000 });
    expect([warn.mock.calls.length, info.mock.calls.length]).toEqual([1, 1]);
  });
});

describe.skipIf(postgres === undefined)("createStoredKeys() and a PostgreSQL that goes", () => {
  it("goes on with what it knows, and feels a revoke when it is back", async () => {
    const database = await createDatabase(postgres ?? "");
    onTestFinished(() => database.drop());
    const settings = { dataDir: "", databaseUrl: database.url };
    const store = createTestStore(settings);
    const keys = keysOf(store);
    const { row, secret } = await addKey(store);
    await keys.start();
    await keys.find(hashSecret(secret));
    await database.shut(true);
    await vi.waitFor(
      async () => expect(await reasonOf(() => keys.find(hashSecret(createSecret())))).toBe("UNAVAILABLE"),
      {
        timeout: 10_000,
      },
    );
    expect(await keys.find(hashSecret(secret))).toEqual(row);
    await database.shut(false);
    await revoke(createTestStore(settings), row.id);
    await vi.waitFor(
      async () => expect((await keys.find(hashSecret(secret)))?.revoked_at).toEqual(expect.any(Number)),
      { timeout: 20_000 },
    );
  }, 40_000);

  it("does not wait for one that does not answer", async () => {
    const database = await createDatabase(postgres ?? "");
    onTestFinished(() => database.drop());
    const store = createTestStore({ dataDir: "", databaseUrl: database.url });
    const keys = keysOf(store);
    const { row, secret } = await addKey(store);
    await keys.start();
    await keys.find(hashSecret(secret));
    await database.query("begin");
    await database.query("lock table keys, key_changes in access exclusive mode");
    await keys.refresh();
    expect([await keys.find(hashSecret(secret)), await reasonOf(() => keys.find(hashSecret(createSecret())))]).toEqual([
      row,
      "UNAVAILABLE",
    ]);
    await database.query("commit");
    await vi.waitFor(async () => expect(await keys.find(hashSecret(createSecret()))).toBeUndefined(), {
      timeout: 10_000,
    });
  }, 40_000);
});
