import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Caller } from "../admission/caller.ts";
import { validate } from "../admission/validate.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  GetRequestRequestSchema,
  GetRequestResponseSchema,
  type ListRequestsRequest,
  ListRequestsRequestSchema,
  ListRequestsResponseSchema,
  type RequestsService,
  type SummarizeUsageRequest,
  SummarizeUsageRequestSchema,
  SummarizeUsageResponseSchema,
  UsageDimension,
} from "../gen/parley/requests/v1/requests_service_pb.ts";
import { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { decodePageToken, encodePageToken } from "../lib/page-token.ts";
import {
  findRequest,
  listRequests,
  type RequestFilter,
  type RequestPlace,
  sumUsage,
  type UsageDimensions,
} from "../store/requests.ts";
import type { LateStore, Store } from "../store/store.ts";
import type { OperationsOf } from "./operation.ts";
import { recordOf, summaryOf } from "./request-log/record-of.ts";
import type { RequestLog } from "./request-log/request-log.ts";
import { keptText } from "./request-log/row-of.ts";
import { type OpenScope, settled } from "./settled.ts";

/** What the operations work with. */
export interface RequestOperationOptions {
  readonly store: LateStore;
  /** What is still to be written is written before anything is read, so that callers find their own calls at once. */
  readonly log: Pick<RequestLog, "flush">;
  readonly open: OpenScope;
}

const DEFAULT_PAGE_SIZE = 50;
const DEFAULT_SPAN_MS = 30 * 86_400_000;
const MAX_SUMMARIES = 10_000;

/** Rpcs whose requests are summed. */
const SUMMED = ["CreateChatCompletion", "StreamChatCompletion"];

/** Makes the operations on the log of requests. */
export function createRequestOperations(options: RequestOperationOptions): OperationsOf<typeof RequestsService> {
  const { open } = options;
  return {
    listRequests: (request, call) =>
      settled(call, open, async () => {
        validate(ListRequestsRequestSchema, request);
        const size = request.pageSize ?? DEFAULT_PAGE_SIZE;
        const after = placeOf(request.pageToken);
        if (!maySee(call.caller, request.keyId)) return create(ListRequestsResponseSchema);
        const { db } = await read(options);
        // One more than is shown tells whether there is a next page.
        const rows = await listRequests(db, filterOf(request, call.caller), after, size + 1);
        const last = rows.length > size ? rows[size - 1] : undefined;
        return create(ListRequestsResponseSchema, {
          requests: rows.slice(0, size).map(recordOf),
          nextPageToken: last === undefined ? "" : encodePageToken([last.at, last.id]),
        });
      }),

    getRequest: (request, call) =>
      settled(call, open, async () => {
        validate(GetRequestRequestSchema, request);
        const { db } = await read(options);
        const row = await findRequest(db, request.id, keyOf(call.caller, ""));
        if (row === undefined) {
          throw new GatewayError(Reason.NOT_FOUND, "there is no such request in the log", { param: "id" });
        }
        return create(GetRequestResponseSchema, { request: recordOf(row) });
      }),

    summarizeUsage: (request, call) =>
      settled(call, open, async () => {
        validate(SummarizeUsageRequestSchema, request);
        const { caller } = call;
        const span = spanOf(request);
        const by = dimensionsOf(request.by);
        if (!maySee(caller, request.keyId)) {
          return create(SummarizeUsageResponseSchema, { summaries: request.by.length === 0 ? [{}] : [] });
        }
        const filter = { ...span, keyId: keyOf(caller, request.keyId), model: orUndefined(keptText(request.model)) };
        const { db } = await read(options);
        const sums = await sumUsage(db, { ...filter, operations: SUMMED }, by, MAX_SUMMARIES);
        return create(SummarizeUsageResponseSchema, { summaries: sums.map(summaryOf) });
      }),
  };
}

/** Opens the store, when what is recorded has been written to it. */
async function read({ store, log }: RequestOperationOptions): Promise<Store> {
  const opened = await store.open();
  await log.flush();
  return opened;
}

/** Whether a caller may see the requests of a key; "" stands for all that it may see. */
const maySee = ({ id, scopes }: Caller, keyId: string): boolean =>
  keyId === "" || keyId === id || scopes.has(Scope.ADMIN);

/** The key that a caller who may see it asks for; undefined: all keys. Without the scope `admin`, it is the caller's own. */
function keyOf({ id, scopes }: Caller, asked: string): string | undefined {
  if (!scopes.has(Scope.ADMIN)) return id;
  return orUndefined(asked);
}

const dimensionsOf = (by: readonly UsageDimension[]): UsageDimensions => ({
  key: by.includes(UsageDimension.KEY),
  model: by.includes(UsageDimension.MODEL),
  day: by.includes(UsageDimension.DAY),
});

/** Reads where a page begins; undefined: at the newest row. */
function placeOf(token: string): RequestPlace | undefined {
  if (token === "") return undefined;
  const cursor = decodePageToken(token, "number", "string");
  if (cursor === undefined || !Number.isSafeInteger(cursor[0])) {
    throw invalid("page_token", "page_token is not one that a list of requests has given");
  }
  return { at: cursor[0], id: cursor[1] };
}

function filterOf(request: ListRequestsRequest, caller: Caller): RequestFilter {
  const { keyId, model, door, operation, status, failed, since, until, requestId } = request;
  return {
    keyId: keyOf(caller, keyId),
    model: orUndefined(keptText(model)),
    door: orUndefined(door),
    operations: operation === "" ? undefined : [operation],
    requestId: orUndefined(requestId),
    status,
    failed,
    since: since && timeOf(since),
    until: until && timeOf(until),
  };
}

const orUndefined = (text: string): string | undefined => (text === "" ? undefined : text);

/** The time that is summed over. Fails where there is none. */
function spanOf(request: SummarizeUsageRequest): { readonly since: number; readonly until: number } {
  const until = request.until === undefined ? Date.now() : timeOf(request.until);
  const since = request.since === undefined ? until - DEFAULT_SPAN_MS : timeOf(request.since);
  if (since >= until) throw invalid("since", "since must be before until");
  return { since, until };
}

const invalid = (param: string, message: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, message, { param });

/** The last time that there is a date of, in Unix milliseconds. */
const LAST_TIME_MS = 8.64e15;

/** A time in Unix milliseconds, none of which is before it: rows have whole ones. */
function timeOf({ seconds, nanos }: Timestamp): number {
  const ms = Number(seconds) * 1000 + Math.ceil(nanos / 1e6);
  return Math.min(Math.max(ms, -LAST_TIME_MS), LAST_TIME_MS);
}
