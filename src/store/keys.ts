import type { Selectable, Transaction, Updateable } from "kysely";
import type { KeyTable, Schema } from "./schema.ts";
import type { Store } from "./store.ts";

/** A key as it is kept. */
export type KeyRow = Selectable<KeyTable>;

/** A key to keep: when it is made is told by the clock of the database. */
export type NewKeyRow = Omit<KeyRow, "created_at" | "revoked_at">;

/** What can be changed of a key. */
export type KeyChange = Omit<Updateable<KeyTable>, "id" | "hash" | "hint" | "created_at" | "revoked_at">;

/** The keys of the database. Each change counts up their version and is told on the channel "keys", with the key's id. */
export interface KeyRows {
  insert(key: NewKeyRow): Promise<KeyRow>;
  /** Finds a key, a revoked one too, by the hash of its secret. */
  findByHash(hash: string): Promise<KeyRow | undefined>;
  get(id: string): Promise<KeyRow | undefined>;
  /** At most so many, the newest first; `after`: when the last one of the page before was made, and its id. */
  list(limit: number, after?: readonly [createdAt: number, id: string]): Promise<KeyRow[]>;
  /** Changes what is set; undefined where there is no such key. */
  update(id: string, change: KeyChange): Promise<KeyRow | undefined>;
  /** Revokes a key; one that is revoked already stays as it is. Undefined where there is no such key. */
  revoke(id: string): Promise<KeyRow | undefined>;
  /** How often keys have been changed, by whatever process. */
  version(): Promise<number>;
}

/** Makes the queries of keys. */
export function createKeyRows(store: Store): KeyRows {
  const { db } = store;

  async function tell(transaction: Transaction<Schema>, id: string): Promise<void> {
    await transaction
      .updateTable("key_changes")
      .set((it) => ({ version: it("version", "+", 1) }))
      .execute();
    await store.notify(transaction, "keys", id);
  }

  const get: KeyRows["get"] = (id) => db.selectFrom("keys").selectAll().where("id", "=", id).executeTakeFirst();

  return {
    insert(key) {
      return store.transact(async (transaction) => {
        const row = await transaction
          .insertInto("keys")
          .values({ ...key, created_at: store.now })
          .returningAll()
          .executeTakeFirstOrThrow();
        await tell(transaction, row.id);
        return row;
      });
    },
    findByHash: (hash) => db.selectFrom("keys").selectAll().where("hash", "=", hash).executeTakeFirst(),
    get,
    async list(limit, after) {
      let query = db.selectFrom("keys").selectAll();
      if (after !== undefined)
        query = query.where(({ eb, refTuple, tuple }) => eb(refTuple("created_at", "id"), "<", tuple(...after)));
      return await query.orderBy("created_at", "desc").orderBy("id", "desc").limit(limit).execute();
    },
    async update(id, change) {
      // A statement has to set something.
      if (Object.values(change).every((it) => it === undefined)) return await get(id);
      return await store.transact(async (transaction) => {
        const row = await transaction
          .updateTable("keys")
          .set(change)
          .where("id", "=", id)
          .returningAll()
          .executeTakeFirst();
        if (row !== undefined) await tell(transaction, id);
        return row;
      });
    },
    async revoke(id) {
      const revoked = await store.transact(async (transaction) => {
        const row = await transaction
          .updateTable("keys")
          .set({ revoked_at: store.now })
          .where("id", "=", id)
          .where("revoked_at", "is", null)
          .returningAll()
          .executeTakeFirst();
        if (row !== undefined) await tell(transaction, id);
        return row;
      });
      return revoked ?? (await get(id));
    },
    async version() {
      const { version } = await db.selectFrom("key_changes").select("version").executeTakeFirstOrThrow();
      return version;
    },
  };
}
