import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it, onTestFinished } from "vitest";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
import { createIdentity } from "../../src/admission/identity.ts";
import { hashSecret } from "../../src/admission/secret.ts";
import { createStoredKeys } from "../../src/admission/stored-keys.ts";
import type { AuthSettings, ConfigKeySettings, StoreSettings } from "../../src/config/settings.ts";
import { createLiveCalls } from "../../src/gateway/call-scope.ts";
import { createKeyOperations } from "../../src/gateway/key-operations.ts";
import type { CallContext } from "../../src/gateway/operation.ts";
import {
  CreateKeyRequestSchema,
  GetKeyRequestSchema,
  type Key,
  Key_Source,
  KeySchema,
  ListKeysRequestSchema,
  RevokeKeyRequestSchema,
  UpdateKeyRequestSchema,
} from "../../src/gen/parley/keys/v1/keys_service_pb.ts";
import { Budget_Period, KeyLimitsSchema } from "../../src/gen/parley/keys/v1/limits_pb.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import { encodePageToken } from "../../src/lib/page-token.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { addKey } from "../admission/support/add-key.ts";
import { failureOf } from "../admission/support/reason.ts";
import { createStoreFolder, createTestStore } from "../admission/support/test-store.ts";
import { createDatabase, serverUrl } from "../support/use-servers.ts";

const call = (): CallContext => ({
  caller: OPEN_CALLER,
  log: new CallLog("req_1", "rest"),
  signal: new AbortController().signal,
  timeoutMs: undefined,
});

const configKey = (id: string): ConfigKeySettings => ({
  id,
  sha256: hashSecret(id),
  scopes: [Scope.CHAT],
  models: ["a/*"],
  limits: create(KeyLimitsSchema, { concurrent: 1 }),
  logContent: true,
});

/** The operations, over a store that may not exist yet. */
function stage(settings: StoreSettings, ...configured: readonly ConfigKeySettings[]) {
  const store = createTestStore(settings);
  const stored = createStoredKeys({ store });
  onTestFinished(() => stored.close());
  const auth: AuthSettings = { keys: configured, jwt: undefined, defaultLimits: undefined };
  const calls = createLiveCalls();
  const operations = createKeyOperations({
    store,
    auth,
    changed: stored.refresh,
    open: (context) => calls.open(context, 60_000),
  });
  const identity = createIdentity({ auth, stored, mayBeOpen: true });
  return {
    store,
    as: async (secret: string) => identity.authenticate({ authorization: `Bearer ${secret}` }),
    create: async (request: MessageInitShape<typeof CreateKeyRequestSchema>) => {
      const { key, secret } = await operations.createKey(create(CreateKeyRequestSchema, request), call());
      return { key: key as Key, secret };
    },
    get: async (id: string) => (await operations.getKey(create(GetKeyRequestSchema, { id }), call())).key,
    list: (request: MessageInitShape<typeof ListKeysRequestSchema> = {}) =>
      operations.listKeys(create(ListKeysRequestSchema, request), call()),
    update: async (request: MessageInitShape<typeof UpdateKeyRequestSchema>) =>
      (await operations.updateKey(create(UpdateKeyRequestSchema, request), call())).key,
    revoke: async (id: string) => (await operations.revokeKey(create(RevokeKeyRequestSchema, { id }), call())).key,
  };
}

const postgres = await serverUrl("postgres");

async function createPostgres(): Promise<StoreSettings> {
  const database = await createDatabase(postgres ?? "");
  onTestFinished(() => database.drop());
  return { dataDir: "", databaseUrl: database.url };
}

const ENGINES = [
  { engine: "SQLite", isMissing: false, settings: async () => createStoreFolder() },
  { engine: "PostgreSQL", isMissing: postgres === undefined, settings: createPostgres },
];

const HOSTILE = [
  "'; drop table keys; --",
  '" or ""="',
  "') union select hash from keys --",
  "$1 :a ? @b",
  "%_\\%",
  "\\'; \\x00 \\0",
  "Robert');--\n\r\t\u0001\u007f\u0085\u2028",
  "ñ 漢字 🙂👩‍👩‍👧 \u202e \ufeff",
  "{{7*7}} <script>",
  "",
];

