/** Runs: queued on any door, read and watched on any other, resumed where a reader was, and nobody else's business. */
import { createHash } from "node:crypto";
import { create, equals, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { ChatCompletionSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import {
  type Run,
  Run_Status,
  RunSchema,
  type WatchRunResponse,
} from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import { failureOf } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { openTyped, TYPED_DOORS, type TypedClients } from "../support/typed-doors.ts";

const IDS = ["ada", "bob"] as const;
const secretOf = (id: (typeof IDS)[number]): string => `secret-of-${id}`;
const bearer = (id: (typeof IDS)[number]) => ({ authorization: `Bearer ${secretOf(id)}` });

const paramsOf = (text: string, model = "sandbox/echo") => ({
  model,
  messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: text } }] }],
});
const bodyOf = (text: string, model = "sandbox/echo") => ({ model, messages: [{ role: "user", content: text }] });

interface SseEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

function parseEvents(text: string): SseEvent[] {
  expect(text.endsWith("\n\n")).toBe(true);
  return text
    .slice(0, -2)
    .split("\n\n")
    .filter((block) => !block.startsWith(":"))
    .map((block) => {
      const fields = new Map(block.split("\n").map((line) => line.split(/: (.*)/s, 2) as [string, string]));
      return { id: fields.get("id"), event: fields.get("event"), data: fields.get("data") ?? "" };
    });
}

