import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite, types } from "@electric-sql/pglite";
import { PGliteDialect } from "kysely";
import type { StoreSettings } from "../../src/config/settings.ts";
import { createLateStore } from "../../src/store/late-store.ts";
import { createListeners } from "../../src/store/listeners.ts";
import { migrate } from "../../src/store/migrate.ts";
import { channelName } from "../../src/store/postgres/postgres-listener.ts";
import { createPostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { createReach } from "../../src/store/reach.ts";
import { CHANNELS, type Store } from "../../src/store/store.ts";
import { toWellFormed } from "../../src/store/well-formed.ts";
import { createCrew } from "./crew.ts";
import { loadSettings } from "./load-settings.ts";
import { createDatabase, serverUrl } from "./use-servers.ts";

/** A store of one's own, empty. */
export interface TestStore {
  readonly store: Store;
  /** Closes it and removes its database. */
  remove(): Promise<void>;
}

/** A kind of store that a suite is run on. */
export interface StoreKind {
  readonly name: string;
  /** Whether this machine lacks what it takes; then `describe.skipIf` is for it. */
  readonly isMissing: boolean;
  open(): Promise<TestStore>;
}

const postgresUrl = await serverUrl("postgres");

/** Both engines, SQLite as a worker has it, and PostgreSQL once more on a machine that has none. */
export const STORE_KINDS: readonly StoreKind[] = [
  { name: "SQLite", isMissing: false, open: openSqlite },
  { name: "SQLite of another process", isMissing: false, open: openJoined },
  { name: "PGlite", isMissing: false, open: openPglite },
  { name: "PostgreSQL", isMissing: postgresUrl === undefined, open: openPostgres },
];

/** A place for a database, which is made by whoever opens it. */
export interface StorePlace {
  readonly settings: StoreSettings;
  remove(): Promise<void>;
}

/** Makes an empty folder for the built-in database. */
export async function sqlitePlace(): Promise<StorePlace> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-store-"));
  return { settings: { dataDir, databaseUrl: undefined }, remove: () => rm(dataDir, { recursive: true, force: true }) };
}

/** Makes an empty database of PostgreSQL; only where the machine has it. */
export async function postgresPlace(): Promise<StorePlace> {
  if (postgresUrl === undefined) throw new Error("there is no PostgreSQL");
  const { url, drop } = await createDatabase(postgresUrl);
  return { settings: { dataDir: "/nowhere", databaseUrl: url }, remove: drop };
}

async function openSqlite(): Promise<TestStore> {
  return await openIn(await sqlitePlace());
}

async function openJoined(): Promise<TestStore> {
  const { settings, remove } = await sqlitePlace();
  const defaults = await loadSettings({}, { PARLEY_DATA_DIR: settings.dataDir });
  const { workers, close } = createCrew({ ...defaults, store: settings, workers: 2 }, 2);
  const store = await workers[0]!.crew.openStore();
  return {
    store,
    async remove() {
      await store.close();
      await close();
      await remove();
    },
  };
}

async function openPostgres(): Promise<TestStore> {
  return await openIn(await postgresPlace());
}

async function openIn({ settings, remove }: StorePlace): Promise<TestStore> {
  const late = createLateStore(settings);
  return {
    store: await late.open(),
    async remove() {
      await late.close();
      await remove();
    },
  };
}

async function openPglite(): Promise<TestStore> {
  const pglite = await PGlite.create({
    parsers: { [types.INT8]: Number },
    serializers: { [types.TEXT]: (value: unknown) => String(toWellFormed(value)) },
  });
  const listeners = createListeners();
  for (const channel of CHANNELS)
    await pglite.listen(channelName(channel), (payload) => listeners.tell(channel, payload));
  const listener = { listen: listeners.add, close: async () => undefined };
  const store = createPostgresStore(new PGliteDialect({ pglite }), listener, createReach());
  await migrate(store.db);
  return { store, remove: () => store.close() };
}
