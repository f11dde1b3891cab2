import type { AttemptRecord } from "../telemetry/attempt-record.ts";
import { formatAttempt } from "../telemetry/format-attempts.ts";
import { headerItem, headerList } from "./header-text.ts";

/** The value of the header that tells of a call's attempts: "a/x=overloaded;ms=12, b/y=succeeded;ms=340". */
export function attemptsText(attempts: readonly AttemptRecord[]): string {
  return headerList(attempts.map((attempt) => formatAttempt(attempt, headerItem)));
}
