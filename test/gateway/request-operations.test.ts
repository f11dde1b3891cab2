import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Caller, OPEN_CALLER } from "../../src/admission/caller.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { createLiveCalls } from "../../src/gateway/call-scope.ts";
import type { CallContext, OperationsOf } from "../../src/gateway/operation.ts";
import { createRequestLog, type RequestLog } from "../../src/gateway/request-log/request-log.ts";
import { createRequestOperations } from "../../src/gateway/request-operations.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import {
  GetRequestRequestSchema,
  ListRequestsRequestSchema,
  type ListRequestsResponse,
  type RequestsService,
  SummarizeUsageRequestSchema,
  UsageDimension,
} from "../../src/gen/parley/requests/v1/requests_service_pb.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import { encodePageToken } from "../../src/lib/page-token.ts";
import type { RequestTable } from "../../src/store/schema.ts";
import type { LateStore } from "../../src/store/store.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { failureOf } from "../support/collect.ts";
import { STORE_KINDS, type TestStore } from "../support/stores.ts";
import { HOSTILE, lateOf, rowWith } from "./request-log/support/rows.ts";

const ADMIN: Caller = { ...OPEN_CALLER, id: "boss", scopes: new Set([Scope.ADMIN]) };
const ANN: Caller = { ...OPEN_CALLER, id: "ann", scopes: new Set([Scope.REQUESTS]) };

const NOON = Date.UTC(2026, 0, 31, 12);
const DAY_MS = 86_400_000;

/** The rows of this suite, by what they stand for. */
const ROWS: Readonly<Record<string, Partial<RequestTable>>> = {
  a: { key_id: "ann", at: NOON, prompt_tokens: 10, completion_tokens: 20, cost: 3_000_000_000_000, params: '{"a":1}' },
  b: { key_id: "ann", at: NOON + 1, model: "gpt", door: "grpc", operation: "StreamChatCompletion", cost: 1 },
  c: { key_id: "bob", at: NOON + 1, status: 404, reason: Reason.MODEL_NOT_FOUND, model: "gpt", request_id: "mine" },
  d: { key_id: "bob", at: NOON + DAY_MS, operation: "ListModels", prompt_tokens: 1_000_000 },
  e: { key_id: "", at: NOON + DAY_MS, status: 401, reason: Reason.INVALID_API_KEY, operation: "" },
  f: { key_id: "ann", at: NOON + DAY_MS, prompt_tokens: 5, completion_tokens: null },
};

const contextOf = (caller: Caller): CallContext => ({
  caller,
  log: new CallLog("req_1", "rest"),
  signal: new AbortController().signal,
  timeoutMs: undefined,
});

const namesOf = ({ requests }: ListRequestsResponse): string => requests.map(({ id }) => id.slice(4)).join("");

