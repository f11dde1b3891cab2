import { create } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { ChatCompletion, ChatCompletionChunk, Usage } from "../gen/parley/chat/v1/completion_pb.ts";
import { type Attempt, type CallReport, CallReportSchema, UsageSource } from "../gen/parley/chat/v1/report_pb.ts";
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
    const { candidate, adjustments, record } = this.#attempt;
    const { id, model } = this.#origin;
    return {
      $typeName: "parley.chat.v1.CallReport",
      requestId: this.#log.requestId,
      provider: candidate.target.backend.id,
      model: candidate.target.model,
      adjustments: [...adjustments],
      attempts: attemptsOf(this.#log),
      usageSource: UsageSource.UNSPECIFIED,
      timeToFirstChunk: durationTo(record.firstMs, 0),
      duration: undefined,
      costNanoDollars: undefined,
      upstreamModel: model === "" ? undefined : model,
      upstreamId: id === "" ? undefined : id,
    };
  }

  /** The whole report, when the answer has ended: with the usage and cost of what was served, where that is known. */
  last(served: Served | undefined): CallReport {
    // What came late.
    this.#log.heardFrom(this.#origin);
    const report = this.first();
    report.duration = durationTo(this.#log.elapsedMs(), 0);
    if (served?.usage === undefined) return report;
    const cost = this.#cost(served.usage, served);
    this.#log.used(served.usage, cost);
    report.costNanoDollars = cost;
    report.usageSource = this.#attempt.candidate.target.backend.usageSource;
    return report;
  }

  #cost(usage: Usage, { serviceTier }: Served): bigint | undefined {
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
    duration: durationTo(log.elapsedMs(), 0),
  });
}

const attemptsOf = (log: CallLog): Attempt[] => log.attempts.map((record) => attemptOf(record, log.startedAtMs));

function attemptOf(record: AttemptRecord, callStartedAtMs: number): Attempt {
  const { error, startedMs } = record;
  return {
    $typeName: "parley.chat.v1.Attempt",
    target: record.target,
    outcome: record.outcome,
    reason: error?.reason ?? Reason.UNSPECIFIED,
    timeToFirstChunk: durationTo(record.firstMs, startedMs),
    duration: durationTo(record.endedMs, startedMs),
    startTime: { $typeName: "google.protobuf.Timestamp", ...secondsOf(callStartedAtMs + startedMs) },
    timeInQueue: durationTo(record.queuedMs, 0),
    timeToHeaders: durationTo(record.headMs, startedMs),
    message: error?.message ?? "",
    move: record.move,
    hedge: record.hedge,
    credential: record.credential,
  };
}

/** From one moment of the call to another, in whole milliseconds; undefined where the other did not come. */
const durationTo = (toMs: number | undefined, fromMs: number): Duration | undefined =>
  toMs === undefined ? undefined : { $typeName: "google.protobuf.Duration", ...secondsOf(Math.max(0, toMs - fromMs)) };

/** Milliseconds, rounded, as seconds and nanoseconds. */
function secondsOf(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  const rounded = Math.round(ms);
  const seconds = Math.floor(rounded / 1000);
  return { seconds: BigInt(seconds), nanos: (rounded - seconds * 1000) * 1e6 };
}
