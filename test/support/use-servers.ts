import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import type { ServerKind } from "./servers.ts";

/**
 * The address of a real server that all test files share, started when it is first asked for. Undefined where the machine has none;
 * where PARLEY_TEST_SERVERS is "required", that is a failure. Ask for it at the top of a file: `describe.skipIf(url === undefined)`.
 */
export async function serverUrl(kind: ServerKind): Promise<string | undefined> {
  const answer = await fetch(`${inject("servers")}/${kind}`);
  if (answer.status === 200) return await answer.text();
  if (answer.status !== 404) throw new Error(await answer.text());
  if (process.env["PARLEY_TEST_SERVERS"] === "required") throw new Error(`this machine has no server of ${kind}`);
  return undefined;
}

/** A database of one's own. */
export interface TestDatabase {
  readonly url: string;
  /** Runs statements in it, beside whoever else uses it. */
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** Lets nobody connect any more and cuts all connections, or lets them again. */
  shut(isShut: boolean): Promise<void>;
  /** Removes it. */
  drop(): Promise<void>;
}

/** Makes an empty database on the server of an address. */
export async function createDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const server = new pg.Pool({ connectionString: serverUrl, max: 1 });
  await server.query(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const own = new pg.Pool({ connectionString: url.href, max: 1, allowExitOnIdle: true });
  own.on("error", () => undefined);
  return {
    url: url.href,
    async query(sql, parameters = []) {
      return (await own.query<Record<string, unknown>>(sql, [...parameters])).rows;
    },
    async shut(isShut) {
      await server.query(`alter database ${name} allow_connections ${!isShut}`);
      if (isShut)
        await server.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
    },
    async drop() {
      await own.end();
      await server.query(`drop database ${name} with (force)`);
      await server.end();
    },
  };
}
