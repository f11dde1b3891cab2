/** What one port tells of its calls, with operations behind it that end as they are told to: over real sockets, through every door. */
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { CallContext, Operations } from "../../src/gateway/operation.ts";
import {
  CreateChatCompletionResponseSchema,
  StreamChatCompletionResponseSchema,
} from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import {
  ChoiceSchema,
  ChunkChoiceSchema,
  FinishReason,
  UsageSchema,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { completionId } from "../../src/lib/ids.ts";
import { createRestHandler } from "../../src/rest/rest-handler.ts";
import { createRpcHandler, SERVICES } from "../../src/rpc/handler.ts";
import { createHealthStatus } from "../../src/rpc/health.ts";
import { createCors } from "../../src/server/cors.ts";
import { createDispatch, type DispatchOptions } from "../../src/server/dispatch.ts";
import { createStreamDispatch } from "../../src/server/dispatch-stream.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createSignals, type Signals } from "../../src/telemetry/signals.ts";
import { OPEN_DOOR, operationsOf } from "../rest/support/rest-server.ts";
import { collect } from "../support/collect.ts";
import { DOORS, type DoorClient, openDoor } from "../support/doors.ts";
import { attemptAt, CALLERS, NAMES } from "../telemetry/support/finished-call.ts";
import { sampleOf } from "../telemetry/support/samples.ts";

const PROMPT = { messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: CALLERS } }] }] };
const USAGE = create(UsageSchema, { promptTokens: 3, completionTokens: 4 });
const IDENTITY = { id: completionId(), created: 1n, model: "auto" };

/** Writes down one attempt that answers, as the gateway does. */
function answered(log: CallContext["log"], model: string): void {
  log.routed(model, model, []);
  const now = log.elapsedMs();
  log.attempts.push(attemptAt(model, { startedMs: now, firstMs: now, endedMs: now }));
  log.used(USAGE);
}

const OPERATIONS: Partial<Operations> = {
  createChatCompletion: async ({ params }, { log }) => {
    const model = params?.model ?? "";
    if (model === "nobody") {
      const error = new GatewayError(Reason.MODEL_NOT_FOUND, CALLERS);
      log.failed(error);
      throw error;
    }
    answered(log, model);
    const message = { role: Role.ASSISTANT, content: [{ kind: { case: "text" as const, value: "Hello" } }] };
    const choices = [create(ChoiceSchema, { index: 0, message, finishReason: FinishReason.STOP })];
    return create(CreateChatCompletionResponseSchema, { completion: { ...IDENTITY, choices, usage: USAGE } });
  },
  async *streamChatCompletion({ params }, { log }) {
    answered(log, params?.model ?? "");
    const choices = [
      create(ChunkChoiceSchema, { index: 0, delta: { content: "Hello" }, finishReason: FinishReason.STOP }),
    ];
    yield [create(StreamChatCompletionResponseSchema, { chunk: { ...IDENTITY, choices, usage: USAGE } })];
  },
};

describe("/metrics", () => {
  let server: RunningServer;
  let signals: Signals;
  const lines: string[] = [];
  const doors: DoorClient[] = [];
  beforeAll(async () => {
    const logger = createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } });
    const settings = { traces: undefined, metrics: undefined };
    signals = await createSignals({ ...NAMES, settings, logger, activeCalls: () => 0, targets: () => [] });
    const health = createHealthStatus([]);
    const operations = operationsOf(OPERATIONS);
    const bounds = { maxBodyBytes: 65_536, maxMessageBytes: 65_536, maxTimeoutMs: 60_000, keepAliveMs: 60_000 };
    const dispatch: DispatchOptions = {
      rpc: createRpcHandler({ operations, doorkeeper: OPEN_DOOR, health, ...bounds }),
      rest: createRestHandler({ services: SERVICES, operations, doorkeeper: OPEN_DOOR, ...bounds }),
      cors: createCors([]),
      logger,
      signals,
      doorkeeper: OPEN_DOOR,
      recordRequest: () => undefined,
      readiness: () => ({ ready: true, degraded: {} }),
    };
    server = await startServer({
      host: "127.0.0.1",
      port: 0,
      handler: createDispatch(dispatch),
      streamHandler: createStreamDispatch(dispatch),
    });
    doors.push(...DOORS.map((name) => openDoor(name, server.address.url)));
  });
  afterAll(async () => {
    for (const door of doors) door.close();
    await server.close(0);
    await signals.close();
  });

  const read = async (): Promise<string> => (await fetch(`${server.address.url}/metrics`)).text();

  it("has the calls of every door, and no text of a caller", async () => {
    for (const door of doors) {
      await door.complete({ ...PROMPT, model: "openai/gpt-4o" });
      await collect(door.stream({ ...PROMPT, model: "openai/gpt-4o" }));
      await door.complete({ ...PROMPT, model: `openai/${CALLERS}` });
      await expect(door.complete({ ...PROMPT, model: "nobody" })).rejects.toThrow();
    }
    await fetch(`${server.address.url}/${CALLERS}`, { headers: { "user-agent": CALLERS } });
    // A call is recorded when its exchange is over, which its client may hear of a moment before.
    const text = await vi.waitFor(async () => {
      const now = await read();
      const counts = [...now.matchAll(/^parley_call_duration_count\S* (\d+)$/gm)].map(([, count]) => Number(count));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(17);
      return now;
    });
    for (const { name } of doors) {
      const calls = (labels: Record<string, string>): number | undefined =>
        sampleOf(text, "parley_call_duration_count", { parley_door: name, ...labels });
      expect(calls({ error_type: "model_not_found", parley_operation: "CreateChatCompletion" })).toBe(1);
      expect(calls({ parley_operation: "StreamChatCompletion" })).toBe(1);
    }
    expect(sampleOf(text, "parley_call_duration_count", { error_type: "unknown_url" })).toBe(1);
    const succeeded = (model: string): number | undefined =>
      sampleOf(text, "parley_attempts_total", {
        parley_provider: "openai",
        gen_ai_request_model: model,
        parley_attempt_outcome: "succeeded",
      });
    expect([succeeded("gpt-4o"), succeeded("other")]).toEqual([8, 4]);
    expect(
      sampleOf(text, "gen_ai_client_token_usage_sum", { gen_ai_request_model: "gpt-4o", gen_ai_token_type: "output" }),
    ).toBe(32);
    expect(sampleOf(text, "gen_ai_client_operation_time_to_first_chunk_count")).toBe(4);
    expect(text).not.toContain(CALLERS);
  });

  it("is Prometheus' text format, with an id of the request, and no line in the log", async () => {
    const before = lines.length;
    const response = await fetch(`${server.address.url}/metrics?x=1`, { headers: { "x-request-id": "scrape-1" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(response.headers.get("x-request-id")).toBe("scrape-1");
    const text = await response.text();
    expect(text).toMatch(/^# TYPE parley_calls_active gauge$/m);
    for (const line of text.split("\n"))
      expect(line).toMatch(/^(?:#.*|[a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? \S+|)$/);
    expect(lines).toHaveLength(before);
  });

  it("answers HEAD without a body", async () => {
    const response = await fetch(`${server.address.url}/metrics`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(100);
    expect(await response.text()).toBe("");
  });

  it("refuses other methods", async () => {
    const response = await fetch(`${server.address.url}/metrics`, { method: "POST" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await response.json()).toMatchObject({ error: { code: "method_not_allowed" } });
  });
});
