import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import type { Attempt } from "../../src/gateway/attempt.ts";
import { failureReport, Reporter } from "../../src/gateway/report.ts";
import { ServiceTier, UsageSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import {
  Attempt_Move,
  Attempt_Outcome,
  CallReportSchema,
  UsageSource,
} from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { dropped } from "../../src/providers/adjustment.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { attemptAt, failure } from "../telemetry/support/finished-call.ts";

const ORIGIN = { id: "chatcmpl-1", model: "gpt-4o-2024-08-06" };
const ADJUSTMENTS = [dropped("top_k", "1", "why")];

/** A call that one target failed, and another one answers, 60 seconds and 80.4 ms after its arrival. */
function answered(origin = ORIGIN, cost: () => bigint | undefined = () => 123n) {
  const log = new CallLog("req_1", "grpc");
  const record = attemptAt("azure/gpt-4o", {
    startedMs: 60_000.2,
    queuedMs: 5,
    headMs: 60_060,
    firstMs: 60_080.4,
    endedMs: 60_100,
    credential: 0,
    hedge: true,
  });
  const error = failure(Reason.UPSTREAM_ERROR);
  const failed = { outcome: Attempt_Outcome.FAILED, error, move: Attempt_Move.NEXT_TARGET };
  log.attempts.push(attemptAt("openai/gpt-4o", failed), record);
  const backend = { id: "azure", usageSource: UsageSource.PROVIDER, cost };
  const attempt = { candidate: { target: { backend, model: "gpt-4o" } }, adjustments: ADJUSTMENTS, record };
  return { log, reporter: new Reporter(log, attempt as unknown as Attempt, origin) };
}

const SERVED = {
  usage: create(UsageSchema, { promptTokens: 3, completionTokens: 4 }),
  serviceTier: ServiceTier.DEFAULT,
};

describe("Reporter", () => {
  it("tells all of a call that has ended, in whole milliseconds", () => {
    const { log, reporter } = answered();
    const { duration, ...report } = reporter.last(SERVED);
    const { startedAtMs } = log;
    expect(duration).toMatchObject({ $typeName: "google.protobuf.Duration", seconds: 0n });
    expect(report).toEqual(
      create(CallReportSchema, {
        requestId: "req_1",
        provider: "azure",
        model: "gpt-4o",
        adjustments: ADJUSTMENTS,
        attempts: [
          {
            target: "openai/gpt-4o",
            outcome: Attempt_Outcome.FAILED,
            move: Attempt_Move.NEXT_TARGET,
            reason: Reason.UPSTREAM_ERROR,
            message: failure().message,
            startTime: timestampFromMs(startedAtMs),
            duration: durationFromMs(50),
          },
          {
            target: "azure/gpt-4o",
            outcome: Attempt_Outcome.SUCCEEDED,
            startTime: timestampFromMs(startedAtMs + 60_000),
            timeInQueue: durationFromMs(5),
            timeToHeaders: durationFromMs(60),
            timeToFirstChunk: durationFromMs(80),
            duration: durationFromMs(100),
            credential: 0,
            hedge: true,
          },
        ],
        usageSource: UsageSource.PROVIDER,
        timeToFirstChunk: durationFromMs(60_080),
        costNanoDollars: 123n,
        upstreamModel: ORIGIN.model,
        upstreamId: ORIGIN.id,
      }),
    );
    expect(fromBinary(CallReportSchema, toBinary(CallReportSchema, report))).toEqual(report);
    expect([log.firstChunkMs, log.usage, log.costNanoDollars]).toEqual([60_080.4, SERVED.usage, 123]);
  });

  it("leaves out what is not known", () => {
    const { log, reporter } = answered({ id: "", model: "" }, () => undefined);
    const report = reporter.last(undefined);
    const { costNanoDollars, upstreamModel, upstreamId, usageSource } = report;
    expect([costNanoDollars, upstreamModel, upstreamId]).toEqual([undefined, undefined, undefined]);
    expect(usageSource).toBe(UsageSource.UNSPECIFIED);
    expect(reporter.first()).toMatchObject({ duration: undefined, timeToFirstChunk: durationFromMs(60_080) });
    expect(log.usage).toBeUndefined();
    expect(reporter.last(SERVED)).toMatchObject({ costNanoDollars: undefined, usageSource: UsageSource.PROVIDER });
  });
});

describe("failureReport()", () => {
  it("tells who was asked", () => {
    const { log } = answered();
    const report = failureReport(log);
    expect(report?.attempts.map(({ target }) => target)).toEqual(["openai/gpt-4o", "azure/gpt-4o"]);
    expect(report?.duration).toBeDefined();
    expect(failureReport(new CallLog("req_1", "grpc"))).toBeUndefined();
  });
});
