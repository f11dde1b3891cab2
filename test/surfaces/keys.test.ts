/** Keys: made, listed, changed and revoked on every door, and what was changed holds at once. */
import { createHash } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Key_Source } from "../../src/gen/parley/keys/v1/keys_service_pb.ts";
import { Budget_Period } from "../../src/gen/parley/keys/v1/limits_pb.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import { failureOf } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { openTyped, TYPED_DOORS } from "../support/typed-doors.ts";

const ADMIN = "secret-of-admin";
const admin = { headers: { authorization: `Bearer ${ADMIN}` } };
const AUTH = {
  keys: [{ id: "admin", sha256: createHash("sha256").update(ADMIN).digest("hex"), scopes: ["admin"] }],
};

/** What an attacker would write into every field. */
const HOSTILE = `'; drop table keys; -- "\\ %_* <b>\u202e é 👋🏽 \r\nset-cookie: a=b`;

describe("keys", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ auth: AUTH });
  });
  afterAll(() => gateway.stop());

  const statusOf = async (secret: string, path = "/v1/models"): Promise<number> =>
    (await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${secret}` } })).status;

  describe.each(TYPED_DOORS)("on %s", (name) => {
    it("are made, used, changed and revoked", async () => {
      const { keys, close } = openTyped(name, gateway.url);
      const limits = { requestsPerMinute: 5, tokensPerMinute: 1000n, budget: { dollars: 2.5, per: Budget_Period.DAY } };
      const { key, secret } = await keys.createKey({ name: HOSTILE, models: ["sandbox/*"], limits }, admin);
      expect(secret).toMatch(/^sk-parley-[\w-]{43}$/);
      expect(key).toMatchObject({
        id: expect.stringMatching(/^key_/),
        name: HOSTILE,
        scopes: [Scope.CHAT, Scope.MODELS],
        models: ["sandbox/*"],
        limits,
        source: Key_Source.DATABASE,
      });
      expect(secret.startsWith(key?.hint ?? "?")).toBe(true);
      expect(await statusOf(secret)).toBe(200);
      const id = key?.id ?? "";
      const { key: changed } = await keys.updateKey({ id, scopes: [Scope.CHAT], name: "" }, admin);
      expect(changed).toMatchObject({ id, name: "", scopes: [Scope.CHAT], models: ["sandbox/*"], limits });
      expect(await statusOf(secret)).toBe(403);
      const { key: revoked } = await keys.revokeKey({ id }, admin);
      expect(revoked?.revokedAt).toBeDefined();
      expect(await statusOf(secret)).toBe(401);
      const { key: again } = await keys.revokeKey({ id }, admin);
      expect(again).toEqual(revoked);
      expect((await keys.getKey({ id }, admin)).key).toEqual(revoked);
      const ids = (await keys.listKeys({ pageSize: 1000 }, admin)).keys.map((it) => it.id);
      expect(ids).toContain(id);
      expect(ids).toContain("admin");
      close();
    });

    it("end when they expire", async () => {
      const { keys, close } = openTyped(name, gateway.url);
      const expiresAt = timestampFromMs(Date.now() + 86_400_000);
      const { key, secret } = await keys.createKey({ expiresAt }, admin);
      expect(await statusOf(secret)).toBe(200);
      await keys.updateKey({ id: key?.id ?? "", expiresAt: timestampFromMs(Date.now() + 1_500) }, admin);
      await expect.poll(() => statusOf(secret), { timeout: 30_000 }).toBe(401);
      close();
    });

    it.each<[what: string, code: Code, attempt: (clients: ReturnType<typeof openTyped>) => Promise<unknown>]>([
      ["without the scope", Code.Unauthenticated, ({ keys }) => keys.listKeys({})],
      ["one that is not there", Code.NotFound, ({ keys }) => keys.getKey({ id: HOSTILE }, admin)],
      ["one of the configuration", Code.FailedPrecondition, ({ keys }) => keys.revokeKey({ id: "admin" }, admin)],
      ["a name that is too long", Code.InvalidArgument, ({ keys }) => keys.createKey({ name: "x".repeat(201) }, admin)],
      [
        "an end that has passed",
        Code.InvalidArgument,
        ({ keys }) => keys.createKey({ expiresAt: timestampFromMs(1_000) }, admin),
      ],
      ["a page that there is not", Code.InvalidArgument, ({ keys }) => keys.listKeys({ pageToken: HOSTILE }, admin)],
      [
        "a limit of nothing",
        Code.InvalidArgument,
        ({ keys }) => keys.createKey({ limits: { requestsPerMinute: 0 } }, admin),
      ],
    ])("are refused: %s", async (_, code, attempt) => {
      const clients = openTyped(name, gateway.url);
      expect(ConnectError.from(await failureOf(attempt(clients))).code).toBe(code);
      clients.close();
    });
  });

  it("are made and changed over REST, in JSON", async () => {
    const ask = async (method: string, path: string, body?: object): Promise<[number, Record<string, unknown>]> => {
      const answer = await fetch(`${gateway.url}${path}`, {
        method,
        headers: { ...admin.headers, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return [answer.status, (await answer.json()) as Record<string, unknown>];
    };
    const [status, made] = await ask("POST", "/v1/admin/keys", {
      name: HOSTILE,
      scopes: ["chat", "runs"],
      limits: { concurrent: 2, budget: { dollars: 1, per: "month" } },
    });
    const key = made["key"] as Record<string, unknown>;
    expect([status, key]).toMatchObject([
      200,
      {
        object: "key",
        name: HOSTILE,
        scopes: ["chat", "runs"],
        limits: { concurrent: 2, budget: { dollars: 1, per: "month" } },
      },
    ]);
    expect(await statusOf(made["secret"] as string, "/v1/chat_completion_runs")).toBe(200);
    const path = `/v1/admin/keys/${key["id"]}`;
    expect(await ask("PATCH", path, { name: "renamed" })).toMatchObject([
      200,
      { name: "renamed", scopes: ["chat", "runs"] },
    ]);
    expect(await ask("GET", path)).toMatchObject([200, { name: "renamed" }]);
    expect(await ask("GET", "/v1/admin/keys?page_size=1")).toMatchObject([200, { object: "list", data: [{}] }]);
    expect(await ask("DELETE", path)).toMatchObject([200, { revoked_at: expect.any(String) }]);
    expect(await statusOf(made["secret"] as string, "/v1/chat_completion_runs")).toBe(401);
  });
});

describe("the first key", () => {
  it("closes a gateway that was open, and its revoke does not open that again", async () => {
    const gateway = await startTestGateway();
    const { keys, close } = openTyped("connect", gateway.url);
    const models = async (): Promise<number> => (await fetch(`${gateway.url}/v1/models`)).status;
    expect(await models()).toBe(200);
    const { key, secret } = await keys.createKey({ scopes: [Scope.ADMIN] });
    expect(await models()).toBe(401);
    await keys.revokeKey({ id: key?.id ?? "" }, { headers: { authorization: `Bearer ${secret}` } });
    expect(await models()).toBe(401);
    close();
    await gateway.stop();
  });
});