describe.each(ENGINES.filter(({ isMissing }) => !isMissing))("the operations of keys on $engine", ({ settings }) => {
  it("make a key whose secret is good at once", async () => {
    const keys = stage(await settings());
    const { key, secret } = await keys.create({
      name: "ci",
      scopes: [Scope.CHAT, Scope.ADMIN],
      models: ["openai/*", "a"],
      limits: {
        requestsPerMinute: 1,
        tokensPerMinute: 1_000_000_000_000n,
        concurrent: 3,
        concurrentStreams: 4,
        budget: { dollars: 0.5, per: Budget_Period.DAY },
      },
      logContent: true,
      expiresAt: timestampFromMs(4_000_000_000_123),
    });
    expect(key).toEqual({
      ...create(KeySchema, {
        name: "ci",
        hint: secret.slice(0, 14),
        scopes: [Scope.CHAT, Scope.ADMIN],
        models: ["openai/*", "a"],
        limits: {
          requestsPerMinute: 1,
          tokensPerMinute: 1_000_000_000_000n,
          concurrent: 3,
          concurrentStreams: 4,
          budget: { dollars: 0.5, per: Budget_Period.DAY },
        },
        logContent: true,
        source: Key_Source.DATABASE,
        expiresAt: timestampFromMs(4_000_000_000_123),
      }),
      id: expect.stringMatching(/^key_[A-Za-z0-9]{24}$/),
      createdAt: expect.anything(),
    });
    expect(Math.abs(timestampMs(key.createdAt!) - Date.now())).toBeLessThan(60_000);
    expect(await keys.get(key.id)).toEqual(key);
    expect((await keys.list()).keys).toEqual([key]);
    expect((await keys.as(secret)).id).toBe(key.id);
  });

  it("make one of nothing, for chat and models", async () => {
    const { key } = await stage(await settings()).create({});
    expect(key).toMatchObject({ name: "", scopes: [Scope.CHAT, Scope.MODELS], models: [], logContent: false });
    expect([key.limits, key.expiresAt, key.revokedAt]).toEqual([undefined, undefined, undefined]);
  });

  it("change what is said, and nothing else, at once", async () => {
    const keys = stage(await settings());
    const { key, secret } = await keys.create({
      name: "a",
      models: ["x"],
      limits: { concurrent: 1, concurrentStreams: 2 },
    });
    const { id } = key;
    expect(await keys.update({ id })).toEqual(key);
    expect(await keys.update({ id, name: "" })).toEqual({ ...key, name: "" });
    expect(await keys.update({ id, name: "b", scopes: [Scope.RUNS], models: ["*"], logContent: true })).toEqual({
      ...key,
      name: "b",
      scopes: [Scope.RUNS],
      models: ["*"],
      logContent: true,
    });
    const expiresAt = timestampFromMs(4_000_000_000_000);
    expect(await keys.update({ id, limits: { requestsPerMinute: 5 }, logContent: false, expiresAt })).toMatchObject({
      name: "b",
      limits: create(KeyLimitsSchema, { requestsPerMinute: 5 }),
      logContent: false,
      expiresAt,
    });
    expect(await keys.as(secret)).toMatchObject({
      id,
      scopes: new Set([Scope.RUNS]),
      limits: { requestsPerMinute: 5 },
    });
  });

  it("revoke a key at once, for ever, and as often as one likes", async () => {
    const keys = stage(await settings());
    const { key, secret } = await keys.create({});
    await keys.as(secret);
    const revoked = await keys.revoke(key.id);
    expect(revoked).toEqual({ ...key, revokedAt: expect.anything() });
    expect(await failureOf(() => keys.as(secret))).toBe("INVALID_API_KEY: the key was revoked");
    expect(await keys.revoke(key.id)).toEqual(revoked);
    expect((await keys.list()).keys).toEqual([revoked]);
    expect(await failureOf(() => keys.update({ id: key.id, name: "x" }))).toBe(
      "FAILED_PRECONDITION: the key was revoked, which is for ever",
    );
  });

  it("list all keys in pages: those of the configuration, and then the newest", async () => {
    const keys = stage(await settings(), configKey("one"), configKey("two"), configKey("three"));
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.unshift((await keys.create({ name: String(count) })).key.id);
    const byTime = (await keys.list()).keys.slice(3);
    const inOrder = byTime.toSorted(
      (a, b) => timestampMs(b.createdAt!) - timestampMs(a.createdAt!) || (b.id < a.id ? -1 : 1),
    );
    expect(byTime.map(({ id }) => id)).toEqual(inOrder.map(({ id }) => id));
    const all = ["one", "two", "three", ...byTime.map(({ id }) => id)];
    expect(new Set(all)).toEqual(new Set(["one", "two", "three", ...made]));
    for (const pageSize of [1, 2, 3, 4, 7, 8, 9]) {
      const listed: string[] = [];
      const sizes: number[] = [];
      let pageToken = "";
      do {
        const page = await keys.list({ pageSize, pageToken });
        listed.push(...page.keys.map(({ id }) => id));
        sizes.push(page.keys.length);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(listed).toEqual(all);
      expect(sizes.slice(0, -1).every((size) => size === pageSize)).toBe(true);
      expect(sizes.length).toBe(Math.ceil(8 / pageSize));
    }
  });

  it("give back every text as it is, wherever it stands", async () => {
    const keys = stage(await settings());
    const missing = "NOT_FOUND: there is no key with this id";
    for (const text of HOSTILE) {
      const { key } = await keys.create({ name: text, models: ["a"] });
      expect(key.name).toBe(text);
      const pattern = `x${text.replaceAll(/\p{Cc}/gu, "")}`;
      const changed = { ...key, name: `${text}2`, models: [pattern] };
      expect(await keys.update({ id: key.id, name: `${text}2`, models: [pattern] })).toEqual(changed);
      const id = `key_${text}`;
      const asks = [() => keys.get(id), () => keys.revoke(id), () => keys.update({ id, name: "x" })];
      expect(await Promise.all(asks.map(failureOf))).toEqual([missing, missing, missing]);
      expect((await keys.list({ pageToken: encodePageToken([0, 0, text || "x"]) })).keys).toEqual([]);
      expect(await keys.get(key.id)).toEqual(changed);
    }
    expect((await keys.list()).keys.length).toBe(HOSTILE.length);
  });
});

describe("the operations of keys", () => {
  it("show those of the configuration, without a secret, and can't change them", async () => {
    const keys = stage(createStoreFolder(), configKey("ci"));
    const shown = create(KeySchema, {
      id: "ci",
      scopes: [Scope.CHAT],
      models: ["a/*"],
      limits: { concurrent: 1 },
      logContent: true,
      source: Key_Source.CONFIG,
    });
    expect([await keys.get("ci"), (await keys.list()).keys]).toEqual([shown, [shown]]);
    const fixed = "FAILED_PRECONDITION: the key stands in the configuration, and can be changed only there";
    expect([
      await failureOf(() => keys.update({ id: "ci", name: "x" })),
      await failureOf(() => keys.revoke("ci")),
      keys.store.exists,
    ]).toEqual([fixed, fixed, false]);
  });

  it("make no database before there is a key", async () => {
    const keys = stage(createStoreFolder());
    const missing = "NOT_FOUND: there is no key with this id";
    expect([
      (await keys.list()).keys,
      await failureOf(() => keys.get("key_a")),
      await failureOf(() => keys.update({ id: "key_a" })),
      await failureOf(() => keys.revoke("key_a")),
      keys.store.exists,
    ]).toEqual([[], missing, missing, missing, false]);
  });

  it.each<[request: MessageInitShape<typeof CreateKeyRequestSchema>, failure: string]>([
    [{ name: "a\0" }, "INVALID_VALUE: name must be text without U+0000 and without halves of characters"],
    [{ name: "\ud800" }, "INVALID_VALUE: name must be text without U+0000 and without halves of characters"],
    [{ name: "🙂".repeat(201) }, "INVALID_VALUE: name must be at most 200 characters"],
    [
      { models: ["a", "b\n"] },
      "INVALID_VALUE: models[1] must not have control characters, which no model has in its name",
    ],
    [{ models: [""] }, "INVALID_VALUE: models[0] must be at least 1 characters"],
    [{ scopes: [Scope.CHAT, Scope.CHAT] }, "INVALID_VALUE: scopes: repeated value must contain unique items"],
    [{ scopes: [99 as Scope] }, "INVALID_VALUE: scopes[0] is 99 but must be one of the defined enum values"],
    [
      { limits: { concurrent: 0 } },
      "INVALID_VALUE: limits.concurrent is 0 but must be greater than or equal to 1 and less than or equal to 1000000",
    ],
    [
      { limits: { budget: { dollars: Number.NaN } } },
      "INVALID_VALUE: limits.budget.dollars is NaN but must be greater than 0 and less than or equal to 1000000000",
    ],
    [
      { expiresAt: timestampFromMs(Date.now() - 1) },
      "INVALID_VALUE: expires_at must be in the future, and before the year 10000",
    ],
    [
      { expiresAt: { seconds: 9_000_000_000_000_000_000n } },
      "INVALID_VALUE: expires_at must be in the future, and before the year 10000",
    ],
  ])("refuse %o, and make no database for it", async (request, failure) => {
    const keys = stage(createStoreFolder());
    expect([await failureOf(() => keys.create(request)), keys.store.exists]).toEqual([failure, false]);
  });

  it("take a name of 200 characters, however many bytes they have", async () => {
    const name = "👩".repeat(200);
    expect((await stage(createStoreFolder()).create({ name })).key.name).toBe(name);
  });

  it.each([
    "x",
    encodePageToken([-1, 0, ""]),
    encodePageToken([0, 0.5, "a"]),
    encodePageToken(["a"]),
    encodePageToken([1e300, 0, ""]),
  ])("refuse the page token %j", async (pageToken) => {
    const keys = stage(createStoreFolder());
    await addKey(keys.store);
    expect(await failureOf(() => keys.list({ pageToken }))).toBe(
      "INVALID_VALUE: page_token is not one that this list has given",
    );
  });

  it.each([0, -1, 1001])("refuse a page of %i", async (pageSize) => {
    expect(await failureOf(() => stage(createStoreFolder()).list({ pageSize }))).toMatch(
      /^INVALID_VALUE: page_size is -?\d+ but must be greater than or equal to 1 and less than or equal to 1000$/,
    );
  });

  it("need an id", async () => {
    expect(await failureOf(() => stage(createStoreFolder()).get(""))).toBe("MISSING_PARAMETER: id is required");
  });
});
