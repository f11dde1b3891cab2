import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { UsageSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Attempt_Move, Attempt_Outcome } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { clamped, dropped, mapped } from "../../src/providers/adjustment.ts";
import { accessFields, accessLevel, type Exchange, logAccess } from "../../src/telemetry/access-line.ts";
import { CallLog, type Door } from "../../src/telemetry/call-log.ts";
import { errorFields } from "../../src/telemetry/error-fields.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createLines } from "./lines.ts";

const EXCHANGE = { method: "POST", path: "/v1/chat/completions", status: 200, durationMs: 12.345 };

function createLog(door: Door, error?: GatewayError): CallLog {
  const log = new CallLog("req_1", door);
  if (error !== undefined) log.failed(error);
  return log;
}

/** The fields of a call's line, as they are read. */
const readFields = (log: CallLog, exchange: Exchange): Record<string, unknown> =>
  JSON.parse(JSON.stringify(accessFields(log, exchange))) as Record<string, unknown>;

describe("accessFields()", () => {
  it("has all that is known of a call, flat", () => {
    const log = createLog("rest");
    log.named("CreateChatCompletion");
    log.routed("auto", "sandbox/eliza", [
      dropped("top_k", "s3cr3t", "s3cr3t"),
      clamped("temperature", "s3cr3t", 2, 1),
      mapped("reasoning_effort", "s3cr3t", "s3cr3t", "s3cr3t"),
    ]);
    log.heardFrom({ id: "msg_1", model: "eliza-2" });
    log.answered(log.elapsedMs());
    log.used(create(UsageSchema, { promptTokens: 3, completionTokens: 4 }));
    expect(readFields(log, { ...EXCHANGE, userAgent: "curl/8" })).toStrictEqual({
      requestId: "req_1",
      door: "rest",
      operation: "CreateChatCompletion",
      model: "auto",
      target: "sandbox/eliza",
      adjustments: ["top_k=dropped", "temperature=clamped", "reasoning_effort=mapped"],
      upstreamId: "msg_1",
      upstreamModel: "eliza-2",
      firstChunkMs: expect.any(Number),
      promptTokens: 3,
      completionTokens: 4,
      method: "POST",
      path: "/v1/chat/completions",
      status: 200,
      durationMs: 12.3,
      userAgent: "curl/8",
      msg: "call",
    });
  });

  it("names the caller and the run, and has nothing of what was said", () => {
    const log = createLog("run");
    log.identified("key_1");
    log.madeFor("run_1");
    log.asked("s3cr3t");
    log.kept({ params: "s3cr3t", completion: () => "s3cr3t" });
    const fields = readFields(log, EXCHANGE);
    expect(fields).toMatchObject({ door: "run", keyId: "key_1", runUid: "run_1" });
    expect(JSON.stringify(fields)).not.toContain("s3cr3t");
  });

  it("says nothing of adjustments where there are none", () => {
    const log = createLog("rest");
    log.routed("auto", "sandbox/eliza", []);
    expect(readFields(log, EXCHANGE)).not.toHaveProperty("adjustments");
  });

  it("bounds what a provider calls its answer, and leaves out what it does not say", () => {
    const long = createLog("rest");
    long.heardFrom({ id: "x".repeat(300), model: "" });
    long.heardFrom({ id: "y", model: "" });
    expect(readFields(long, EXCHANGE)).toMatchObject({ upstreamId: "x".repeat(200) });
    expect(readFields(long, EXCHANGE)).not.toHaveProperty("upstreamModel");
  });

  it("has only what is known", () => {
    expect(readFields(createLog("rest"), { ...EXCHANGE, userAgent: undefined })).toStrictEqual({
      requestId: "req_1",
      door: "rest",
      method: "POST",
      path: "/v1/chat/completions",
      status: 200,
      durationMs: 12.3,
      msg: "call",
    });
  });

  it("leaves out the query of the path", () => {
    const exchange = { ...EXCHANGE, path: "/v1/models?key=s3cr3t?more" };
    expect(readFields(createLog("rest"), exchange)["path"]).toBe("/v1/models");
  });

  it("bounds path and user agent to 200 characters", () => {
    const exchange = { ...EXCHANGE, path: "/".repeat(300), userAgent: "x".repeat(300) };
    const { path, userAgent } = readFields(createLog("rest"), exchange);
    expect([path, userAgent]).toEqual(["/".repeat(200), "x".repeat(200)]);
  });

  const notFound = new GatewayError(Reason.MODEL_NOT_FOUND, "no such model");
  it.each<{ door: Door; httpStatus: number; error?: GatewayError; status: number | string }>([
    { door: "rest", httpStatus: 200, status: 200 },
    { door: "rest", httpStatus: 404, error: notFound, status: 404 },
    { door: "rest", httpStatus: 499, error: new GatewayError(Reason.CANCELLED, "gone"), status: 499 },
    { door: "grpc", httpStatus: 200, status: "ok" },
    { door: "grpc", httpStatus: 200, error: notFound, status: "not_found" },
    { door: "grpc-web", httpStatus: 200, error: notFound, status: "not_found" },
    { door: "connect", httpStatus: 404, error: notFound, status: "not_found" },
    { door: "connect", httpStatus: 415, status: 415 },
  ])("says on $door for $httpStatus $error.reasonName: $status", ({ door, httpStatus, error, status }) => {
    expect(readFields(createLog(door, error), { ...EXCHANGE, status: httpStatus })["status"]).toBe(status);
  });

  it("names the reason of an error, and says nothing else of it", () => {
    const cause = new Error("s3cr3t");
    const error = new GatewayError(Reason.UPSTREAM_UNREACHABLE, "s3cr3t", { cause, param: "s3cr3t" });
    const fields = readFields(createLog("rest", error), EXCHANGE);
    expect(fields["reason"]).toBe("UPSTREAM_UNREACHABLE");
    expect(JSON.stringify(fields)).not.toContain("s3cr3t");
  });

  it("has the cause of a fault of the gateway", () => {
    const cause = new TypeError("x is not a function");
    expect(readFields(createLog("rest", GatewayError.from(cause)), EXCHANGE)["err"]).toEqual(errorFields(cause));
  });

  it("has the cause of one in an attempt, though another target answered", () => {
    const cause = new TypeError("x is not a function");
    const log = createLog("rest");
    log.attempts.push({
      target: "a/x",
      provider: "a",
      model: "x",
      credential: undefined,
      hedge: false,
      startedMs: 0,
      queuedMs: undefined,
      endedMs: 1,
      outcome: Attempt_Outcome.FAILED,
      error: GatewayError.from(cause),
      move: Attempt_Move.NEXT_TARGET,
    });
    expect(readFields(log, EXCHANGE)["err"]).toEqual(errorFields(cause));
    expect(accessLevel(log)).toBe("error");
  });

  it("has the fault itself where it has no cause", () => {
    const error = new GatewayError(Reason.INTERNAL, "never happens");
    expect(readFields(createLog("rest", error), EXCHANGE)["err"]).toEqual(errorFields(error));
  });
});

