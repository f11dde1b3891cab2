import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import type { Reach } from "../reach.ts";
import { toWellFormed } from "../well-formed.ts";
import { isAway } from "./postgres-faults.ts";

/** Most connections at once of a process that serves alone. */
export const MAX_CONNECTIONS = 10;
const CONNECT_MS = 5000;
/** Longest time for a statement: of a server that has vanished without a word, nothing else would tell. */
const STATEMENT_MS = 60_000;
const INT8 = 20;

/** Options of every connection. Whole numbers of 64 bits come as numbers: none of ours is beyond 2^53. */
export const connectionOptions = (url: string): pg.ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECT_MS,
  query_timeout: STATEMENT_MS,
  keepAlive: true,
  application_name: "parley",
  types: {
    getTypeParser: ((oid: number, format?: "text") =>
      oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
  },
});

/** A pool of connections whose errors tell whether the database is away. */
export function createPool(url: string, reach: Reach, maxConnections = MAX_CONNECTIONS): PostgresPool {
  const pool = new pg.Pool({ ...connectionOptions(url), max: maxConnections });
  // What happens to a connection that nobody waits for is of no interest: the next query gets another one.
  const ignore = (): undefined => undefined;
  pool.on("error", ignore);
  pool.on("connect", (client) => client.on("error", ignore));
  async function connect(): Promise<PostgresPoolClient> {
    try {
      return guard(await pool.connect(), reach);
    } catch (error) {
      throw reach.lost(error);
    }
  }

  return { options: pool.options, connect, end: () => pool.end() };
}

/** A connection for as long as it is taken. One that failed is not given back to others. */
function guard(client: pg.PoolClient, reach: Reach): PostgresPoolClient {
  let isBroken = false;
  const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    try {
      const result = await client.query(text, parameters.map(toWellFormed));
      reach.found();
      return result;
    } catch (error) {
      if (!isAway(error)) throw error;
      isBroken = true;
      throw reach.lost(error);
    }
  };
  return {
    query: query as PostgresPoolClient["query"],
    release: (destroy) => client.release(destroy === true || isBroken),
  };
}
