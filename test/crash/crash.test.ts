import { describe, expect, it } from "vitest";
import { createDatabase, serverUrl } from "../support/use-servers.ts";
import { type CrashResult, crash } from "./crash.ts";
import { formatResult } from "./report.ts";

const postgres = await serverUrl("postgres");

/** It would find nothing either if nothing had happened. */
function expectWell(result: CrashResult): void {
  expect(result.broken).toEqual([]);
  const { runs, watches, keys, rows } = result.ledger;
  for (const some of [runs, watches, keys]) expect(some.length).toBeGreaterThan(0);
  expect(rows.size).toBeGreaterThan(0);
  expect(formatResult(result)).toContain("broken promises");
}

describe.runIf(process.platform !== "win32")("crash()", () => {
  it("finds no broken promise of a process with the built-in database", { timeout: 120_000 }, async () => {
    expectWell(await crash({ kills: 4, seed: "short", databaseUrl: undefined }));
  });

  it.skipIf(postgres === undefined)("finds none of two replicas on PostgreSQL", { timeout: 120_000 }, async () => {
    const database = await createDatabase(postgres as string);
    try {
      expectWell(await crash({ kills: 4, seed: "short", databaseUrl: database.url }));
    } finally {
      await database.drop();
    }
  });
});
