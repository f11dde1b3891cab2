import { createHash } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { createLateStore } from "../../src/store/late-store.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import { DOORS, type DoorClient, openDoor, type Params } from "../support/doors.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { sqlitePlace } from "../support/stores.ts";

const secretOf = (name: string): string => `sk-parley-${name.padEnd(43, "0")}`;
const keyOf = (name: string, scopes: readonly string[], more: object = {}): object => ({
  id: name,
  sha256: createHash("sha256").update(secretOf(name)).digest("hex"),
  scopes,
  ...more,
});

const saying = (text: string, model = "sandbox/echo"): Params => ({
  model,
  messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: text } }] }],
});

/** Texts that would be another header, another line or another statement where somebody glues texts together. */
const HOSTILE = `a'); drop table requests; -- "\${x}" \\r\\n x: y %0d%0a`;

describe("the log of requests", () => {
  let gateway: TestGateway;
  let doors: DoorClient[];
  beforeAll(async () => {
    gateway = await startTestGateway({
      requestLog: { enabled: true },
      auth: {
        keys: [
          keyOf("boss", ["admin"]),
          keyOf("ann", ["chat", "requests"]),
          keyOf("bob", ["chat", "runs", "requests"], { log_content: true }),
          keyOf("eve", ["chat"]),
        ],
      },
    });
    doors = DOORS.map((name) => openDoor(name, gateway.url));
  });
  afterAll(async () => {
    for (const door of doors) door.close();
    await gateway.stop();
  });

  const headersOf = (key: string, requestId?: string): Record<string, string> => ({
    authorization: `Bearer ${secretOf(key)}`,
    "user-agent": HOSTILE,
    ...(requestId === undefined ? {} : { "x-request-id": requestId }),
  });

  async function get(path: string, key: string): Promise<{ readonly status: number; readonly body: JsonObject }> {
    const response = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${secretOf(key)}` } });
    return { status: response.status, body: (await response.json()) as JsonObject };
  }

  /** The one record of a request, once its exchange is over. */
  async function recordOf(requestId: string, key: string): Promise<JsonObject> {
    let data: JsonObject[] = [];
    await until(async () => {
      const { body } = await get(`/v1/admin/requests?request_id=${encodeURIComponent(requestId)}`, key);
      data = body["data"] as JsonObject[];
      return data.length > 0;
    }, `a record of ${requestId}`);
    expect(data).toHaveLength(1);
    return data[0] as JsonObject;
  }

  it.each(DOORS)("has a row of each call on %s", async (name) => {
    const door = doors[DOORS.indexOf(name)] as DoorClient;
    await door.complete(saying("hi"), { headers: headersOf("ann", `${name}-whole`) });
    await collect(door.stream(saying("hi"), { headers: headersOf("ann", `${name}-stream`) }));
    await failureOf(door.complete(saying("hi", HOSTILE), { headers: headersOf("ann", `${name}-failed`) }));
    const common = {
      object: "request",
      door: name,
      key_id: "ann",
      user_agent: expect.stringContaining(HOSTILE),
      attempts: [],
      duration: expect.stringMatching(/^[\d.]+s$/),
    };
    const answered = {
      ...common,
      status: 200,
      model: "sandbox/echo",
      target: "sandbox/echo",
      prompt_tokens: expect.any(Number),
    };
    expect(await recordOf(`${name}-whole`, "ann")).toMatchObject({
      ...answered,
      operation: "CreateChatCompletion",
      stream: false,
    });
    expect(await recordOf(`${name}-stream`, "ann")).toMatchObject({
      ...answered,
      operation: "StreamChatCompletion",
      stream: true,
      time_to_first_chunk: expect.stringMatching(/^[\d.]+s$/),
    });
    expect(await recordOf(`${name}-failed`, "boss")).toMatchObject({
      ...common,
      status: 404,
      reason: "model_not_found",
      model: HOSTILE,
      target: "",
    });
  });

  it("shows each key its own rows, and nobody who may not look", async () => {
    const door = doors[0] as DoorClient;
    await door.complete(saying("hi"), { headers: headersOf("ann", "anns") });
    const { id } = await recordOf("anns", "ann");
    const found = async (key: string): Promise<number> => (await get(`/v1/admin/requests/${String(id)}`, key)).status;
    expect([await found("ann"), await found("boss"), await found("bob"), await found("eve")]).toEqual([
      200, 200, 404, 403,
    ]);
    expect((await get("/v1/admin/requests?key_id=ann", "bob")).body["data"]).toEqual([]);
    expect((await get("/v1/admin/usage?by=key", "eve")).status).toBe(403);
    const { body } = await get("/v1/admin/usage?by=key", "ann");
    expect(body["data"]).toEqual([expect.objectContaining({ key_id: "ann" })]);
  });

  it("has a row of who could not say who they are", async () => {
    const door = doors[0] as DoorClient;
    await failureOf(door.complete(saying("hi"), { headers: { authorization: "Bearer x", "x-request-id": "nobodys" } }));
    expect(await recordOf("nobodys", "boss")).toMatchObject({ status: 401, reason: "invalid_api_key", key_id: "" });
  });

  it.each(DOORS)("has what was said on %s where the key has it kept, and then alone", async (name) => {
    const door = doors[DOORS.indexOf(name)] as DoorClient;
    const contents: unknown[] = [];
    for (const key of ["bob", "ann"]) {
      for (const kind of ["whole", "stream"]) {
        const requestId = `${name}-${kind}-of-${key}`;
        const settings = { headers: headersOf(key, requestId) };
        if (kind === "whole") await door.complete(saying("swordfish"), settings);
        else await collect(door.stream(saying("swordfish"), settings));
        const listed = await recordOf(requestId, key);
        const { body } = await get(`/v1/admin/requests/${String(listed["id"])}`, key);
        contents.push([listed["params"], body["params"], body["completion"]]);
      }
    }
    const kept = [
      undefined,
      expect.objectContaining({ messages: [{ role: "user", content: "swordfish" }] }),
      expect.objectContaining({
        choices: [expect.objectContaining({ message: expect.objectContaining({ content: "swordfish" }) })],
      }),
    ];
    const nothing = [undefined, undefined, undefined];
    expect(contents).toEqual([kept, kept, nothing, nothing]);
    expect(JSON.stringify(gateway.lines)).not.toContain("swordfish");
    expect(JSON.stringify(gateway.lines)).not.toContain(secretOf("bob"));
  });

  it("has a row of a run that a worker worked on", async () => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { ...headersOf("bob", "queued"), "content-type": "application/json" },
      body: JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: "hi" }], async: true }),
    });
    const { uid } = (await response.json()) as { uid?: string };
    expect([response.status, uid]).toEqual([202, expect.stringMatching(/^run_/)]);
    let rows: JsonObject[] = [];
    await until(async () => {
      rows = (await get("/v1/admin/requests?door=run", "bob")).body["data"] as JsonObject[];
      return rows.length > 0;
    }, "a row of the run");
    const expected = { door: "run", run_uid: uid, key_id: "bob", status: 200, target: "sandbox/echo" };
    expect(rows).toEqual([expect.objectContaining(expected)]);
    const { body } = await get(`/v1/admin/requests/${String(rows[0]?.["id"])}`, "bob");
    expect(body).toMatchObject({
      params: { messages: [{ role: "user", content: "hi" }] },
      completion: { choices: [{ message: { content: "hi" }, finish_reason: "stop" }] },
    });
  });
});

describe("the log of requests of a gateway that stops", () => {
  it("has every call, also those that were under way", async () => {
    const place = await sqlitePlace();
    const gateway = await startTestGateway({
      requestLog: { enabled: true },
      store: place.settings,
      sandbox: { tokenDelayMs: 5 },
      timeouts: { drainMs: 50 },
    });
    const clients = DOORS.map((name) => openDoor(name, gateway.url));
    const calls = clients.flatMap((door) =>
      Array.from({ length: 10 }, async (_, at) => {
        // Some end before the gateway does, and some are ended by it.
        const text = "word ".repeat(at % 2 === 0 ? 1 : 5_000);
        await collect(door.stream(saying(text))).catch(() => undefined);
      }),
    );
    await until(() => gateway.openCalls >= 20, "calls are under way");
    await gateway.stop();
    await Promise.all(calls);
    for (const client of clients) client.close();
    const store = createLateStore(place.settings);
    const { db } = await store.open();
    const rows = await db.selectFrom("requests").select(["request_id", "reason"]).execute();
    await store.close();
    await place.remove();
    // A call that came too late found nobody who listens.
    const logged = gateway.lines.filter(({ msg }) => msg === "call").map(({ requestId }) => requestId);
    expect(rows.map(({ request_id }) => request_id).sort()).toEqual(logged.sort());
    expect(rows.length).toBeGreaterThanOrEqual(20);
    expect(rows.filter(({ reason }) => reason === Reason.SHUTTING_DOWN).length).toBeGreaterThan(0);
  });
});
