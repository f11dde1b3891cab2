import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKeyRows, type KeyRow, type KeyRows } from "../../src/store/keys.ts";
import { STORE_KINDS, type TestStore } from "../support/stores.ts";
import { keyRow } from "./rows.ts";

describe.each(STORE_KINDS)("keys on $name", ({ isMissing, open }) => {
  let own: TestStore;
  let keys: KeyRows;
  beforeAll(async () => {
    if (isMissing) return;
    own = await open();
    keys = createKeyRows(own.store);
  });
  afterAll(() => own?.remove());

  describe.skipIf(isMissing)("createKeyRows()", () => {
    it("keeps a key as it is, and finds it by its id and by its hash", async () => {
      const row = keyRow("key_kept", {
        name: "'; drop table keys; --",
        limits: '{"requestsPerMinute":"5"}',
        expires_at: 9,
      });
      const kept: KeyRow = { ...row, created_at: expect.any(Number), revoked_at: null };
      expect(await keys.insert(row)).toEqual(kept);
      expect(await keys.get("key_kept")).toEqual(kept);
      expect(await keys.findByHash(row.hash)).toEqual(kept);
      expect(await keys.get("key_nobodys")).toBeUndefined();
      expect(await keys.findByHash("")).toBeUndefined();
    });

    it("refuses a second key of the same hash", async () => {
      await keys.insert(keyRow("key_first"));
      await expect(keys.insert(keyRow("key_second", { hash: keyRow("key_first").hash }))).rejects.toThrow(/unique/i);
      expect(await keys.get("key_second")).toBeUndefined();
    });

    it("lists pages, the newest first, each key once", async () => {
      for (let at = 0; at < 7; at += 1) await keys.insert(keyRow(`key_page_${at}`));
      const all = await keys.list(1000);
      const paged: KeyRow[] = [];
      for (let page = await keys.list(3); page.length > 0; ) {
        paged.push(...page);
        const last = page.at(-1) as KeyRow;
        page = await keys.list(3, [last.created_at, last.id]);
      }
      expect(paged).toEqual(all);
      const inOrder = [...all].sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
      expect(all).toEqual(inOrder);
      expect(all.length).toBeGreaterThanOrEqual(7);
    });

    it("changes what is set, and nothing else", async () => {
      const made = await keys.insert(keyRow("key_changed", { limits: "{}", expires_at: 5 }));
      expect(await keys.update("key_changed", { name: "new", expires_at: null })).toEqual({
        ...made,
        name: "new",
        expires_at: null,
      });
      expect(await keys.update("key_changed", {})).toEqual({ ...made, name: "new", expires_at: null });
      expect(await keys.update("key_nobodys", { name: "new" })).toBeUndefined();
    });

    it("revokes a key once", async () => {
      const made = await keys.insert(keyRow("key_revoked"));
      const revoked = await keys.revoke("key_revoked");
      expect(revoked).toEqual({ ...made, revoked_at: expect.any(Number) });
      expect(await keys.revoke("key_revoked")).toEqual(revoked);
      expect(await keys.findByHash(made.hash)).toEqual(revoked);
      expect(await keys.revoke("key_nobodys")).toBeUndefined();
    });

    it("counts and tells each change, and nothing that changes nothing", async () => {
      const heard: string[] = [];
      const unlisten = own.store.listen("keys", (id) => heard.push(id));
      const before = await keys.version();
      await keys.insert(keyRow("key_told"));
      await keys.update("key_told", { name: "new" });
      await keys.revoke("key_told");
      await keys.revoke("key_told");
      await keys.update("key_told", {});
      await keys.revoke("key_nobodys");
      await keys.update("key_nobodys", { name: "new" });
      await keys.insert(keyRow("key_last"));
      expect(await keys.version()).toBe(before + 4);
      await expect.poll(() => heard).toEqual(["key_told", "key_told", "key_told", "key_last"]);
      unlisten();
    });
  });
});
