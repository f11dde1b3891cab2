import type { GatewayError } from "../errors/gateway-error.ts";
import { Attempt_Move, Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";
import type { Target } from "../routing/target.ts";
import type { AttemptRecord } from "../telemetry/attempt-record.ts";
import type { CallLog } from "../telemetry/call-log.ts";

/** What is known of an attempt when it begins. */
type Beginning = Pick<AttemptRecord, "credential" | "hedge" | "queuedMs">;

/** Begins the record of an attempt, at the end of the call's. */
export function beginRecord(log: CallLog, { backend, model, name }: Target, beginning: Beginning): AttemptRecord {
  const { credential, hedge, queuedMs } = beginning;
  const record: AttemptRecord = {
    target: name,
    provider: backend.id,
    model,
    credential,
    hedge,
    queuedMs,
    startedMs: log.elapsedMs(),
    outcome: Attempt_Outcome.UNSPECIFIED,
    move: Attempt_Move.UNSPECIFIED,
  };
  log.attempts.push(record);
  return record;
}

/** Writes down that a target was passed over, and why. */
export function noteSkipped(log: CallLog, target: Target, error: GatewayError): void {
  const record = beginRecord(log, target, { credential: undefined, hedge: false, queuedMs: undefined });
  record.endedMs = record.startedMs;
  record.outcome = Attempt_Outcome.SKIPPED;
  record.error = error;
}

/** Writes down that a target is asked, with that key, after the attempts that came to nothing. */
export function noteMove(log: CallLog, target: Target, credential: number | undefined): void {
  for (const record of log.attempts) {
    if (!isOpen(record)) continue;
    if (record.target !== target.name) record.move = Attempt_Move.NEXT_TARGET;
    else if (record.credential !== undefined && record.credential !== credential)
      record.move = Attempt_Move.NEXT_CREDENTIAL;
    else record.move = Attempt_Move.RETRY;
  }
}

/** Writes down that nobody is asked any more after the attempts that came to nothing. */
export function noteEnd(log: CallLog): void {
  for (const record of log.attempts) if (isOpen(record)) record.move = Attempt_Move.GIVE_UP;
}

/** Whether an attempt came to nothing, and it is not written down what was done after it. */
const isOpen = ({ outcome, move }: AttemptRecord): boolean =>
  (outcome === Attempt_Outcome.FAILED || outcome === Attempt_Outcome.SKIPPED) && move === Attempt_Move.UNSPECIFIED;
