import { create } from "@bufbuild/protobuf";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Caller, OPEN_CALLER } from "../../src/admission/caller.ts";
import { createIdentity, type Identity } from "../../src/admission/identity.ts";
import { createSecret, hashSecret } from "../../src/admission/secret.ts";
import { createStoredKeys, type StoredKeys } from "../../src/admission/stored-keys.ts";
import type { AuthSettings, ConfigKeySettings } from "../../src/config/settings.ts";
import { KeyLimitsSchema } from "../../src/gen/parley/keys/v1/limits_pb.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import type { LateStore } from "../../src/store/store.ts";
import { createSigningKey, startIssuer } from "../support/issuer.ts";
import { addKey, revoke } from "./support/add-key.ts";
import { failureOf, reasonOf } from "./support/reason.ts";
import { createStoreFolder, createTestStore, watchStore } from "./support/test-store.ts";

const NOBODY: AuthSettings = { keys: [], jwt: undefined, defaultLimits: undefined };
const UNKNOWN = "INVALID_API_KEY: the key is not one that this gateway knows";

const configKey = (secret: string, change: Partial<ConfigKeySettings> = {}): ConfigKeySettings => ({
  id: "ci",
  sha256: hashSecret(secret),
  scopes: [Scope.CHAT],
  models: [],
  limits: undefined,
  logContent: false,
  ...change,
});

interface Stage {
  readonly identity: Identity;
  readonly stored: StoredKeys;
  readonly store: LateStore;
  as(secret: string): Promise<Caller>;
}

async function stage(
  auth: Partial<AuthSettings>,
  store: LateStore = createTestStore(createStoreFolder()),
  options: { readonly now?: () => number; readonly mayBeOpen?: boolean } = {},
): Promise<Stage> {
  const stored = createStoredKeys({ store });
  onTestFinished(() => stored.close());
  await stored.start();
  const identity = createIdentity({ auth: { ...NOBODY, ...auth }, stored, mayBeOpen: true, ...options });
  return {
    identity,
    stored,
    store,
    as: async (secret) => identity.authenticate({ authorization: `Bearer ${secret}` }),
  };
}

describe("createIdentity() without any key", () => {
  it("is open, and heeds no header", async () => {
    const { identity, store } = await stage({});
    const headers = [
      {},
      { authorization: "" },
      { authorization: "Basic x" },
      { authorization: `Bearer ${createSecret()}` },
    ];
    expect(headers.map((header) => identity.authenticate(header))).toEqual(headers.map(() => OPEN_CALLER));
    expect([identity.isOpen, store.exists]).toEqual([true, false]);
  });

  it("closes with the first key, and stays closed when the last one is revoked", async () => {
    const { identity, stored, store, as } = await stage({});
    const { row, secret } = await addKey(store);
    await stored.refresh();
    expect([identity.isOpen, (await as(secret)).id]).toEqual([false, row.id]);
    expect(await reasonOf(() => identity.authenticate({}))).toBe("INVALID_API_KEY");
    await revoke(store, row.id);
    await stored.refresh();
    expect([identity.isOpen, await failureOf(() => as(secret))]).toEqual([
      false,
      "INVALID_API_KEY: the key was revoked",
    ]);
  });

  it("closes with one that another process makes beside it", async () => {
    const settings = createStoreFolder();
    const { identity } = await stage({}, createTestStore(settings));
    await addKey(createTestStore(settings));
    await vi.waitFor(() => expect(identity.isOpen).toBe(false), { timeout: 10_000 });
  });

  it("is open with a store that has no keys", async () => {
    const store = createTestStore(createStoreFolder());
    await store.open();
    const { identity } = await stage({}, store);
    expect(identity.isOpen).toBe(true);
  });

  it("lets nobody in where others than this machine reach it", async () => {
    const { identity, as } = await stage({}, undefined, { mayBeOpen: false });
    expect([
      identity.isOpen,
      await reasonOf(() => identity.authenticate({})),
      await failureOf(() => as(createSecret())),
    ]).toEqual([false, "INVALID_API_KEY", UNKNOWN]);
  });

  it("lets nobody in while nobody knows whether there are keys", async () => {
    const watched = watchStore(createTestStore(createStoreFolder()));
    await watched.store.open();
    watched.isAway = true;
    const stored = createStoredKeys({ store: watched.store });
    onTestFinished(() => stored.close());
    await stored.start().catch(() => undefined);
    const identity = createIdentity({ auth: NOBODY, stored, mayBeOpen: true });
    expect([identity.isOpen, await failureOf(() => identity.authenticate({}))]).toEqual([
      false,
      "UNAVAILABLE: nobody can be let in now, because the database with the keys is away",
    ]);
  });
});

