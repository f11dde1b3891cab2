import type { AttemptRecord } from "../telemetry/attempt-record.ts";
import { formatAttempt } from "../telemetry/format-attempts.ts";
import type { AnswerHeaders } from "./exchange.ts";
import { headerItem, headerList } from "./header-text.ts";

/** The header that tells of a call's attempts, whatever came of them: "a/x=overloaded;ms=12, b/y=succeeded;ms=340". */
export function attemptsHeader(attempts: readonly AttemptRecord[]): AnswerHeaders {
  return attempts.length === 0
    ? {}
    : { "x-parley-attempts": headerList(attempts.map((attempt) => formatAttempt(attempt, headerItem))) };
}
