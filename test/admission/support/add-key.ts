import { randomUUID } from "node:crypto";
import { createSecret, hashSecret, hintOf } from "../../../src/admission/secret.ts";
import { createKeyRows, type KeyRow, type NewKeyRow } from "../../../src/store/keys.ts";
import type { LateStore } from "../../../src/store/store.ts";

/** Writes a key into a store, and returns it with its secret. */
export async function addKey(
  store: LateStore,
  change: Partial<NewKeyRow> = {},
): Promise<{ readonly row: KeyRow; readonly secret: string }> {
  const secret = createSecret();
  const row = await createKeyRows(await store.open()).insert({
    id: `key_${randomUUID()}`,
    name: "",
    hash: hashSecret(secret),
    hint: hintOf(secret),
    scopes: "[1,2]",
    models: "[]",
    limits: null,
    log_content: 0,
    expires_at: null,
    ...change,
  });
  return { row, secret };
}

/** Revokes a key of a store. */
export const revoke = async (store: LateStore, id: string): Promise<unknown> =>
  createKeyRows(await store.open()).revoke(id);