describe("createIdentity() knows keys of the configuration", () => {
  it("of any form, at once, and without a database", async () => {
    const { identity, as, store } = await stage({
      keys: [
        configKey("s3cr3t", { scopes: [Scope.CHAT, Scope.ADMIN], models: ["a/*"], logContent: true }),
        configKey("other.secret.text", { id: "b", limits: create(KeyLimitsSchema, { concurrent: 2 }) }),
      ],
      defaultLimits: create(KeyLimitsSchema, { concurrent: 1 }),
    });
    expect(identity.isOpen).toBe(false);
    const caller = await as("s3cr3t");
    expect(caller).toEqual({
      id: "ci",
      scopes: new Set([Scope.CHAT, Scope.ADMIN]),
      models: ["a/*"],
      limits: create(KeyLimitsSchema, { concurrent: 1 }),
      logContent: true,
    });
    expect(identity.authenticate({ authorization: "Bearer s3cr3t" })).toBe(caller);
    expect(await as("other.secret.text")).toMatchObject({ id: "b", limits: { concurrent: 2 } });
    expect([await failureOf(() => as("S3cr3t")), await failureOf(() => as(createSecret()))]).toEqual([
      UNKNOWN,
      UNKNOWN,
    ]);
    expect(store.exists).toBe(false);
  });

  it("also while the database is away, but nobody else", async () => {
    const watched = watchStore(createTestStore(createStoreFolder()));
    const { secret } = await addKey(watched.store);
    const { as, stored } = await stage({ keys: [configKey("s3cr3t")] }, watched.store);
    watched.isAway = true;
    await stored.refresh();
    expect([(await as("s3cr3t")).id, await reasonOf(() => as(secret)), await failureOf(() => as("garbage"))]).toEqual([
      "ci",
      "UNAVAILABLE",
      UNKNOWN,
    ]);
  });
});

describe("createIdentity() knows keys of the store", () => {
  it("with all that is kept of them, and the same caller for each call", async () => {
    const store = createTestStore(createStoreFolder());
    const { row, secret } = await addKey(store, {
      scopes: "[1,5]",
      models: '["openai/*"]',
      limits: '{"requestsPerMinute":3,"tokensPerMinute":"5000000000"}',
      log_content: 1,
    });
    const plain = await addKey(store);
    const { identity, as } = await stage({ defaultLimits: create(KeyLimitsSchema, { concurrent: 1 }) }, store);
    const caller = await as(secret);
    expect(caller).toEqual({
      id: row.id,
      scopes: new Set([Scope.CHAT, Scope.ADMIN]),
      models: ["openai/*"],
      limits: create(KeyLimitsSchema, { requestsPerMinute: 3, tokensPerMinute: 5_000_000_000n }),
      logContent: true,
    });
    expect(identity.authenticate({ authorization: `bearer ${secret}` })).toBe(caller);
    expect(await as(plain.secret)).toMatchObject({ id: plain.row.id, limits: { concurrent: 1 }, logContent: false });
  });

  it("until they expire", async () => {
    const store = createTestStore(createStoreFolder());
    const { secret } = await addKey(store, { expires_at: 1_000 });
    let now = 999;
    const { as } = await stage({}, store, { now: () => now });
    expect(await failureOf(() => as(secret))).toBe("none");
    now = 1_000;
    expect(await failureOf(() => as(secret))).toBe("INVALID_API_KEY: the key has expired");
  });

  it("and asks the database for nothing that has not the form of one", async () => {
    const { store, countOf } = watchStore(createTestStore(createStoreFolder()));
    const { secret, row } = await addKey(store);
    const { identity, as } = await stage({}, store);
    const before = countOf("keys");
    const garbage = [
      `${secret}A`,
      secret.slice(0, -1),
      secret.replace("parley", "PARLEY"),
      `sk-${"a".repeat(48)}`,
      row.id,
      row.hash,
      "a.b.c",
      "'%20or%201=1--",
    ];
    for (const text of garbage) expect(await reasonOf(() => as(text))).toBe("INVALID_API_KEY");
    for (const authorization of ["", "Bearer", `Basic ${secret}`, `Bearer ${"x".repeat(20_000)}`, `${secret}`]) {
      expect(await reasonOf(() => identity.authenticate({ authorization }))).toBe("INVALID_API_KEY");
    }
    expect(countOf("keys") - before).toBe(0);
    expect((await as(secret)).id).toBe(row.id);
  });

  it("by one query for each guess, whether the key is unknown, revoked or expired", async () => {
    const { store, countOf } = watchStore(createTestStore(createStoreFolder()));
    const revoked = await addKey(store);
    await revoke(store, revoked.row.id);
    const expired = await addKey(store, { expires_at: 1 });
    const { as } = await stage({}, store);
    const costs: number[] = [];
    for (const secret of [createSecret(), revoked.secret, expired.secret]) {
      const before = countOf("keys");
      expect(await reasonOf(() => as(secret))).toBe("INVALID_API_KEY");
      costs.push(countOf("keys") - before);
    }
    expect(costs).toEqual([1, 1, 1]);
  });
});

