import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import {
  type Attempt,
  AttemptSchema,
  type CallReport,
  CallReportSchema,
  UsageSource,
} from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { AttemptRecord } from "../telemetry/attempt-record.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { Attempt as RunningAttempt } from "./attempt.ts";
import type { Origin } from "./open-stream.ts";

/** The answer, or the last chunk of it. */
type Served = Pick<ChatCompletion | ChatCompletionChunk, "usage" | "serviceTier">;

/** Writes the reports of a call that is answered. */
export class Reporter {
  readonly #log: CallLog;
  readonly #attempt: RunningAttempt;
  readonly #origin: Origin;

  /** `attempt`: the one that answers. */
  constructor(log: CallLog, attempt: RunningAttempt, origin: Origin) {
    this.#log = log;
    this.#attempt = attempt;
    this.#origin = origin;
    log.answered(attempt.record.firstMs ?? log.elapsedMs());
    log.heardFrom(origin);
  }

  /** What is known when the answer begins. */
  first(): CallReport {
    const { candidate, plan, record } = this.#attempt;
    const { id, model } = this.#origin;
    return create(CallReportSchema, {
      requestId: this.#log.requestId,
      provider: candidate.target.backend.id,
      model: candidate.target.model,
      adjustments: [...plan.adjustments],
      attempts: attemptsOf(this.#log),
      ...(model === "" ? {} : { upstreamModel: model }),
      ...(id === "" ? {} : { upstreamId: id }),
      ...(record.firstMs === undefined ? {} : { timeToFirstChunk: durationOf(record.firstMs) }),
    });
  }

  /** The whole report, when the answer has ended: with the usage and cost of what was served, where that is known. */
  last(served: Served | undefined): CallReport {
    // What came late.
    this.#log.heardFrom(this.#origin);
    const report = this.first();
    const usage = served?.usage;
    const cost = served && this.#cost(served);
    if (cost !== undefined) report.costNanoDollars = cost;
    if (usage !== undefined) this.#log.used(usage, cost);
    report.duration = durationOf(this.#log.elapsedMs());
    const { usageSource } = this.#attempt.candidate.target.backend;
    report.usageSource = usage !== undefined ? usageSource : UsageSource.UNSPECIFIED;
    return report;
  }

  #cost({ usage, serviceTier }: Served): bigint | undefined {
    if (usage === undefined) return undefined;
    const { backend, model } = this.#attempt.candidate.target;
    return backend.cost?.({ model, answeredBy: this.#origin.model || undefined, usage, serviceTier });
  }
}

/** The report of a call that failed; undefined where nobody was asked, or passed over. */
export function failureReport(log: CallLog): CallReport | undefined {
  if (log.attempts.length === 0) return undefined;
  return create(CallReportSchema, {
    requestId: log.requestId,
    attempts: attemptsOf(log),
    duration: durationOf(log.elapsedMs()),
  });
}

const attemptsOf = (log: CallLog): Attempt[] => log.attempts.map((record) => attemptOf(record, log.startedAtMs));

function attemptOf(record: AttemptRecord, callStartedAtMs: number): Attempt {
  const { target, outcome, move, hedge, error, credential, startedMs, queuedMs, headMs, firstMs, endedMs } = record;
  return create(AttemptSchema, {
    target,
    outcome,
    move,
    hedge,
    reason: error?.reason ?? Reason.UNSPECIFIED,
    message: error?.message ?? "",
    startTime: timestampFromMs(Math.round(callStartedAtMs + startedMs)),
    ...(credential === undefined ? {} : { credential }),
    ...(queuedMs === undefined ? {} : { timeInQueue: durationOf(queuedMs) }),
    ...(headMs === undefined ? {} : { timeToHeaders: durationOf(headMs - startedMs) }),
    ...(firstMs === undefined ? {} : { timeToFirstChunk: durationOf(firstMs - startedMs) }),
    ...(endedMs === undefined ? {} : { duration: durationOf(endedMs - startedMs) }),
  });
}

const durationOf = (ms: number) => durationFromMs(Math.round(ms));