describe("accessLevel()", () => {
  it.each<[keyof typeof Reason | "none", string]>([
    ["none", "info"],
    ["INVALID_VALUE", "info"],
    ["RATE_LIMIT_EXCEEDED", "info"],
    ["CANCELLED", "info"],
    ["UPSTREAM_ERROR", "warn"],
    ["OVERLOADED", "warn"],
    ["DEADLINE_EXCEEDED", "warn"],
    ["INTERNAL", "error"],
  ])("is for %s %s", (reason, level) => {
    const error = reason === "none" ? undefined : new GatewayError(Reason[reason], "x");
    expect(accessLevel(createLog("rest", error))).toBe(level);
  });
});

describe("logAccess()", () => {
  it("logs one line, with the stack of a fault", () => {
    const lines = createLines();
    const error = GatewayError.from(new TypeError("x is not a function"));
    logAccess(createLogger({ level: "info", destination: lines }), createLog("grpc", error), EXCHANGE);
    expect(lines.all()).toEqual([
      {
        level: "error",
        time: expect.any(String),
        requestId: "req_1",
        door: "grpc",
        reason: "INTERNAL",
        method: "POST",
        path: "/v1/chat/completions",
        status: "internal",
        durationMs: 12.3,
        err: {
          type: "TypeError",
          message: "x is not a function",
          stack: expect.stringContaining("access-line.test.ts"),
        },
        msg: "call",
      },
    ]);
  });
});
