import type { Attributes } from "@opentelemetry/api";
import { ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { type Adjustment, Adjustment_Action, Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";
import type { AttemptRecord } from "./attempt-record.ts";
import {
  answeringAttempt,
  attemptEndMs,
  attemptErrorType,
  callErrorType,
  moveOf,
  OTHER,
  operationAttributes,
  outcomeOf,
  targetAttributes,
} from "./attributes.ts";
import type { CallEnd } from "./call-end.ts";
import type { CallLog } from "./call-log.ts";
import type { Instruments } from "./instruments.ts";
import type { KnownNames } from "./known-names.ts";

/** Records what is counted and measured of a finished call. */
export function recordMetrics(instruments: Instruments, log: CallLog, end: CallEnd, names: KnownNames): void {
  instruments.callDuration.record(end.durationMs / 1000, callAttributes(log, end));
  for (const attempt of log.attempts) recordAttempt(instruments, attempt, log, end, names);
  recordUsage(instruments, log, names);
  recordAdjustments(instruments, log);
}

function callAttributes(log: CallLog, end: CallEnd): Attributes {
  const { door, operation } = log;
  return withError(
    { "parley.door": door, ...(operation === undefined ? {} : { "parley.operation": operation }) },
    callErrorType(log, end),
  );
}

function recordAttempt(
  { attempts, operationDuration, timeToFirstChunk }: Instruments,
  attempt: AttemptRecord,
  log: CallLog,
  end: CallEnd,
  names: KnownNames,
): void {
  const error = attemptErrorType(attempt);
  const move = moveOf(attempt);
  const counted: Attributes = {
    ...targetAttributes(attempt, names),
    "parley.attempt.outcome": outcomeOf(attempt),
    ...(move === undefined ? {} : { "parley.attempt.move": move }),
  };
  attempts.add(1, withError(counted, error));
  if (attempt.outcome === Attempt_Outcome.SKIPPED) return;
  const attributes = operationAttributes(attempt, log, names);
  const { startedMs, firstMs } = attempt;
  const durationMs = attemptEndMs(attempt, end.durationMs) - startedMs;
  operationDuration.record(durationMs / 1000, withError({ ...attributes }, error));
  if (log.isStreaming && firstMs !== undefined) timeToFirstChunk.record((firstMs - startedMs) / 1000, attributes);
}

function recordUsage({ tokenUsage }: Instruments, log: CallLog, names: KnownNames): void {
  const { usage } = log;
  const attempt = answeringAttempt(log);
  if (usage === undefined || attempt === undefined) return;
  const attributes = operationAttributes(attempt, log, names);
  tokenUsage.record(usage.promptTokens, { ...attributes, "gen_ai.token.type": "input" });
  tokenUsage.record(usage.completionTokens, { ...attributes, "gen_ai.token.type": "output" });
}

/** Names of the contract's parameters. */
const PARAMETERS = new Set(ChatCompletionParamsSchema.fields.map(({ name }) => name));

/** The parameter that a path leads into; callers choose the names of parameters that the contract does not have. */
function parameterOf({ path }: Adjustment): string {
  const [first = ""] = path.split(/[.[]/, 1);
  return PARAMETERS.has(first) ? first : OTHER;
}

function recordAdjustments({ adjustments }: Instruments, log: CallLog): void {
  // A call with many messages can have thousands, nearly all of them alike.
  const counts = new Map<string, { readonly attributes: Attributes; count: number }>();
  const [provider = ""] = log.target?.split("/", 1) ?? [];
  for (const adjustment of log.adjustments) {
    const parameter = parameterOf(adjustment);
    const action = Adjustment_Action[adjustment.action]?.toLowerCase() ?? OTHER;
    const key = `${parameter} ${action}`;
    const counted = counts.get(key);
    if (counted !== undefined) counted.count++;
    else {
      const attributes = { "parley.provider": provider, "parley.parameter": parameter, "parley.adjustment": action };
      counts.set(key, { attributes, count: 1 });
    }
  }
  for (const { attributes, count } of counts.values()) adjustments.add(count, attributes);
}

function withError(attributes: Attributes, error: string | undefined): Attributes {
  if (error !== undefined) attributes["error.type"] = error;
  return attributes;
}
