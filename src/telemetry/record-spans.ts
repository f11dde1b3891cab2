import type { Attributes, Context, HrTime, Span } from "@opentelemetry/api";
import { FinishReason, type Usage } from "../gen/parley/chat/v1/completion_pb.ts";
import { Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";
import type { AttemptRecord } from "./attempt-record.ts";
import {
  answeringAttempt,
  attemptEndMs,
  attemptErrorType,
  attemptTarget,
  callErrorType,
  moveOf,
  OTHER,
  operationAttributes,
  outcomeOf,
  targetAttributes,
} from "./attributes.ts";
import type { CallEnd } from "./call-end.ts";
import type { CallLog } from "./call-log.ts";
import type { KnownNames } from "./known-names.ts";
import type { Traces } from "./traces.ts";

/** Values of the API's enums SpanKind and SpanStatusCode: the API itself is loaded late. */
const SERVER = 1;
const CLIENT = 2;
const ERROR = 2;

/**
 * Makes the spans of a finished call: one for the call, within the trace that its request belongs to, and in it one for each attempt
 * that was made. Returns the id of the trace. No message of an error is in them: it may repeat what the caller wrote.
 */
export function recordSpans(traces: Traces, log: CallLog, end: CallEnd, names: KnownNames): string {
  const parent = traces.incoming(end.headers);
  const model = askedModel(log, names);
  const options = { kind: SERVER, startTime: timeAt(log, 0), attributes: callAttributes(log, end, model) };
  const span = traces.start(spanName(log, model), options, parent);
  if (span.isRecording()) {
    const within = traces.within(span, parent);
    for (const attempt of log.attempts) {
      if (attempt.outcome === Attempt_Outcome.SKIPPED) tellSkipped(span, attempt, log, names);
      else recordAttempt(traces, within, attempt, log, end, names);
    }
    if (log.error !== undefined && log.error.row.httpStatus >= 500) span.setStatus({ code: ERROR });
  }
  span.end(timeAt(log, end.durationMs));
  return span.spanContext().traceId;
}

/** A moment of the call, as OpenTelemetry writes it. */
function timeAt({ startedAtMs }: CallLog, ms: number): HrTime {
  const nanos = Math.round((startedAtMs % 1000) * 1e6 + ms * 1e6);
  return [Math.floor(startedAtMs / 1000) + Math.floor(nanos / 1e9), nanos % 1e9];
}

/** The model that the caller asked for, where it is known; undefined: none was asked for. */
function askedModel(log: CallLog, names: KnownNames): string | undefined {
  const { model } = log;
  if (model === undefined) return undefined;
  return names.isKnownModel(model) ? model : OTHER;
}

function spanName(log: CallLog, model: string | undefined): string {
  const { operation } = log;
  if (operation === undefined) return "request";
  if (!operation.endsWith("ChatCompletion") || operation === "ExplainChatCompletion") return operation;
  return model === undefined ? "chat" : `chat ${model}`;
}

function callAttributes(log: CallLog, end: CallEnd, model: string | undefined): Attributes {
  const { requestId, door, operation } = log;
  return defined({
    "parley.request_id": requestId,
    "parley.door": door,
    "parley.operation": operation,
    "gen_ai.request.model": model,
    "http.response.status_code": end.status,
    "error.type": callErrorType(log, end),
  });
}

function recordAttempt(
  traces: Traces,
  within: Context,
  attempt: AttemptRecord,
  log: CallLog,
  end: CallEnd,
  names: KnownNames,
): void {
  const isAnswering = attempt === answeringAttempt(log);
  const attributes = {
    ...operationAttributes(attemptTarget(attempt, isAnswering, log, names)),
    ...attemptAttributes(attempt, log),
    ...(isAnswering ? answerAttributes(log) : {}),
  };
  const name = `chat ${String(attributes["gen_ai.request.model"])}`;
  const options = { kind: CLIENT, startTime: timeAt(log, attempt.startedMs), attributes };
  const span = traces.start(name, options, within);
  if (attributes["error.type"] !== undefined) span.setStatus({ code: ERROR });
  span.end(timeAt(log, attemptEndMs(attempt, end.durationMs)));
}

function attemptAttributes(attempt: AttemptRecord, log: CallLog): Attributes {
  const { startedMs, headMs, firstMs, queuedMs, credential, hedge } = attempt;
  const since = (ms: number | undefined): number | undefined =>
    ms === undefined ? undefined : (ms - startedMs) / 1000;
  return defined({
    "error.type": attemptErrorType(attempt),
    "gen_ai.request.stream": log.isStreaming || undefined,
    "gen_ai.response.time_to_first_chunk": log.isStreaming ? since(firstMs) : undefined,
    "parley.attempt.outcome": outcomeOf(attempt),
    "parley.attempt.move": moveOf(attempt),
    "parley.attempt.hedge": hedge || undefined,
    "parley.attempt.credential": credential,
    "parley.attempt.time_in_queue": queuedMs === undefined ? undefined : queuedMs / 1000,
    "parley.attempt.time_to_headers": since(headMs),
  });
}

/** What the provider said of its answer. */
function answerAttributes(log: CallLog): Attributes {
  const { finishReasons, usage } = log;
  return defined({
    "gen_ai.response.id": log.upstreamId,
    "gen_ai.response.finish_reasons":
      finishReasons.length === 0
        ? undefined
        : finishReasons.map((reason) => FinishReason[reason]?.toLowerCase() ?? OTHER),
    ...(usage === undefined ? {} : usageAttributes(usage)),
  });
}

function usageAttributes(usage: Usage): Attributes {
  return {
    "gen_ai.usage.input_tokens": usage.promptTokens,
    "gen_ai.usage.output_tokens": usage.completionTokens,
    "gen_ai.usage.cache_read.input_tokens": usage.cacheReadInputTokens,
    "gen_ai.usage.cache_creation.input_tokens": usage.cacheCreationInputTokens,
    "gen_ai.usage.reasoning.output_tokens": usage.completionTokensDetails?.reasoningTokens,
  };
}

/** An attempt that was not made has no time of its own: the call's span tells of it. */
function tellSkipped(span: Span, attempt: AttemptRecord, log: CallLog, names: KnownNames): void {
  const target = attemptTarget(attempt, false, log, names);
  const attributes = defined({ ...targetAttributes(target), "error.type": attemptErrorType(attempt) });
  span.addEvent("parley.attempt.skipped", attributes, timeAt(log, attempt.startedMs));
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
