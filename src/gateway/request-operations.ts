import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Caller } from "../admission/caller.ts";
import { validate } from "../admission/validate.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  type GetRequestRequest,
  GetRequestRequestSchema,
  type GetRequestResponse,
  GetRequestResponseSchema,
  type ListRequestsRequest,
  ListRequestsRequestSchema,
  type ListRequestsResponse,
  ListRequestsResponseSchema,
  type RequestsService,
  type SummarizeUsageRequest,
  SummarizeUsageRequestSchema,
  type SummarizeUsageResponse,
  SummarizeUsageResponseSchema,
  UsageDimension,
} from "../gen/parley/requests/v1/requests_service_pb.ts";
import { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { decodePageToken, encodePageToken } from "../lib/page-token.ts";
import { unlessAborted } from "../lib/unless-aborted.ts";
import { createRequestRows, type RequestFilter } from "../store/requests.ts";
import type { LateStore, Store } from "../store/store.ts";
import { sumUsage } from "../store/usage.ts";
import type { OpenScope } from "./call-scope.ts";
import type { OperationsOf } from "./operation.ts";
import { recordOf, summaryOf } from "./request-log/record-of.ts";
import type { RequestLog } from "./request-log/request-log.ts";
import { keptText } from "./request-log/row-of.ts";
import { settled } from "./settled.ts";

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

const DIMENSIONS: Readonly<Partial<Record<UsageDimension, "key" | "model" | "day">>> = {
  [UsageDimension.KEY]: "key",
  [UsageDimension.MODEL]: "model",
  [UsageDimension.DAY]: "day",
};

/** Makes the operations on the log of requests. Without the scope `admin`, callers see their own alone. */
export function createRequestOperations(options: RequestOperationOptions): OperationsOf<typeof RequestsService> {
  const { open } = options;
  return {
    listRequests: (request, call) =>
      settled(call, open, ({ signal }) => unlessAborted(listRequests(request, call.caller, options), signal)),

    getRequest: (request, call) =>
      settled(call, open, ({ signal }) => unlessAborted(getRequest(request, call.caller, options), signal)),

    summarizeUsage: (request, call) =>
      settled(call, open, ({ signal }) => unlessAborted(summarizeUsage(request, call.caller, options), signal)),
  };
}

async function listRequests(
  request: ListRequestsRequest,
  caller: Caller,
  options: RequestOperationOptions,
): Promise<ListRequestsResponse> {
  await validate(ListRequestsRequestSchema, request);
  const size = request.pageSize ?? DEFAULT_PAGE_SIZE;
  const after = placeOf(request.pageToken);
  if (!mayAskFor(caller, request.keyId)) return create(ListRequestsResponseSchema);
  const store = await read(options);
  // One more than is shown tells whether there is a next page.
  const rows = await createRequestRows(store).list(filterOf(request, caller), size + 1, after);
  const last = rows.length > size ? rows[size - 1] : undefined;
  return create(ListRequestsResponseSchema, {
    requests: rows.slice(0, size).map(recordOf),
    nextPageToken: last === undefined ? "" : encodePageToken([last.at, last.id]),
  });
}

async function getRequest(
  request: GetRequestRequest,
  caller: Caller,
  options: RequestOperationOptions,
): Promise<GetRequestResponse> {
  await validate(GetRequestRequestSchema, request);
  const row = await createRequestRows(await read(options)).get(request.id);
  if (row === undefined || !(isAdmin(caller) || row.key_id === caller.id)) {
    throw new GatewayError(Reason.NOT_FOUND, "there is no such request in the log", { param: "id" });
  }
  return create(GetRequestResponseSchema, { request: recordOf(row) });
}

async function summarizeUsage(
  request: SummarizeUsageRequest,
  caller: Caller,
  options: RequestOperationOptions,
): Promise<SummarizeUsageResponse> {
  await validate(SummarizeUsageRequestSchema, request);
  const span = spanOf(request);
  // As for a key that has made no requests.
  const nothing = request.by.length === 0 ? [{}] : [];
  if (!mayAskFor(caller, request.keyId)) return create(SummarizeUsageResponseSchema, { summaries: nothing });
  const sums = await sumUsage(await read(options), {
    ...span,
    by: new Set(request.by.flatMap((dimension) => DIMENSIONS[dimension] ?? [])),
    keyId: keyOf(caller, request.keyId),
    model: orUndefined(keptText(request.model)),
    operations: SUMMED,
    limit: MAX_SUMMARIES,
  });
  return create(SummarizeUsageResponseSchema, { summaries: sums.map(summaryOf) });
}

/** Opens the store, when what is recorded has been written to it. */
async function read({ store, log }: RequestOperationOptions): Promise<Store> {
  const opened = await store.open();
  await log.flush();
  return opened;
}

const isAdmin = ({ scopes }: Caller): boolean => scopes.has(Scope.ADMIN);

/** Whether a caller may see requests of the key that it asks for; "" stands for all that it may see. */
const mayAskFor = (caller: Caller, keyId: string): boolean => keyId === "" || keyId === caller.id || isAdmin(caller);

/** The key whose requests a caller sees, of what it may ask for; undefined: everybody's. */
const keyOf = (caller: Caller, asked: string): string | undefined => (isAdmin(caller) ? orUndefined(asked) : caller.id);

/** Reads where a page begins; undefined: at the newest row. */
function placeOf(token: string): readonly [at: number, id: string] | undefined {
  if (token === "") return undefined;
  const cursor = decodePageToken(token, "number", "string");
  if (cursor === undefined || !Number.isSafeInteger(cursor[0])) {
    throw invalid("page_token", "page_token is not one that a list of requests has given");
  }
  return cursor;
}

function filterOf(request: ListRequestsRequest, caller: Caller): RequestFilter {
  const { keyId, model, door, operation, status, failed, since, until, requestId } = request;
  return {
    keyId: keyOf(caller, keyId),
    model: orUndefined(keptText(model)),
    door: orUndefined(door),
    operation: orUndefined(operation),
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
  // What came in this millisecond came before now.
  const until = request.until === undefined ? Date.now() + 1 : timeOf(request.until);
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
