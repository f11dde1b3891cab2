import { GatewayError } from "../../errors/gateway-error.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import type { Listeners } from "../listeners.ts";
import { createReach } from "../reach.ts";
import type { Store } from "../store.ts";
import type { SqliteClient } from "./sqlite-client.ts";
import { ROLLBACK } from "./sqlite-dialect.ts";
import { createSqliteStore, type SqliteStoreParts } from "./sqlite-store.ts";

/** What a store is made of that another process has open. */
export interface JoinedStoreParts extends Pick<SqliteStoreParts, "tell"> {
  /** The way to that process, which has a session for this one. */
  readonly client: SqliteClient;
  /** Who listens in this process; whoever hears of what others tell calls them. */
  readonly listeners: Listeners;
}

/** Makes a store of the built-in database, through the process that has it open and its tables up to date. */
export function openJoinedStore({ client, listeners, tell }: JoinedStoreParts): Store {
  const reach = createReach();
  const watched: SqliteClient = {
    async query(text, parameters) {
      try {
        const result = await client.query(text, parameters);
        if (text !== ROLLBACK) reach.found();
        return result;
      } catch (error) {
        // That process has told a database that can't be used from faults of ours.
        const isAway = error instanceof GatewayError && error.reason === Reason.UNAVAILABLE;
        throw isAway ? reach.lost(error.cause ?? error) : error;
      }
    },
    close: () => client.close(),
  };
  return createSqliteStore({ client: watched, reach, isSole: false, listeners, tell });
}
