import type { IncomingHttpHeaders } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { CATALOGUE } from "../errors/catalogue.ts";
import { clientGone } from "../errors/client-gone.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type Exchange, logAccess } from "../telemetry/access-line.ts";
import type { CallEnd } from "../telemetry/call-end.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Signals } from "../telemetry/signals.ts";

/** Those who are told of an exchange that is over. */
export interface Recorders {
  readonly logger: Logger;
  readonly signals: Pick<Signals, "recordCall">;
  /** Writes a call down that is over. */
  readonly recordRequest: (log: CallLog, exchange: Exchange) => void;
}

/** An exchange that is over. */
export interface ClosedExchange {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the answer; undefined where it had not begun. */
  readonly status: number | undefined;
  /** Whether the answer got to its end. */
  readonly isWhole: boolean;
}

/** Logs and records a call whose exchange is over. */
export function recordExchange(recorders: Recorders, log: CallLog, closed: ClosedExchange): void {
  const { method, path, headers, status = CATALOGUE[Reason.CANCELLED].httpStatus, isWhole } = closed;
  if (!isWhole) log.failed(clientGone());
  const end = { method, path, headers, status, durationMs: log.elapsedMs(), userAgent: headers["user-agent"] };
  if (isWhole) record(recorders, log, end);
  // The work of a call hears of this next, and says then what its attempts have come to.
  else process.nextTick(record, recorders, log, end);
}

/** Tells metrics and traces, the log, and the log of requests of a call that is over; the log names its trace. */
function record({ signals, logger, recordRequest }: Recorders, log: CallLog, end: Exchange & CallEnd): void {
  signals.recordCall(log, end);
  logAccess(logger, log, end);
  recordRequest(log, end);
}

/** Whether the answer on a stream that is closed got to its end. A client that leaves may say that nothing is wrong. */
export const isWholeStream = ({ rstCode, aborted }: ServerHttp2Stream): boolean => rstCode === 0 && !aborted;