describe.each(STORE_KINDS)("createRequestOperations() on $name", ({ isMissing, open }) => {
  describe.skipIf(isMissing)("with requests of several keys", () => {
    let own: TestStore;
    let log: RequestLog;
    let operations: OperationsOf<typeof RequestsService>;

    beforeAll(async () => {
      own = await open();
      const calls = createLiveCalls();
      const store = lateOf(own.store);
      const settings = { enabled: true, retentionMs: DAY_MS };
      log = createRequestLog({ store, settings, logger: createLogger({ level: "silent" }) });
      operations = createRequestOperations({ store, log, open: (call) => calls.open(call, 60_000) });
    });
    beforeEach(async () => {
      await own.store.db.deleteFrom("requests").execute();
      for (const [name, fields] of Object.entries(ROWS)) log.record(rowWith({ id: `log_${name}`, ...fields }));
    });
    afterAll(async () => {
      await log.close();
      await own.remove();
    });

    const list = (
      caller: Caller,
      filter: MessageInitShape<typeof ListRequestsRequestSchema> = {},
    ): Promise<ListRequestsResponse> =>
      operations.listRequests(create(ListRequestsRequestSchema, filter), contextOf(caller));

    it.each<[caller: Caller, filter: MessageInitShape<typeof ListRequestsRequestSchema>, names: string]>([
      [ADMIN, {}, "fedcba"],
      [ANN, {}, "fba"],
      [ANN, { keyId: "ann" }, "fba"],
      [ANN, { keyId: "bob" }, ""],
      [ADMIN, { keyId: "bob" }, "dc"],
      [ADMIN, { model: "gpt" }, "cb"],
      [ANN, { model: "gpt" }, "b"],
      [ADMIN, { door: "grpc" }, "b"],
      [ADMIN, { operation: "ListModels" }, "d"],
      [ADMIN, { status: 404 }, "c"],
      [ADMIN, { failed: true }, "ec"],
      [ADMIN, { failed: false }, "fdba"],
      [ADMIN, { since: timestampFromMs(NOON + 1) }, "fedcb"],
      [ADMIN, { since: { seconds: BigInt(NOON / 1000), nanos: 1 } }, "fedcb"],
      [ADMIN, { until: timestampFromMs(NOON + 1) }, "a"],
      [ADMIN, { until: { seconds: BigInt(NOON / 1000), nanos: 1 } }, "a"],
      [ADMIN, { since: { seconds: -62_135_596_800n }, until: { seconds: 253_402_300_799n } }, "fedcba"],
      [ADMIN, { requestId: "mine" }, "c"],
      [ANN, { requestId: "mine" }, ""],
      ...HOSTILE.map((text): [Caller, MessageInitShape<typeof ListRequestsRequestSchema>, string] => [
        ADMIN,
        { model: text, keyId: text, door: text, operation: text, requestId: text },
        "",
      ]),
      [ADMIN, { model: "\0", keyId: "\ud800" }, ""],
    ])("lists for $id what %o chooses: %s", async (caller, filter, names) => {
      expect(namesOf(await list(caller, filter))).toBe(names);
    });

    it("lists page by page, each request once", async () => {
      let names = "";
      const pages: number[] = [];
      for (let pageToken = "", isFirst = true; isFirst || pageToken !== ""; isFirst = false) {
        const page = await list(ADMIN, { pageSize: 2, pageToken });
        names += namesOf(page);
        pages.push(page.requests.length);
        pageToken = page.nextPageToken;
      }
      expect({ names, pages }).toEqual({ names: "fedcba", pages: [2, 2, 2] });
    });

    it.each([
      ["no token", "x"],
      ["another list's", encodePageToken(["a", "b"])],
      ["a fraction", encodePageToken([1.5, "b"])],
    ])("refuses %s as a page token", async (_what, pageToken) => {
      expect(await failureOf(list(ADMIN, { pageToken }))).toMatchObject({
        reason: Reason.INVALID_VALUE,
        details: { param: "page_token" },
      });
    });

    it("refuses a page that is too large", async () => {
      expect(await failureOf(list(ADMIN, { pageSize: 1_001 }))).toMatchObject({ reason: Reason.INVALID_VALUE });
    });

    it("lists no contents, and gives them with one request", async () => {
      expect((await list(ANN)).requests.filter(({ paramsJson }) => paramsJson !== undefined)).toEqual([]);
      const { request } = await operations.getRequest(create(GetRequestRequestSchema, { id: "log_a" }), contextOf(ANN));
      expect(request).toMatchObject({
        id: "log_a",
        time: timestampFromMs(NOON),
        requestId: "req_1",
        door: "rest",
        operation: "CreateChatCompletion",
        keyId: "ann",
        userAgent: "curl/8",
        status: 200,
        reason: Reason.UNSPECIFIED,
        model: "auto",
        target: "sandbox/eliza",
        attempts: [],
        promptTokens: 10n,
        completionTokens: 20n,
        costNanoDollars: 3_000_000_000_000n,
        duration: { seconds: 0n, nanos: 12_000_000 },
        stream: false,
        runUid: "",
        paramsJson: '{"a":1}',
      });
      expect([request?.completionJson, request?.cachedTokens, request?.timeToFirstChunk]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });

    it.each<[caller: Caller, id: string]>([
      [ANN, "log_c"],
      [ANN, "log_e"],
      [ANN, "log_z"],
      [ADMIN, "log_z"],
      [ADMIN, "\0' or 1=1 --"],
    ])("finds for $id no %j", async (caller, id) => {
      const found = operations.getRequest(create(GetRequestRequestSchema, { id }), contextOf(caller));
      expect(await failureOf(found)).toMatchObject({ reason: Reason.NOT_FOUND, details: { param: "id" } });
    });

    it("gives texts back as they are", async () => {
      for (const text of HOSTILE) {
        log.record(
          rowWith({ user_agent: text, request_id: text, model: text, target: text, attempts: JSON.stringify([text]) }),
        );
        const { requests } = await list(ADMIN, { requestId: text, model: text });
        expect(requests).toMatchObject([
          { userAgent: text, requestId: text, model: text, target: text, attempts: [text] },
        ]);
      }
    });

    const { KEY, MODEL, DAY } = UsageDimension;
    const SPAN = { since: timestampFromMs(NOON - DAY_MS), until: timestampFromMs(NOON + 2 * DAY_MS) };

    /** Sums as texts: day, key, model, requests, failed, tokens, money. */
    async function sums(
      caller: Caller,
      filter: MessageInitShape<typeof SummarizeUsageRequestSchema>,
    ): Promise<string[]> {
      const request = create(SummarizeUsageRequestSchema, { ...SPAN, ...filter });
      const { summaries } = await operations.summarizeUsage(request, contextOf(caller));
      return summaries.map((it) =>
        [
          it.day,
          it.keyId,
          it.model,
          it.requests,
          it.failed,
          it.promptTokens,
          it.completionTokens,
          it.costNanoDollars,
        ].join(" "),
      );
    }

    it.each<[caller: Caller, filter: MessageInitShape<typeof SummarizeUsageRequestSchema>, sums: string[]]>([
      [ADMIN, {}, ["   4 1 15 20 3000000000001"]],
      [ADMIN, { by: [KEY] }, [" ann  3 0 15 20 3000000000001", " bob  1 1 0 0 0"]],
      [ADMIN, { by: [MODEL] }, ["  auto 2 0 15 20 3000000000000", "  gpt 2 1 0 0 1"]],
      [ADMIN, { by: [DAY] }, ["2026-01-31   3 1 10 20 3000000000001", "2026-02-01   1 0 5 0 0"]],
      [
        ADMIN,
        { by: [MODEL, KEY, DAY] },
        [
          "2026-01-31 ann auto 1 0 10 20 3000000000000",
          "2026-01-31 ann gpt 1 0 0 0 1",
          "2026-01-31 bob gpt 1 1 0 0 0",
          "2026-02-01 ann auto 1 0 5 0 0",
        ],
      ],
      [ADMIN, { keyId: "bob", by: [KEY] }, [" bob  1 1 0 0 0"]],
      [ADMIN, { model: "auto", by: [MODEL] }, ["  auto 2 0 15 20 3000000000000"]],
      [ANN, { by: [KEY] }, [" ann  3 0 15 20 3000000000001"]],
      [ANN, { keyId: "bob", by: [KEY] }, []],
      [ANN, { keyId: "bob" }, ["   0 0 0 0 0"]],
      [ADMIN, { keyId: "nobody" }, ["   0 0 0 0 0"]],
      [ADMIN, { until: timestampFromMs(NOON + 1) }, ["   1 0 10 20 3000000000000"]],
    ])("sums for $id what %o chooses", async (caller, filter, expected) => {
      expect(await sums(caller, filter)).toEqual(expected);
    });

    it("sums the last 30 days where no time is said", async () => {
      const now = Date.now();
      log.record(rowWith({ key_id: "now", at: now }));
      log.record(rowWith({ key_id: "now", at: now - 29 * DAY_MS }));
      log.record(rowWith({ key_id: "now", at: now - 31 * DAY_MS }));
      const request = create(SummarizeUsageRequestSchema, { keyId: "now" });
      const { summaries } = await operations.summarizeUsage(request, contextOf(ADMIN));
      expect(summaries).toMatchObject([{ requests: 2n }]);
    });

    it.each([
      { since: timestampFromMs(NOON), until: timestampFromMs(NOON) },
      { since: timestampFromMs(NOON + 1), until: timestampFromMs(NOON) },
      { since: timestampFromMs(Date.now() + DAY_MS), until: undefined },
    ])("refuses a time that ends before it begins: %o", async (span) => {
      const request = create(SummarizeUsageRequestSchema, span);
      expect(await failureOf(operations.summarizeUsage(request, contextOf(ADMIN)))).toMatchObject({
        reason: Reason.INVALID_VALUE,
        details: { param: "since" },
      });
    });
  });
});

describe("createRequestOperations() without a store", () => {
  const noStore: LateStore = {
    exists: false,
    opened: undefined,
    isAway: true,
    open: () => new Promise(() => undefined),
    close: async () => undefined,
  };
  const operationsOf = (store: LateStore, totalMs: number): OperationsOf<typeof RequestsService> => {
    const calls = createLiveCalls();
    const log = { flush: async () => undefined };
    return createRequestOperations({ store, log, open: (call) => calls.open(call, totalMs) });
  };
  const request = create(ListRequestsRequestSchema);

  it("fails as the store does", async () => {
    const error = new GatewayError(Reason.UNAVAILABLE, "the database can't be opened");
    const { listRequests } = operationsOf({ ...noStore, open: () => Promise.reject(error) }, 60_000);
    expect(await failureOf(listRequests(request, contextOf(ADMIN)))).toBe(error);
  });

  it("waits for it no longer than the call may last", async () => {
    const { listRequests } = operationsOf(noStore, 20);
    expect(await failureOf(listRequests(request, contextOf(ADMIN)))).toMatchObject({
      reason: Reason.DEADLINE_EXCEEDED,
    });
  });
});
