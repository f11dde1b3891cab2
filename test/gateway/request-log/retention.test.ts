import { afterEach, describe, expect, it, vi } from "vitest";
import { createRetention } from "../../../src/gateway/request-log/retention.ts";
import { createLateStore } from "../../../src/store/late-store.ts";
import { createRequestRows } from "../../../src/store/requests.ts";
import type { LateStore } from "../../../src/store/store.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { sqlitePlace } from "../../support/stores.ts";
import { allRows, rowWith } from "./support/rows.ts";

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const logger = createLogger({ level: "silent" });

async function openPlace(): Promise<LateStore> {
  const place = await sqlitePlace();
  const store = createLateStore(place.settings);
  ends.push(place.remove, () => store.close());
  return store;
}

describe("createRetention()", () => {
  it("does not open the store", async () => {
    const store = await openPlace();
    const retentionMs = vi.fn(() => 60_000);
    ends.push(createRetention({ store, logger, retentionMs, lookMs: 1 }).close);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([retentionMs.mock.calls, store.opened]).toEqual([[], undefined]);
  });

  it("deletes what is too old where it is open", async () => {
    const late = await openPlace();
    const store = await late.open();
    const now = Date.now();
    const old = Array.from({ length: 1_001 }, () => rowWith({ at: now - 61_000 }));
    const young = Array.from({ length: 2 }, () => rowWith({ at: now }));
    await createRequestRows(store).insert([...old, ...young]);
    ends.push(createRetention({ store: late, logger, retentionMs: () => 60_000, lookMs: 10 }).close);
    await vi.waitFor(async () => expect(await allRows(store)).toHaveLength(2), 30_000);
    expect((await allRows(store)).map(({ id }) => id)).toEqual(young.map(({ id }) => id).sort());
  });
});
