import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { rowOf } from "../../../src/gateway/request-log/row-of.ts";
import { UsageSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { Reason } from "../../../src/gen/parley/errors/v1/errors_pb.ts";
import { CallLog, type Door } from "../../../src/telemetry/call-log.ts";
import { fallbackCall } from "../../telemetry/support/finished-call.ts";

const EXCHANGE = { status: 200, durationMs: 261.4, userAgent: "curl/8" };

describe("rowOf()", () => {
  it("has all that is known of a call", () => {
    const log = fallbackCall("grpc");
    log.identified("key_1");
    log.madeFor("run_1");
    log.answered(100.26);
    log.used(
      create(UsageSchema, {
        promptTokens: 30,
        completionTokens: 70,
        cacheReadInputTokens: 10,
        completionTokensDetails: { reasoningTokens: 20 },
      }),
      1_500_000n,
    );
    log.kept({ params: '{"model":"auto"}', completion: () => '{"id":"x"}' });
    expect(rowOf(log, EXCHANGE)).toStrictEqual({
      id: expect.stringMatching(/^log_\w{28}$/),
      at: log.startedAtMs,
      request_id: "req_1",
      door: "grpc",
      operation: "StreamChatCompletion",
      key_id: "key_1",
      user_agent: "curl/8",
      status: 200,
      reason: Reason.UNSPECIFIED,
      model: "auto",
      target: "azure/gpt-4o",
      attempts: '["openai/gpt-4o=upstream_error;ms=50","openai/gpt-4o=skipped","azure/gpt-4o=succeeded;ms=200"]',
      prompt_tokens: 30,
      completion_tokens: 70,
      cached_tokens: 10,
      reasoning_tokens: 20,
      cost: 1_500_000,
      first_chunk_ms: 100,
      duration_ms: 261,
      stream: 1,
      run_uid: "run_1",
      params: '{"model":"auto"}',
      completion: '{"id":"x"}',
    });
  });

  it("has only what is known", () => {
    expect(rowOf(new CallLog("req_1", "connect"), { status: 404, durationMs: 0 })).toMatchObject({
      operation: "",
      key_id: "",
      user_agent: "",
      model: "",
      target: "",
      attempts: "[]",
      prompt_tokens: null,
      completion_tokens: null,
      cached_tokens: null,
      reasoning_tokens: null,
      cost: null,
      first_chunk_ms: null,
      stream: 0,
      run_uid: "",
      params: null,
      completion: null,
    });
  });

  it.each<
    [door: Door, sent: number, failed: keyof typeof Reason | undefined, status: number, reason: keyof typeof Reason]
  >([
    ["rest", 200, undefined, 200, "UNSPECIFIED"],
    ["rest", 404, "MODEL_NOT_FOUND", 404, "MODEL_NOT_FOUND"],
    ["rest", 200, "UPSTREAM_STREAM_INTERRUPTED", 200, "UPSTREAM_STREAM_INTERRUPTED"],
    ["rest", 499, "CANCELLED", 499, "CANCELLED"],
    ["rest", 200, "CANCELLED", 499, "CANCELLED"],
    ["grpc", 200, undefined, 200, "UNSPECIFIED"],
    ["grpc", 200, "MODEL_NOT_FOUND", 404, "MODEL_NOT_FOUND"],
    ["grpc-web", 200, "UPSTREAM_STREAM_INTERRUPTED", 502, "UPSTREAM_STREAM_INTERRUPTED"],
    ["grpc", 200, "CANCELLED", 499, "CANCELLED"],
    ["connect", 415, undefined, 415, "INVALID_REQUEST"],
    ["run", 200, undefined, 200, "UNSPECIFIED"],
    ["run", 200, "DEADLINE_EXCEEDED", 504, "DEADLINE_EXCEEDED"],
  ])("says of a call on %s that was answered with %d and failed with %s: %d %s", (door, sent, failed, status, reason) => {
    const log = new CallLog("req_1", door);
    if (failed !== undefined) log.failed(new GatewayError(Reason[failed], "x"));
    expect(rowOf(log, { ...EXCHANGE, status: sent })).toMatchObject({ status, reason: Reason[reason] });
  });

  it("bounds what callers choose", () => {
    const log = new CallLog("req_1", "rest");
    log.asked("m".repeat(300));
    log.routed("m".repeat(300), `a/${"m".repeat(300)}`, []);
    const { model, target, user_agent } = rowOf(log, { ...EXCHANGE, userAgent: "u".repeat(300) });
    expect([model, target, user_agent]).toEqual(["m".repeat(200), `a/${"m".repeat(198)}`, "u".repeat(200)]);
  });

  it("knows a model that was asked for in vain", () => {
    const log = new CallLog("req_1", "rest");
    log.asked("no-such-model");
    expect(rowOf(log, EXCHANGE)).toMatchObject({ model: "no-such-model", target: "" });
    expect(log.model).toBeUndefined();
  });

  it.each([
    ["CreateChatCompletion", 0],
    ["StreamChatCompletion", 1],
    ["WatchRun", 1],
    ["GetRun", 0],
  ])("says whether %s was answered piece by piece", (operation, stream) => {
    const log = new CallLog("req_1", "rest");
    log.named(operation);
    expect(rowOf(log, EXCHANGE).stream).toBe(stream);
  });
});