describe("runs", () => {
  let gateway: TestGateway;
  const clients = new Map<(typeof TYPED_DOORS)[number], TypedClients>();
  beforeAll(async () => {
    gateway = await startTestGateway({
      auth: {
        keys: IDS.map((id) => ({
          id,
          sha256: createHash("sha256").update(secretOf(id)).digest("hex"),
          scopes: ["chat", "runs"],
          models: ["sandbox/*"],
        })),
      },
    });
    for (const name of TYPED_DOORS) clients.set(name, openTyped(name, gateway.url));
  });
  afterAll(async () => {
    for (const { close } of clients.values()) close();
    await gateway.stop();
  });

  const typed = (name: (typeof TYPED_DOORS)[number]): TypedClients => clients.get(name) as TypedClients;
  const ask = (
    path: string,
    { headers, body, ...init }: { method?: string; headers?: Record<string, string>; body?: object } = {},
  ): Promise<Response> =>
    fetch(`${gateway.url}${path}`, {
      ...init,
      headers: { ...bearer("ada"), ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
  const queue = async (text: string, model?: string, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await ask("/v1/chat_completion_runs", { body: bodyOf(text, model), headers });
    expect(answer.status).toBe(202);
    return ((await answer.json()) as { uid: string }).uid;
  };
  const ended = async (uid: string): Promise<Record<string, unknown>> =>
    (await (await ask(`/v1/chat_completion_runs/${uid}/wait?timeout=50s`)).json()) as Record<string, unknown>;
  const watchOn = async (name: (typeof TYPED_DOORS)[number], uid: string, after = 0n): Promise<WatchRunResponse[]> => {
    const messages: WatchRunResponse[] = [];
    const request = { uid, afterSequence: after };
    for await (const message of typed(name).runs.watchRun(request, { headers: bearer("ada") })) messages.push(message);
    return messages;
  };

  it.each([
    "/v1/chat/completions",
    "/chat/completions",
    "/api/v1/chat/completions",
    "/v3/ai/chat/completions",
    "/v3/ai/chat_completions",
  ])("are queued by async: true at %s", async (path) => {
    const answer = await ask(path, { body: { ...bodyOf("Hello"), async: true, stream: true } });
    const run = (await answer.json()) as Record<string, unknown>;
    expect([answer.status, run]).toMatchObject([
      202,
      {
        object: "chat.completion.run",
        uid: expect.stringMatching(/^run_/),
        status: "queued",
        model: "sandbox/echo",
        response: null,
        error: null,
        started_at: null,
        finished_at: null,
        expires_at: null,
      },
    ]);
    expect(await ended(run["uid"] as string)).toMatchObject({ status: "completed" });
  });

  describe.each(TYPED_DOORS)("on %s", (name) => {
    it("are queued, waited for and read, with the answer that the call itself has", async () => {
      const { runs, chat } = typed(name);
      const options = { headers: bearer("ada") };
      const params = { ...paramsOf("Tell me about streaming", "sandbox/eliza"), seed: 7n };
      const { run } = await runs.createRun({ params }, options);
      expect(run?.status).toBe(Run_Status.QUEUED);
      const { run: done } = await runs.waitRun({ uid: run?.uid ?? "" }, options);
      const { completion } = await chat.createChatCompletion({ params }, options);
      const plain = (response: Run["response"] | typeof completion) =>
        toJson(
          ChatCompletionSchema,
          create(ChatCompletionSchema, { ...response, id: "", created: 0n } as NonNullable<Run["response"]>),
        );
      expect(done?.status).toBe(Run_Status.COMPLETED);
      expect(plain(done?.response)).toEqual(plain(completion));
      expect(done?.report?.provider).toBe("sandbox");
      const { run: again } = await runs.getRun({ uid: run?.uid ?? "" }, options);
      expect(equals(RunSchema, again as Run, done as Run)).toBe(true);
    });

    it("are watched from the beginning and from every event on, always the same", async () => {
      const uid = await queue("one two three four five");
      await ended(uid);
      const all = await watchOn(name, uid);
      expect(all.map(({ sequence }) => Number(sequence))).toEqual(all.map((_, at) => at + 1));
      expect(all.at(-1)?.event).toMatchObject({ case: "run", value: { status: Run_Status.COMPLETED } });
      for (const [at] of all.entries()) expect(await watchOn(name, uid, BigInt(at))).toEqual(all.slice(at));
      expect(await watchOn(name, uid, BigInt(all.length))).toEqual([]);
    });

    it("are watched while they run", async () => {
      const { runs } = typed(name);
      const params = { ...paramsOf("a b c d e f g h i j"), extra: { sandbox: { token_delay_ms: 20 } } };
      const { run } = await runs.createRun({ params }, { headers: bearer("ada") });
      const seen: string[] = [];
      for await (const { event } of runs.watchRun({ uid: run?.uid ?? "" }, { headers: bearer("ada") })) {
        seen.push(event.case ?? "");
      }
      expect(seen.length).toBeGreaterThan(5);
      expect(seen.slice(0, -1).every((kind) => kind === "chunk")).toBe(true);
      expect(seen.at(-1)).toBe("run");
    });

    it("are cancelled while they run, and their calls with them", async () => {
      const { runs } = typed(name);
      const options = { headers: bearer("ada") };
      const { run } = await runs.createRun({ params: paramsOf("a", "sandbox/fault-stall") }, options);
      const uid = run?.uid ?? "";
      await expect.poll(async () => (await runs.getRun({ uid }, options)).run?.status).toBe(Run_Status.RUNNING);
      await runs.cancelRun({ uid }, options);
      const { run: done } = await runs.waitRun({ uid }, options);
      expect([done?.status, done?.response, done?.error]).toEqual([Run_Status.CANCELLED, undefined, undefined]);
      await expect.poll(() => gateway.openCalls).toBe(0);
    });

    it("fail with the error that the call itself has", async () => {
      const { runs } = typed(name);
      const options = { headers: bearer("ada") };
      const { run } = await runs.createRun({ params: paramsOf("a", "sandbox/fault-401") }, options);
      const { run: done } = await runs.waitRun({ uid: run?.uid ?? "" }, options);
      expect(done?.status).toBe(Run_Status.FAILED);
      expect(done?.error).toMatchObject({ type: "server_error", code: "upstream_authentication_failed" });
    });

    it("are not there for another key", async () => {
      const uid = await queue("mine");
      await ended(uid);
      const { runs } = typed(name);
      const options = { headers: bearer("bob") };
      const tries = [
        () => runs.getRun({ uid }, options),
        () => runs.waitRun({ uid }, options),
        () => runs.cancelRun({ uid }, options),
        () => runs.deleteRun({ uid }, options),
        async () => {
          for await (const _ of runs.watchRun({ uid }, options)) throw new Error("an event of another's run");
        },
      ];
      for (const attempt of tries) {
        const thrown = ConnectError.from(await failureOf(attempt()));
        const [info] = thrown.findDetails(ErrorInfoSchema);
        expect([thrown.code, info?.reason]).toEqual([Code.NotFound, "NOT_FOUND"]);
      }
      expect((await runs.listRuns({}, options)).runs.map((run) => run.uid)).not.toContain(uid);
      expect((await runs.listRuns({}, { headers: bearer("ada") })).runs.map((run) => run.uid)).toContain(uid);
    });
  });

  it("stream as events with ids, and go on behind the one that was seen last", async () => {
    const uid = await queue("one two three");
    await ended(uid);
    const answer = await ask(`/v3/ai/chat_completion_runs/${uid}/events`);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    const events = parseEvents(await answer.text());
    const numbered = events.slice(0, -1);
    expect(numbered.map(({ id }) => id)).toEqual(numbered.map((_, at) => String(at + 1)));
    expect(numbered.map(({ event }) => event)).toEqual([...numbered.slice(1).map(() => undefined), "run"]);
    expect(JSON.parse(numbered.at(-1)?.data ?? "")).toMatchObject({
      object: "chat.completion.run",
      status: "completed",
    });
    expect(JSON.parse(numbered[0]?.data ?? "")).toMatchObject({ object: "chat.completion.chunk" });
    expect(events.at(-1)).toEqual({ id: undefined, event: undefined, data: "[DONE]" });
    for (const seen of [1, 2, numbered.length - 1]) {
      const headers = { "last-event-id": String(seen) };
      const rest = parseEvents(await (await ask(`/v1/chat_completion_runs/${uid}/events`, { headers })).text());
      expect(rest).toEqual(events.slice(seen));
      const byQuery = await ask(`/v1/chat_completion_runs/${uid}/events?after_sequence=${seen}`);
      expect(parseEvents(await byQuery.text())).toEqual(rest);
    }
    const nothing = await ask(`/v1/chat_completion_runs/${uid}/events`, {
      headers: { "last-event-id": String(numbered.length) },
    });
    expect([nothing.status, await nothing.text()]).toEqual([204, ""]);
  });

  it("have no [DONE] behind an error or a cancel", async () => {
    const failed = await queue("a", "sandbox/fault-cut");
    await ended(failed);
    const events = parseEvents(await (await ask(`/v1/chat_completion_runs/${failed}/events`)).text());
    expect(events.at(-1)?.event).toBe("run");
    expect(JSON.parse(events.at(-1)?.data ?? "")).toMatchObject({
      status: "failed",
      error: { code: "upstream_stream_interrupted" },
    });
    const cancelled = await queue("a", "sandbox/fault-stall");
    expect((await ask(`/v1/chat_completion_runs/${cancelled}/cancel`, { body: {} })).status).toBe(200);
    await ended(cancelled);
    const last = parseEvents(await (await ask(`/v1/chat_completion_runs/${cancelled}/events`)).text()).at(-1);
    expect(JSON.parse(last?.data ?? "")).toMatchObject({ status: "cancelled" });
  });

  it.each([
    ["a number", "one", 400],
    ["not negative", "-1", 400],
    ["not beyond what there is", "99999", 400],
  ])("want a last event's id that is %s", async (_, id, status) => {
    const uid = await queue("a", "sandbox/fault-stall");
    const answer = await ask(`/v1/chat_completion_runs/${uid}/events`, { headers: { "last-event-id": id } });
    expect(answer.status).toBe(status);
    await ask(`/v1/chat_completion_runs/${uid}/cancel`, { body: {} });
    await ended(uid);
  });

  it("are the same for the same idempotency key, and a conflict for another request", async () => {
    const headers = { "idempotency-key": "order-1" };
    const uids = await Promise.all([1, 2, 3].map(() => queue("the same", "sandbox/echo", headers)));
    expect(new Set(uids).size).toBe(1);
    const other = await ask("/v1/chat_completion_runs", { body: bodyOf("another"), headers });
    expect([other.status, await other.json(), other.headers.get("x-should-retry")]).toMatchObject([
      409,
      { error: { code: "conflict" } },
      "false",
    ]);
    const bobs = await ask("/v1/chat_completion_runs", {
      body: bodyOf("another"),
      headers: { ...headers, ...bearer("bob") },
    });
    expect(bobs.status).toBe(202);
  });

  it("are refused when they are bound to fail, and nothing is queued", async () => {
    const refusals = [
      [{ ...bodyOf("a"), temperature: 9 }, 400, "invalid_value"],
      [bodyOf("a", "sandbox/nothing"), 404, "model_not_found"],
      [bodyOf("a", "auto/nothing"), 404, "model_not_found"],
    ] as const;
    for (const [body, status, code] of refusals) {
      const answer = await ask("/v1/chat_completion_runs", { body });
      expect([answer.status, await answer.json()]).toMatchObject([status, { error: { code } }]);
    }
    const webhook = await ask("/v1/chat_completion_runs", {
      body: bodyOf("a"),
      headers: { "x-parley-webhook-url": "https://app.example/hook" },
    });
    expect([webhook.status, ((await webhook.json()) as { error: { message: string } }).error.message]).toEqual([
      400,
      expect.stringContaining("runs.webhook.secret"),
    ]);
  });

  it("are deleted only when they have ended", async () => {
    const uid = await queue("a", "sandbox/fault-stall");
    const early = await ask(`/v1/chat_completion_runs/${uid}`, { method: "DELETE" });
    expect([early.status, await early.json()]).toMatchObject([409, { error: { code: "conflict" } }]);
    await ask(`/v1/chat_completion_runs/${uid}/cancel`, { body: {} });
    await ended(uid);
    const deleted = await ask(`/v1/chat_completion_runs/${uid}`, { method: "DELETE" });
    expect(await deleted.json()).toEqual({ object: "chat.completion.run.deleted", uid, deleted: true });
    expect((await ask(`/v1/chat_completion_runs/${uid}`)).status).toBe(404);
  });

  it("can't be read by HEAD as events", async () => {
    const uid = await queue("a");
    const answer = await ask(`/v1/chat_completion_runs/${uid}/events`, { method: "HEAD" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, OPTIONS"]);
  });
});
