import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import {
  type Adjustment,
  Attempt_Outcome,
  AttemptSchema,
  type CallReport,
  CallReportSchema,
  UsageSource,
} from "../gen/parley/chat/v1/report_pb.ts";
import type { Target } from "../routing/catalogue.ts";
import type { CallLog } from "../telemetry/call-log.ts";

/** What a provider calls its answer; empty where it does not say. */
interface Origin {
  readonly id: string;
  readonly model: string;
}

/** The answer, or the last chunk of it. */
type Served = Pick<ChatCompletion | ChatCompletionChunk, "usage" | "serviceTier">;

/** Writes down what is done for one call, as its reports tell it. */
export class Reporter {
  readonly #log: CallLog;
  readonly #target: Target;
  readonly #adjustments: readonly Adjustment[];
  readonly #attemptStartedMs: number;
  #firstOutputMs: number | undefined;
  #upstreamId = "";
  #upstreamModel = "";

  constructor(log: CallLog, target: Target, adjustments: readonly Adjustment[]) {
    this.#log = log;
    this.#target = target;
    this.#adjustments = adjustments;
    this.#attemptStartedMs = log.elapsedMs();
  }

  /** What the provider calls its answer. The first id and the first model that are not empty count. */
  heardFrom(origin: Origin): void {
    if (this.#upstreamId !== "" && this.#upstreamModel !== "") return;
    if (this.#upstreamId === "") this.#upstreamId = origin.id;
    if (this.#upstreamModel === "") this.#upstreamModel = origin.model;
    this.#log.heardFrom(origin);
  }

  /** The first output came. Later calls change nothing. */
  answered(): void {
    if (this.#firstOutputMs !== undefined) return;
    this.#firstOutputMs = this.#log.elapsedMs();
    this.#log.answered();
  }

  /** What is known when the answer begins. */
  first(): CallReport {
    return create(CallReportSchema, {
      requestId: this.#log.requestId,
      provider: this.#target.backend.id,
      model: this.#target.model,
      adjustments: [...this.#adjustments],
      ...(this.#upstreamModel === "" ? {} : { upstreamModel: this.#upstreamModel }),
      ...(this.#upstreamId === "" ? {} : { upstreamId: this.#upstreamId }),
      ...(this.#firstOutputMs === undefined
        ? {}
        : { timeToFirstChunk: durationFromMs(Math.round(this.#firstOutputMs)) }),
    });
  }

  /** The whole report, when the answer has ended: with the usage and cost of what was served, where that is known. */
  last(served: Served | undefined): CallReport {
    const report = this.first();
    const usage = served?.usage;
    const cost = served && this.#cost(served);
    if (cost !== undefined) report.costNanoDollars = cost;
    if (usage !== undefined) this.#log.used(usage, cost);
    const elapsed = this.#log.elapsedMs();
    const first = this.#firstOutputMs;
    report.duration = durationFromMs(Math.round(elapsed));
    report.usageSource = usage !== undefined ? this.#target.backend.usageSource : UsageSource.UNSPECIFIED;
    report.attempts = [
      create(AttemptSchema, {
        target: this.#target.name,
        outcome: Attempt_Outcome.SUCCEEDED,
        duration: durationFromMs(Math.round(elapsed - this.#attemptStartedMs)),
        ...(first === undefined
          ? {}
          : { timeToFirstChunk: durationFromMs(Math.round(first - this.#attemptStartedMs)) }),
      }),
    ];
    return report;
  }

  #cost({ usage, serviceTier }: Served): bigint | undefined {
    if (usage === undefined) return undefined;
    const { backend, model } = this.#target;
    return backend.cost?.({ model, answeredBy: this.#upstreamModel || undefined, usage, serviceTier });
  }
}
