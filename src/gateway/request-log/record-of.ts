import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type RequestRecord,
  RequestRecordSchema,
  type UsageSummary,
  UsageSummarySchema,
} from "../../gen/parley/requests/v1/requests_service_pb.ts";
import type { RequestLine, RequestRow } from "../../store/requests.ts";
import type { UsageSum } from "../../store/usage.ts";

/** Makes the record that the API has of a row. */
export function recordOf(row: RequestLine & Partial<RequestRow>): RequestRecord {
  const { prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, cost, first_chunk_ms } = row;
  return create(RequestRecordSchema, {
    id: row.id,
    time: timestampFromMs(row.at),
    requestId: row.request_id,
    door: row.door,
    operation: row.operation,
    keyId: row.key_id,
    userAgent: row.user_agent,
    status: row.status,
    reason: row.reason,
    model: row.model,
    target: row.target,
    attempts: JSON.parse(row.attempts) as string[],
    duration: durationFromMs(row.duration_ms),
    stream: row.stream !== 0,
    runUid: row.run_uid,
    ...(prompt_tokens === null ? {} : { promptTokens: BigInt(prompt_tokens) }),
    ...(completion_tokens === null ? {} : { completionTokens: BigInt(completion_tokens) }),
    ...(cached_tokens === null ? {} : { cachedTokens: BigInt(cached_tokens) }),
    ...(reasoning_tokens === null ? {} : { reasoningTokens: BigInt(reasoning_tokens) }),
    ...(cost === null ? {} : { costNanoDollars: BigInt(cost) }),
    ...(first_chunk_ms === null ? {} : { timeToFirstChunk: durationFromMs(first_chunk_ms) }),
    ...(row.params == null ? {} : { paramsJson: row.params }),
    ...(row.completion == null ? {} : { completionJson: row.completion }),
  });
}

/** Makes the sum that the API has. */
export function summaryOf(sum: UsageSum): UsageSummary {
  return create(UsageSummarySchema, {
    keyId: sum.keyId,
    model: sum.model,
    day: sum.day,
    requests: BigInt(sum.requests),
    failed: BigInt(sum.failed),
    promptTokens: BigInt(sum.promptTokens),
    completionTokens: BigInt(sum.completionTokens),
    costNanoDollars: BigInt(sum.nanoDollars),
  });
}
