import { CATALOGUE } from "../../errors/catalogue.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { logId } from "../../lib/ids.ts";
import type { RequestTable } from "../../store/schema.ts";
import type { Exchange } from "../../telemetry/access-line.ts";
import type { CallLog } from "../../telemetry/call-log.ts";
import { formatAttempts } from "../../telemetry/format-attempts.ts";

/** What a row needs to know of the exchange of its call. Of a run there is none: its status is 200. */
export type RowExchange = Pick<Exchange, "status" | "durationMs" | "userAgent">;

/** Longest user agent, and longest name of a model or target, that is kept whole: callers choose them. */
const MAX_TEXT = 200;

/** A text of a caller's as it is kept. */
export const keptText = (text: string): string => text.slice(0, MAX_TEXT);

const GONE = CATALOGUE[Reason.CANCELLED].httpStatus;

/** Makes the row of a call that is over. */
export function rowOf(log: CallLog, exchange: RowExchange): RequestTable {
  const { usage, content, firstChunkMs } = log;
  const attempts = formatAttempts(log.attempts);
  return {
    id: logId(),
    at: log.startedAtMs,
    request_id: log.requestId,
    door: log.door,
    operation: log.operation ?? "",
    key_id: log.callerId ?? "",
    user_agent: keptText(exchange.userAgent ?? ""),
    status: statusOf(log, exchange.status),
    reason: reasonOf(log, exchange.status),
    model: keptText(log.askedModel ?? ""),
    target: keptText(log.target ?? ""),
    attempts: attempts === undefined ? "[]" : JSON.stringify(attempts),
    prompt_tokens: usage?.promptTokens ?? null,
    completion_tokens: usage?.completionTokens ?? null,
    cached_tokens: usage?.promptTokensDetails?.cachedTokens ?? usage?.cacheReadInputTokens ?? null,
    reasoning_tokens: usage?.completionTokensDetails?.reasoningTokens ?? null,
    cost: log.costNanoDollars ?? null,
    first_chunk_ms: firstChunkMs === undefined ? null : Math.round(firstChunkMs),
    duration_ms: Math.round(exchange.durationMs),
    stream: log.isStreaming ? 1 : 0,
    run_uid: log.runUid ?? "",
    params: content?.params ?? null,
    completion: content?.completion?.() ?? null,
  };
}

/** A client that went away shows as that, also where its answer had begun. Else REST has the status that was sent. */
function statusOf({ door, error }: CallLog, httpStatus: number): number {
  if (error === undefined) return httpStatus;
  const { httpStatus: meant } = error.row;
  return door === "rest" && meant !== GONE ? httpStatus : meant;
}

/** What the RPC layer refuses by itself, such as with 415, has no error of ours. */
function reasonOf({ error }: CallLog, httpStatus: number): Reason {
  if (error !== undefined) return error.reason;
  return httpStatus >= 400 ? Reason.INVALID_REQUEST : Reason.UNSPECIFIED;
}
