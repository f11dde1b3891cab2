import type { Attributes } from "@opentelemetry/api";
import { ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { type Adjustment, Adjustment_Action, Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";
import type { AttemptRecord } from "./attempt-record.ts";
import { AttemptSeries } from "./attempt-series.ts";
import {
  type AttemptTarget,
  answeringAttempt,
  attemptEndMs,
  attemptTarget,
  callErrorType,
  OTHER,
} from "./attributes.ts";
import type { CallEnd } from "./call-end.ts";
import type { CallLog } from "./call-log.ts";
import type { Instruments } from "./instruments.ts";
import type { KnownNames } from "./known-names.ts";
import type { HistogramSeries, SumSeries } from "./series.ts";

/** Most that is remembered of where measurements belong; beyond it, all is found anew. */
const MAX_REMEMBERED = 4_000;

/** Records what is counted and measured of finished calls. */
export class MetricsRecorder {
  readonly #instruments: Instruments;
  readonly #names: KnownNames;
  readonly #calls = new Map<string, HistogramSeries>();
  readonly #attempts = new Map<string, AttemptSeries>();
  readonly #adjustments = new Map<string, SumSeries>();

  constructor(instruments: Instruments, names: KnownNames) {
    this.#instruments = instruments;
    this.#names = names;
  }

  record(log: CallLog, end: CallEnd): void {
    this.#callDuration(log, end).record(end.durationMs / 1000);
    const answering = answeringAttempt(log);
    for (const attempt of log.attempts) this.#recordAttempt(attempt, attempt === answering, log, end);
    if (log.adjustments.length > 0) this.#recordAdjustments(log);
  }

  /** Where a call's duration belongs. */
  #callDuration(log: CallLog, end: CallEnd): HistogramSeries {
    const { door, operation, error } = log;
    const key = `${door} ${operation} ${error?.reason} ${end.status}`;
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    const attributes: Attributes = { "parley.door": door };
    if (operation !== undefined) attributes["parley.operation"] = operation;
    const type = callErrorType(log, end);
    if (type !== undefined) attributes["error.type"] = type;
    return remember(this.#calls, key, this.#instruments.callDuration.at(attributes));
  }

  #recordAttempt(attempt: AttemptRecord, isAnswering: boolean, log: CallLog, end: CallEnd): void {
    const series = this.#attemptSeries(attempt, attemptTarget(attempt, isAnswering, log, this.#names));
    series.count.add(1);
    const { usage } = log;
    if (isAnswering && usage !== undefined) {
      series.promptTokens.record(usage.promptTokens);
      series.completionTokens.record(usage.completionTokens);
    }
    if (attempt.outcome === Attempt_Outcome.SKIPPED) return;
    const { startedMs, firstMs } = attempt;
    series.duration.record((attemptEndMs(attempt, end.durationMs) - startedMs) / 1000);
    if (log.isStreaming && firstMs !== undefined) series.timeToFirstChunk.record((firstMs - startedMs) / 1000);
  }

  /** Where what is measured of an attempt belongs. The key has all that the attributes are made of. */
  #attemptSeries(attempt: AttemptRecord, target: AttemptTarget): AttemptSeries {
    const { outcome, move, error } = attempt;
    const { provider, model, origin, responseModel } = target;
    const { vendor, address } = origin ?? {};
    // The length keeps the names of models apart, which may have anything in them.
    const names = `${model.length} ${model} ${responseModel}`;
    const key = `${provider} ${outcome} ${move} ${error?.reason} ${vendor} ${address?.host} ${address?.port} ${names}`;
    return (
      this.#attempts.get(key) ?? remember(this.#attempts, key, new AttemptSeries(this.#instruments, attempt, target))
    );
  }

  #recordAdjustments(log: CallLog): void {
    const provider = providerOf(log);
    for (const adjustment of log.adjustments) {
      const parameter = parameterOf(adjustment);
      const key = `${provider} ${parameter} ${adjustment.action}`;
      const series =
        this.#adjustments.get(key) ??
        remember(
          this.#adjustments,
          key,
          this.#instruments.adjustments.at({
            "parley.provider": provider,
            "parley.parameter": parameter,
            "parley.adjustment": Adjustment_Action[adjustment.action]?.toLowerCase() ?? OTHER,
          }),
        );
      series.add(1);
    }
  }
}

/** Keeps what was found for a key. */
function remember<Series>(found: Map<string, Series>, key: string, series: Series): Series {
  if (found.size >= MAX_REMEMBERED) found.clear();
  found.set(key, series);
  return series;
}

/** Names of the contract's parameters. */
const PARAMETERS = new Set(ChatCompletionParamsSchema.fields.map(({ name }) => name));

/** The parameter that a path leads into; callers choose the names of parameters that the contract does not have. */
function parameterOf({ path }: Adjustment): string {
  const end = path.search(/[.[]/);
  const first = end < 0 ? path : path.slice(0, end);
  return PARAMETERS.has(first) ? first : OTHER;
}

/** The provider that the call went to. */
function providerOf({ target = "" }: CallLog): string {
  const end = target.indexOf("/");
  return end < 0 ? target : target.slice(0, end);
}
