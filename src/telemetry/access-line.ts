import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { CallFields, CallLog } from "./call-log.ts";
import type { Logger } from "./logger.ts";

/** The HTTP exchange of a call, when it is over. */
export interface Exchange {
  readonly method: string;
  /** Path of the URL; from a "?" on it is left out. */
  readonly path: string;
  /** Status of the HTTP answer; 499 where the client was gone before there was one. */
  readonly status: number;
  readonly durationMs: number;
  readonly userAgent?: string | undefined;
}

/** The one line that is logged of a call: without a prompt or an answer, and of what the caller wrote only names, cut where long. */
export interface AccessFields extends CallFields {
  readonly method: string;
  readonly path: string;
  /** HTTP status on REST; on the other doors the name of the Connect code, "ok" without an error. */
  readonly status: number | string;
  /** Milliseconds, to a tenth. */
  readonly durationMs: number;
  readonly userAgent?: string;
  /** What a fault of the gateway came from. */
  readonly err?: unknown;
}

const MAX_TEXT = 200;

/** Makes the fields of a call's line. Path and user agent are cut at 200 characters. */
export function accessFields(log: CallLog, exchange: Exchange): AccessFields {
  const { method, path, durationMs, userAgent } = exchange;
  return {
    ...log.fields(),
    method,
    path: path.split("?", 1).join("").slice(0, MAX_TEXT),
    status: statusOf(log, exchange.status),
    durationMs: Math.round(durationMs * 10) / 10,
    ...(userAgent === undefined ? {} : { userAgent: userAgent.slice(0, MAX_TEXT) }),
    ...errOf(log),
  };
}

/** What a fault of the gateway came from: of the call, or of an attempt that was made good by another. */
function errOf(log: CallLog): Pick<AccessFields, "err"> {
  const fault = faultOf(log);
  return fault === undefined ? {} : { err: fault.details.cause ?? fault };
}

const faultOf = ({ error, attempts }: CallLog): GatewayError | undefined =>
  [error, ...attempts.map((attempt) => attempt.error)].find((it) => it?.reason === Reason.INTERNAL);

/**
 * The level of a call's line: error for a fault of the gateway, also in an attempt alone; warn for the other errors with a status from 500 on.
 */
export function accessLevel(log: CallLog): "info" | "warn" | "error" {
  const { error } = log;
  if (faultOf(log) !== undefined) return "error";
  if (error === undefined) return "info";
  return error.row.httpStatus >= 500 ? "warn" : "info";
}

/** Logs a call's line. */
export function logAccess(logger: Logger, log: CallLog, exchange: Exchange): void {
  const level = accessLevel(log);
  if (logger.isLevelEnabled(level)) logger[level](accessFields(log, exchange), "call");
}

function statusOf({ door, error }: CallLog, httpStatus: number): number | string {
  if (door === "rest") return httpStatus;
  if (error !== undefined) return codeToString(error.row.connectCode);
  // Without an error of ours, another status than 200 is the RPC layer's own refusal, such as 415.
  return httpStatus === 200 ? "ok" : httpStatus;
}
