import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { StoreSettings } from "../../../src/config/settings.ts";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { Reason } from "../../../src/gen/parley/errors/v1/errors_pb.ts";
import { createLateStore } from "../../../src/store/late-store.ts";
import type { LateStore, Store } from "../../../src/store/store.ts";

/** Settings of a built-in database in a folder of its own, for the test that runs. */
export function createStoreFolder(): StoreSettings {
  const dataDir = mkdtempSync(join(tmpdir(), "parley-store-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return { dataDir, databaseUrl: undefined };
}

/** A store of the test that runs. Several can share a database. */
export function createTestStore(settings: StoreSettings): LateStore {
  const store = createLateStore(settings, { shared: true });
  onTestFinished(() => store.close());
  return store;
}

/** A store whose queries are counted, and can be made to fail as those of a database that is away. */
export interface WatchedStore {
  readonly store: LateStore;
  /** How many queries were made of each table. */
  countOf(table: string): number;
  isAway: boolean;
}

/** Makes one of a real store. */
export function watchStore(real: LateStore): WatchedStore {
  const counts = new Map<string, number>();
  const watched = { isAway: false };
  const views = new WeakMap<Store, Store>();
  const view = (store: Store): Store => {
    const known = views.get(store);
    if (known !== undefined) return known;
    const db = store.db.withPlugin({
      transformQuery({ node }) {
        if (watched.isAway) throw new GatewayError(Reason.UNAVAILABLE, "the database can't be reached");
        const table = /"identifier":\{"kind":"IdentifierNode","name":"(\w+)"/.exec(JSON.stringify(node))?.[1] ?? "";
        counts.set(table, (counts.get(table) ?? 0) + 1);
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const seen = Object.create(store, { db: { value: db } }) as Store;
    views.set(store, seen);
    return seen;
  };
  const store: LateStore = {
    get exists() {
      return real.exists;
    },
    get opened() {
      return real.opened === undefined ? undefined : view(real.opened);
    },
    get isAway() {
      return watched.isAway || real.isAway;
    },
    open: async () => view(await real.open()),
    close: () => real.close(),
  };
  return {
    store,
    countOf: (table) => counts.get(table) ?? 0,
    get isAway() {
      return watched.isAway;
    },
    set isAway(away) {
      watched.isAway = away;
    },
  };
}
