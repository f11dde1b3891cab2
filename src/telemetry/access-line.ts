import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { CallLog, Door } from "./call-log.ts";
import { type ErrorFields, errorFields } from "./error-fields.ts";
import { formatAdjustments } from "./format-adjustments.ts";
import { formatAttempts } from "./format-attempts.ts";
import type { LineLevel, Logger } from "./logger.ts";

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

/**
 * The one line that is logged of a call: without a prompt or an answer, and of what the caller wrote only names, cut where long. What is
 * undefined is not in it.
 */
export interface AccessFields {
  readonly requestId: string;
  readonly door: Door;
  /** Name of the rpc: "CreateChatCompletion". */
  readonly operation: string | undefined;
  /** Id of the key, "jwt:" and the token's subject, or "open" where nobody has to say who they are. */
  readonly keyId: string | undefined;
  /** Uid of the run that it is made for. */
  readonly runUid: string | undefined;
  /** The model that was asked for. */
  readonly model: string | undefined;
  /** The "provider/model" that was called. */
  readonly target: string | undefined;
  /** What was adjusted, without values: "top_k=dropped". Undefined where nothing was. */
  readonly adjustments: readonly string[] | undefined;
  /** What was tried, where that was more than one success: "a/x=overloaded;ms=12". Of more than 20, the first 20, and "…". */
  readonly attempts: readonly string[] | undefined;
  /** The provider's own id of the answer. */
  readonly upstreamId: string | undefined;
  /** The model that the provider says it answered with. */
  readonly upstreamModel: string | undefined;
  readonly promptTokens: number | undefined;
  readonly completionTokens: number | undefined;
  /** What the call cost, in nano-dollars. */
  readonly costNanoDollars: number | undefined;
  /** From the arrival of the request to the first output, in milliseconds. */
  readonly firstChunkMs: number | undefined;
  /** Name of the error's reason: "MODEL_NOT_FOUND". */
  readonly reason: string | undefined;
  /** Id of the trace that has the call's span: 32 hexadecimal digits. Undefined where no traces are made. */
  readonly traceId: string | undefined;
  readonly method: string;
  readonly path: string;
  /** HTTP status on REST; on the other doors the name of the Connect code, "ok" without an error. */
  readonly status: number | string;
  /** Milliseconds, to a tenth. */
  readonly durationMs: number;
  readonly userAgent: string | undefined;
  /** What a fault of the gateway came from. */
  readonly err: ErrorFields | undefined;
  readonly msg: "call";
}

const MAX_TEXT = 200;

/** Makes the fields of a call's line. Path and user agent are cut at 200 characters. */
export function accessFields(log: CallLog, exchange: Exchange): AccessFields {
  const { adjustments, usage, error } = log;
  return {
    requestId: log.requestId,
    door: log.door,
    operation: log.operation,
    keyId: log.callerId,
    runUid: log.runUid,
    model: log.model,
    target: log.target,
    adjustments: adjustments.length === 0 ? undefined : formatAdjustments(adjustments),
    attempts: formatAttempts(log.attempts),
    upstreamId: log.upstreamId,
    upstreamModel: log.upstreamModel,
    promptTokens: usage?.promptTokens,
    completionTokens: usage?.completionTokens,
    costNanoDollars: log.costNanoDollars,
    firstChunkMs: log.firstChunkMs,
    reason: error?.reasonName,
    traceId: log.traceId,
    method: exchange.method,
    path: shownPath(exchange.path),
    status: statusOf(log, exchange.status),
    durationMs: Math.round(exchange.durationMs * 10) / 10,
    userAgent: exchange.userAgent?.slice(0, MAX_TEXT),
    err: errOf(log),
    msg: "call",
  };
}

function shownPath(path: string): string {
  const end = path.indexOf("?");
  return path.slice(0, end < 0 ? MAX_TEXT : Math.min(end, MAX_TEXT));
}

/** What a fault of the gateway came from. */
function errOf(log: CallLog): ErrorFields | undefined {
  const fault = faultOf(log);
  return fault && errorFields(fault.details.cause ?? fault);
}

/** A fault of the gateway: what the call failed with, or an attempt that was made good by another. */
function faultOf({ error, attempts }: CallLog): GatewayError | undefined {
  if (error?.reason === Reason.INTERNAL) return error;
  for (const attempt of attempts) if (attempt.error?.reason === Reason.INTERNAL) return attempt.error;
  return undefined;
}

/**
 * The level of a call's line: error for a fault of the gateway, also in an attempt alone; warn for the other errors with a status from 500 on.
 */
export function accessLevel(log: CallLog): LineLevel {
  if (faultOf(log) !== undefined) return "error";
  return log.error !== undefined && log.error.row.httpStatus >= 500 ? "warn" : "info";
}

/** Logs a call's line. */
export function logAccess(logger: Logger, log: CallLog, exchange: Exchange): void {
  const level = accessLevel(log);
  if (logger.isLevelEnabled(level)) logger.plain(level, accessFields(log, exchange));
}

function statusOf({ door, error }: CallLog, httpStatus: number): number | string {
  if (door === "rest") return httpStatus;
  if (error !== undefined) return codeToString(error.row.connectCode);
  // Without an error of ours, another status than 200 is the RPC layer's own refusal, such as 415.
  return httpStatus === 200 ? "ok" : httpStatus;
}
