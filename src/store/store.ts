/**
 * The store: all durable state, in one typed database on one of two engines. The same queries and migrations run on both; only clock,
 * row locks and wake-ups differ.
 */
import type { Kysely, RawBuilder, Selectable, SelectQueryBuilder, Transaction } from "kysely";
import type { Schema } from "./schema.ts";

/** What a query is run by: the database, or a transaction. */
export type Queries = Kysely<Schema> | Transaction<Schema>;

/** All that can be told. */
export const CHANNELS = ["keys", "runs_ready", "run_changed", "run_cancel"] as const;

/** What is told to all processes that share the store. */
export type Channel = (typeof CHANNELS)[number];

/** Rows for a table, with all of its columns. */
export interface NewRows<Table extends keyof Schema> {
  readonly table: Table;
  readonly columns: readonly (keyof Schema[Table] & string)[];
  readonly rows: readonly Selectable<Schema[Table]>[];
}

/** A database that is open. What fails because it is away fails with a GatewayError of reason UNAVAILABLE. */
export interface Store {
  readonly engine: "sqlite" | "postgres";
  readonly db: Kysely<Schema>;
  /** The time by the clock of the database, in Unix milliseconds; replicas agree on it. */
  readonly now: RawBuilder<number>;
  /** Whether this process is the only one that uses the database: then whatever another one had begun is lost. */
  readonly isSole: boolean;
  /** Whether the database can't be reached now. */
  readonly isAway: boolean;
  /**
   * Runs the work in one transaction: all of it is done, or nothing. It may run again, where it lost a race on PostgreSQL. On SQLite, no
   * other query runs meanwhile: work that waits for one of `db` would wait for ever.
   */
  transact<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  /**
   * Inserts rows as a part of a transaction, in the way that takes the engine the least for many. Those whose key is there already are
   * passed over. Returns how many were not.
   */
  insertNew<Table extends keyof Schema>(transaction: Transaction<Schema>, rows: NewRows<Table>): Promise<number>;
  /** Locks the rows that a query selects until the transaction ends, and passes over those that others have locked. */
  lockRows<O>(query: SelectQueryBuilder<Schema, keyof Schema, O>): SelectQueryBuilder<Schema, keyof Schema, O>;
  /** Tells everybody who listens, once the transaction (one of `transact`) is done. A payload is at most 200 characters. */
  notify(queries: Queries, channel: Channel, payload: string): Promise<void>;
  /**
   * Hears what is told on a channel, by this process too. Nothing is heard while the connection is lost; when it is back, `missed` is
   * called. Returns what ends it.
   */
  listen(channel: Channel, heard: (payload: string) => void, missed?: () => void): () => void;
  /** Closes it when what is under way is done. */
  close(): Promise<void>;
}

/** A store that is opened when it is first needed. */
export interface LateStore {
  /** Whether there is a database already: a PostgreSQL address, or the file of the built-in one. */
  readonly exists: boolean;
  /** The store, where it is open. */
  readonly opened: Store | undefined;
  /** Whether it could not be opened when that was last tried, or can't be reached now. */
  readonly isAway: boolean;
  /**
   * Opens it, once, and brings its tables up to date. After a failure, the next call tries again. Fails with UNAVAILABLE; `storeFault`
   * has the words for who runs the gateway.
   */
  open(): Promise<Store>;
  /** Closes it, where it is open, and lets nobody open it any more. */
  close(): Promise<void>;
}
