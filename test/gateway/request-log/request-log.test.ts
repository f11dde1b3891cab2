import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createRequestLog, type PendingSpend, type RequestLog } from "../../../src/gateway/request-log/request-log.ts";
import { createLateStore } from "../../../src/store/late-store.ts";
import type { RequestTable } from "../../../src/store/schema.ts";
import type { Spending } from "../../../src/store/spend.ts";
import type { LateStore } from "../../../src/store/store.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { type StorePlace, sqlitePlace } from "../../support/stores.ts";
import { createDatabase, serverUrl } from "../../support/use-servers.ts";
import { createLines } from "../../telemetry/lines.ts";
import { allRows, HOSTILE, rowWith } from "./support/rows.ts";

const postgresUrl = await serverUrl("postgres");

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Stage {
  readonly store: LateStore;
  readonly log: RequestLog;
  readonly lines: ReturnType<typeof createLines>;
  readonly place: StorePlace;
}

async function open({
  enabled = true,
  spend,
  place,
  dataDir,
}: {
  enabled?: boolean;
  spend?: PendingSpend;
  place?: StorePlace;
  dataDir?: string;
} = {}): Promise<Stage> {
  const at = place ?? (await sqlitePlace());
  const store = createLateStore({ ...at.settings, ...(dataDir === undefined ? {} : { dataDir }) });
  const lines = createLines();
  const log = createRequestLog({
    store,
    settings: { enabled, retentionMs: 86_400_000 },
    logger: createLogger({ level: "info", destination: lines }),
    ...(spend === undefined ? {} : { spend }),
  });
  ends.push(
    at.remove,
    () => store.close(),
    () => log.close(),
  );
  return { store, log, lines, place: at };
}

const idsOf = (rows: readonly RequestTable[]): string[] => rows.map(({ id }) => id).sort();

/** Money of one caller, and what came of it. */
function spendOf(...spendings: readonly Spending[]): PendingSpend & { readonly ends: string[] } {
  const told: string[] = [];
  let pending = true;
  return {
    ends: told,
    takePending() {
      if (!pending) return undefined;
      pending = false;
      return {
        spendings,
        stored: () => void told.push("stored"),
        restore() {
          told.push("restored");
          pending = true;
        },
      };
    },
  };
}

const TODAY: Spending = { caller: "key_1", period: "2026-01-31", nanoDollars: 5 };

describe("createRequestLog()", () => {
  it("opens nothing where nothing was recorded", async () => {
    const { store, log, place } = await open();
    await log.flush();
    await log.close();
    expect(store.opened).toBeUndefined();
    expect(existsSync(join(place.settings.dataDir, "parley.sqlite"))).toBe(false);
  });

  it("writes rows by itself, soon", async () => {
    const { store, log } = await open();
    const rows = [rowWith(), rowWith()];
    for (const row of rows) log.record(row);
    expect(log.waiting).toBe(2);
    await vi.waitFor(() => expect(log.waiting).toBe(0), 30_000);
    expect(idsOf(await allRows(await store.open()))).toEqual(idsOf(rows));
  });

  it("has written what was recorded before a flush, however many rows", async () => {
    const { store, log } = await open();
    const rows = Array.from({ length: 1_234 }, () => rowWith());
    for (const row of rows) log.record(row);
    await log.flush();
    expect(idsOf(await allRows(await store.open()))).toEqual(idsOf(rows));
  });

  it("keeps every text as it is", async () => {
    const { store, log } = await open();
    const rows = HOSTILE.map((text, at) =>
      rowWith({
        id: `log_${at}`,
        request_id: text,
        operation: text,
        key_id: text,
        user_agent: text,
        model: text,
        target: text,
        attempts: JSON.stringify([text]),
        run_uid: text,
        params: JSON.stringify({ text }),
        completion: JSON.stringify({ text }),
      }),
    );
    for (const row of rows) log.record(row);
    await log.flush();
    expect(await allRows(await store.open())).toEqual(rows);
  });

  it("takes texts that no database takes, and puts U+FFFD in the place of what it does not", async () => {
    const { store, log } = await open();
    log.record(rowWith({ model: "a\0b", user_agent: "c\ud800d" }));
    await log.flush();
    expect(await allRows(await store.open())).toMatchObject([{ model: "a\ufffdb", user_agent: "c\ufffdd" }]);
  });

  it("writes what was spent along with the rows, and without them where rows are not kept", async () => {
    for (const enabled of [true, false]) {
      const spend = spendOf(TODAY);
      const { store, log } = await open({ enabled, spend });
      log.record(rowWith());
      await log.close();
      const { db } = await store.open();
      expect(await db.selectFrom("spend").selectAll().execute()).toEqual([
        { caller: "key_1", period: "2026-01-31", nano_dollars: 5 },
      ]);
      expect(await allRows(await store.open())).toHaveLength(enabled ? 1 : 0);
      expect(spend.ends).toEqual(["stored"]);
    }
  });

  it("writes what is spent after its row was recorded", async () => {
    const spend = spendOf(TODAY);
    const { log } = await open({ spend });
    log.wake();
    await vi.waitFor(() => expect(spend.ends).toEqual(["stored"]), 30_000);
  });

  it("goes on with the rows beside one that can't be written, and loses that one alone", async () => {
    const spend = spendOf(TODAY);
    const { store, log, lines } = await open({ spend });
    const rows = Array.from({ length: 5 }, () => rowWith());
    // No caller can bring this about: it stands for a fault of ours.
    rows.splice(2, 1, rowWith({ door: null as unknown as string }));
    for (const row of rows) log.record(row);
    for (let at = 0; at < 20 && log.waiting > 0; at++) await log.flush();
    expect([log.waiting, log.dropped]).toEqual([0, 1]);
    expect(idsOf(await allRows(await store.open()))).toEqual(idsOf(rows.toSpliced(2, 1)));
    expect(spend.ends.at(-1)).toBe("stored");
    expect(lines.all()).toContainEqual(expect.objectContaining({ msg: "rows of the log of requests are lost" }));
  });
});

