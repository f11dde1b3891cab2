import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRequestRows, type RequestFilter, type RequestLine, type RequestRows } from "../../src/store/requests.ts";
import { createSpendRows, type SpendRows } from "../../src/store/spend.ts";
import { sumUsage, type UsageQuery } from "../../src/store/usage.ts";
import { STORE_KINDS, type TestStore } from "../support/stores.ts";
import { requestRow } from "./rows.ts";

const DAY_MS = 86_400_000;
/** 2027-01-15, at the first millisecond. */
const DAY = Date.UTC(2027, 0, 15);

describe.each(STORE_KINDS)("the log of requests on $name", ({ isMissing, open }) => {
  let own: TestStore;
  let requests: RequestRows;
  let spend: SpendRows;
  beforeAll(async () => {
    if (isMissing) return;
    own = await open();
    requests = createRequestRows(own.store);
    spend = createSpendRows(own.store);
    await requests.insert(ROWS);
  });
  afterAll(() => own?.remove());

  const ROWS = [
    requestRow("log_1", { at: DAY, params: '{"a":1}', completion: "{}", request_id: "'; --" }),
    requestRow("log_2", { at: DAY + 1, key_id: "key_b", model: "gpt", reason: 15, status: 503, cost: null }),
    requestRow("log_3", { at: DAY + 1, key_id: "key_b", door: "grpc", prompt_tokens: null, completion_tokens: null }),
    requestRow("log_4", { at: DAY + DAY_MS - 1, operation: "ListModels", model: "", key_id: "" }),
    requestRow("log_5", { at: DAY + DAY_MS, model: "gpt", user_agent: "ü\"'😀" }),
  ];
  const lineOf = ({ params: _params, completion: _completion, ...line }: (typeof ROWS)[number]): RequestLine => line;

  describe.skipIf(isMissing)("createRequestRows()", () => {
    it("keeps a row as it is, and lists it without its contents", async () => {
      expect(await requests.get("log_1")).toEqual(ROWS[0]);
      expect(await requests.get("log_0")).toBeUndefined();
      expect(await requests.list({}, 10)).toEqual([...ROWS].reverse().map(lineOf));
    });

    it.each<[string, RequestFilter, readonly string[]]>([
      ["a key", { keyId: "key_b" }, ["log_3", "log_2"]],
      ["a model", { model: "gpt" }, ["log_5", "log_2"]],
      ["a door", { door: "grpc" }, ["log_3"]],
      ["an operation", { operation: "ListModels" }, ["log_4"]],
      ["a status", { status: 503 }, ["log_2"]],
      ["failures", { failed: true }, ["log_2"]],
      ["successes", { failed: false }, ["log_5", "log_4", "log_3", "log_1"]],
      ["a time to begin with", { since: DAY + DAY_MS - 1 }, ["log_5", "log_4"]],
      ["a time to end before", { until: DAY + 1 }, ["log_1"]],
      ["a call", { requestId: "'; --" }, ["log_1"]],
      ["all at once", { keyId: "key_b", failed: false, since: DAY, until: DAY + 2, door: "grpc" }, ["log_3"]],
      ["what there is none of", { model: "a\0b' or 1=1 --" }, []],
    ])("finds by %s", async (_name, filter, ids) => {
      expect((await requests.list(filter, 10)).map(({ id }) => id)).toEqual(ids);
    });

    it("lists pages, each row once", async () => {
      const first = await requests.list({}, 3);
      const last = first.at(-1) as RequestLine;
      const second = await requests.list({}, 3, [last.at, last.id]);
      expect([...first, ...second].map(({ id }) => id)).toEqual(["log_5", "log_4", "log_3", "log_2", "log_1"]);
    });

    it("writes many rows with what was spent, and the same batch only once", async () => {
      const rows = Array.from({ length: 1700 }, (_, at) => requestRow(`log_many_${at}`, { at: 1000 + at }));
      const spendings = [
        { caller: "key_m", period: "2027-01", nanoDollars: 5 },
        { caller: "key_m", period: "2027-01", nanoDollars: 6 },
        { caller: "key_m", period: "2027-01-15", nanoDollars: 11 },
      ];
      await requests.insert(rows, spendings);
      await requests.insert(rows, spendings);
      expect(await spend.read("key_m", "2027-01")).toBe(11);
      expect(await spend.read("key_m", "2027-01-15")).toBe(11);
      expect(await spend.read("key_m", "2027-02")).toBe(0);
      await requests.insert([], spendings);
      await spend.add([{ caller: "key_m", period: "2027-01", nanoDollars: 2 ** 50 }]);
      await spend.add([]);
      expect(await spend.read("key_m", "2027-01")).toBe(22 + 2 ** 50);
    });

    it("keeps texts as they are, but for what no engine takes", async () => {
      const odd = requestRow("log_odd", { user_agent: "a\0b", model: "\ud800x", completion: '{"a":"\\u0000"}' });
      const fine = requestRow("log_fine", { user_agent: "\\u0000 \\ud800 \n", completion: '{"a":"\\\\u0000😀"}' });
      await requests.insert([odd, fine]);
      expect(await requests.get("log_odd")).toEqual({ ...odd, user_agent: "a\uFFFDb", model: "\uFFFDx" });
      expect(await requests.get("log_fine")).toEqual(fine);
      await own.store.db.deleteFrom("requests").where("id", "in", ["log_odd", "log_fine"]).execute();
    });

    it("writes nothing of a batch with a row that can't be written", async () => {
      const rows = [requestRow("log_good"), requestRow("log_bad", { door: null as unknown as string })];
      await expect(requests.insert(rows, [{ caller: "key_x", period: "2027-01", nanoDollars: 1 }])).rejects.toThrow();
      expect(await requests.get("log_good")).toBeUndefined();
      expect(await spend.read("key_x", "2027-01")).toBe(0);
    });

    it("removes what came before a time, until it is told to stop", async () => {
      expect(await requests.deleteBefore(DAY, AbortSignal.abort())).toBe(0);
      expect(await requests.deleteBefore(DAY)).toBe(1700);
      expect(await requests.deleteBefore(DAY)).toBe(0);
      expect(await requests.list({}, 10)).toHaveLength(5);
    });
  });

  describe.skipIf(isMissing)("sumUsage()", () => {
    const nothing = { keyId: "", model: "", day: "", failed: 0, promptTokens: 0, completionTokens: 0, nanoDollars: 0 };
    const one = { ...nothing, requests: 1, promptTokens: 10, completionTokens: 20, nanoDollars: 3_000_000_000_000 };
    const query: UsageQuery = {
      by: new Set(),
      since: DAY,
      until: DAY + 2 * DAY_MS,
      operations: ["CreateChatCompletion"],
      limit: 100,
    };

    it.each<[string, Partial<UsageQuery>, readonly object[]]>([
      [
        "everything",
        { operations: undefined },
        [
          {
            ...nothing,
            requests: 5,
            failed: 1,
            promptTokens: 40,
            completionTokens: 80,
            nanoDollars: 12_000_000_000_000,
          },
        ],
      ],
      ["nothing", { until: DAY }, [{ ...nothing, requests: 0 }]],
      ["nothing by days", { until: DAY, by: new Set(["day"]) }, []],
      [
        "keys",
        { by: new Set(["key"]) },
        [
          {
            ...one,
            keyId: "key_a",
            requests: 2,
            promptTokens: 20,
            completionTokens: 40,
            nanoDollars: 6_000_000_000_000,
          },
          { ...one, keyId: "key_b", requests: 2, failed: 1 },
        ],
      ],
      [
        "days, keys and models",
        { by: new Set(["model", "key", "day"]) },
        [
          { ...one, day: "2027-01-15", keyId: "key_a", model: "auto" },
          { ...one, day: "2027-01-15", keyId: "key_b", model: "auto", promptTokens: 0, completionTokens: 0 },
          { ...one, day: "2027-01-15", keyId: "key_b", model: "gpt", failed: 1, nanoDollars: 0 },
          { ...one, day: "2027-01-16", keyId: "key_a", model: "gpt" },
        ],
      ],
      ["a key and a model", { keyId: "key_a", model: "gpt" }, [one]],
      ["models, but only some", { by: new Set(["model"]), limit: 1, keyId: "key_a" }, [{ ...one, model: "auto" }]],
    ])("sums %s", async (_name, change, sums) => {
      expect(await sumUsage(own.store, { ...query, ...change })).toEqual(sums);
    });
  });
});