describe("createIdentity() knows tokens", () => {
  it("beside keys", async () => {
    const issuer = await startIssuer();
    const { identity, as } = await stage({ jwt: issuer.settings, keys: [configKey("a.b.c")] });
    expect(identity.isOpen).toBe(false);
    expect(await as(await issuer.sign({ scope: "chat" }))).toMatchObject({
      id: "jwt:ada",
      scopes: new Set([Scope.CHAT]),
    });
    expect([(await as("a.b.c")).id, issuer.reads]).toEqual(["ci", 1]);
    const stranger = await issuer.sign({}, {}, await createSigningKey("one"));
    expect(await failureOf(() => as(stranger))).toBe("INVALID_API_KEY: the token has a wrong signature");
  });

  it("and takes none where there is no issuer", async () => {
    const issuer = await startIssuer();
    const { as } = await stage({ keys: [configKey("x")] });
    expect([await failureOf(async () => as(await issuer.sign())), issuer.reads]).toEqual([UNKNOWN, 0]);
  });

  it("not for the name of a key", async () => {
    const issuer = await startIssuer();
    const { as } = await stage({ jwt: issuer.settings, keys: [configKey("x")] });
    expect((await as(await issuer.sign({ sub: "ci" }))).id).toBe("jwt:ci");
  });
});

describe("recall()", () => {
  it("finds a key of the store as it is now", async () => {
    const store = createTestStore(createStoreFolder());
    const { row, secret } = await addKey(store, { expires_at: 5_000 });
    let now = 0;
    const { identity, as } = await stage({}, store, { now: () => now });
    const before = await as(secret);
    expect(await identity.recall(before)).toEqual(before);
    now = 5_000;
    expect(await identity.recall(before)).toBeUndefined();
    now = 0;
    await revoke(store, row.id);
    expect(await identity.recall(before)).toBeUndefined();
    expect(await identity.recall({ ...before, id: "key_gone" })).toBeUndefined();
  });

  it("finds a key of the configuration, where that still has it", async () => {
    const { identity, as } = await stage({ keys: [configKey("x", { scopes: [Scope.RUNS] })] });
    const before = await as("x");
    expect(await identity.recall({ ...before, scopes: new Set() })).toEqual(before);
    const { identity: next } = await stage({ keys: [configKey("x", { id: "other" })] });
    expect(await next.recall(before)).toBeUndefined();
  });

  it("gives back who is no key", async () => {
    const { identity } = await stage({ keys: [configKey("x")] });
    const token: Caller = { ...OPEN_CALLER, id: "jwt:ada" };
    expect([await identity.recall(token), await identity.recall(OPEN_CALLER)]).toEqual([token, OPEN_CALLER]);
  });

  it("fails while the database is away", async () => {
    const watched = watchStore(createTestStore(createStoreFolder()));
    const { secret } = await addKey(watched.store);
    const { identity, as } = await stage({}, watched.store);
    const before = await as(secret);
    watched.isAway = true;
    expect(await reasonOf(() => identity.recall(before))).toBe("UNAVAILABLE");
  });
});