describe("without a store", () => {
  /** A folder in whose place there is a file. */
  async function blocked(): Promise<Stage & { unblock(): Promise<void> }> {
    const place = await sqlitePlace();
    const dataDir = join(place.settings.dataDir, "data");
    await writeFile(dataDir, "");
    return { ...(await open({ place, dataDir })), unblock: () => rm(dataDir) };
  }

  it("says so once and clearly, and writes the rows when there is one", async () => {
    const { store, log, lines, unblock } = await blocked();
    const rows = [rowWith(), rowWith()];
    for (const row of rows) {
      log.record(row);
      await log.flush();
    }
    expect(log.waiting).toBe(2);
    expect(lines.all()).toEqual([
      expect.objectContaining({
        level: "error",
        msg: expect.stringMatching(
          /^the log of requests can't be written now, and it is tried again: the folder .* can't be used/,
        ),
      }),
    ]);
    await unblock();
    await log.flush();
    expect(idsOf(await allRows(await store.open()))).toEqual(idsOf(rows));
    expect(lines.all()).toContainEqual(
      expect.objectContaining({ level: "info", lost: 0, msg: "the log of requests is written again" }),
    );
  });

  it("keeps the newest 10,000 rows, counts the others, and says so once", async () => {
    const { store, log, lines, unblock } = await blocked();
    const rows = Array.from({ length: 10_003 }, () => rowWith());
    for (const row of rows) log.record(row);
    expect([log.waiting, log.dropped]).toEqual([10_000, 3]);
    await log.flush();
    expect([log.waiting, log.dropped]).toEqual([10_000, 3]);
    await unblock();
    await log.flush();
    expect(log.waiting).toBe(0);
    expect(idsOf(await allRows(await store.open()))).toEqual(idsOf(rows.slice(3)));
    const said = lines.all().filter((line) => JSON.stringify(line).includes("are lost"));
    expect(said).toHaveLength(1);
    expect(lines.all().at(-1)).toMatchObject({ lost: 3, msg: "the log of requests is written again" });
  });

  it("bounds contents, too", async () => {
    const { log } = await blocked();
    const params = "x".repeat(8 * 1024 * 1024);
    for (let at = 0; at < 9; at++) log.record(rowWith({ params }));
    expect([log.waiting, log.dropped]).toEqual([8, 1]);
  });

  it("ends, and says what is lost", async () => {
    const { log, lines } = await blocked();
    log.record(rowWith());
    await log.close();
    expect(lines.all().at(-1)).toMatchObject({
      level: "error",
      lost: 1,
      msg: "rows of the log of requests could not be written before the end",
    });
  });

  it("leaves the folder of another process alone", async () => {
    const first = await open();
    first.log.record(rowWith());
    await first.log.flush();
    const second = await open({ place: { ...first.place, remove: async () => undefined } });
    second.log.record(rowWith());
    await second.log.flush();
    expect(second.lines.all()).toEqual([
      expect.objectContaining({ msg: expect.stringContaining("another process of Parley uses the folder") }),
    ]);
    expect(second.log.waiting).toBe(1);
  });
});

describe.skipIf(postgresUrl === undefined)("with PostgreSQL", () => {
  it("writes each row once, and what was spent once, though the server goes away again and again", async () => {
    const database = await createDatabase(postgresUrl ?? "");
    const pending: Spending[] = [];
    const spend: PendingSpend = {
      takePending() {
        const taken = pending.splice(0);
        if (taken.length === 0) return undefined;
        return { spendings: taken, stored: () => undefined, restore: () => void pending.push(...taken) };
      },
    };
    const place = { settings: { dataDir: "/nowhere", databaseUrl: database.url }, remove: () => database.drop() };
    const { store, log } = await open({ place, spend });
    const rows: RequestTable[] = [];
    const work = async (): Promise<void> => {
      for (let at = 0; at < 100; at++) {
        const row = rowWith();
        rows.push(row);
        log.record(row);
        pending.push(TODAY);
      }
      await log.flush();
    };
    await work();
    for (let at = 0; at < 3; at++) {
      await Promise.all([work(), database.shut(true)]);
      await work();
      expect(log.waiting).toBeGreaterThan(0);
      await database.shut(false);
      await vi.waitFor(() => expect(log.waiting).toBe(0), 30_000);
    }
    await log.close();
    expect(idsOf(await allRows(await store.open()))).toEqual(idsOf(rows));
    expect(await database.query("select nano_dollars::int from spend")).toEqual([{ nano_dollars: rows.length * 5 }]);
    expect(log.dropped).toBe(0);
  });
});
