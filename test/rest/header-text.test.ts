import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Adjustment_Action, CallReportSchema } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { headerItem, headerList, headerText } from "../../src/rest/header-text.ts";
import { ignoredHeaders, reportHeaders } from "../../src/rest/report-headers.ts";

describe("headerText() and headerItem()", () => {
  it.each<[text: string, asText: string, asItem: string]>([
    ["gpt-4o", "gpt-4o", "gpt-4o"],
    ["messages[2].name", "messages[2].name", "messages[2].name"],
    ["a b", "a%20b", "a%20b"],
    ["a,b=c%", "a,b=c%25", "a%2Cb%3Dc%25"],
    ["é😀", "%C3%A9%F0%9F%98%80", "%C3%A9%F0%9F%98%80"],
    ["a\r\nx-evil: 1", "a%0D%0Ax-evil:%201", "a%0D%0Ax-evil:%201"],
    ["\ud800", "%EF%BF%BD", "%EF%BF%BD"],
    ["\0\x7f", "%00%7F", "%00%7F"],
  ])("of %j", (text, asText, asItem) => {
    expect(headerText(text)).toBe(asText);
    expect(headerItem(text)).toBe(asItem);
  });
});

describe("headerList()", () => {
  it("puts commas between the items", () => {
    expect(headerList(["a", "b.c", "d"])).toBe("a, b.c, d");
  });

  it("leaves out what does not fit into 2 KiB, and says so", () => {
    const list = headerList(Array.from({ length: 5_000 }, (_, index) => `key${index}`));
    expect(list.length).toBeLessThanOrEqual(2048);
    expect(list.length).toBeGreaterThan(2000);
    expect(list).toMatch(/^key0, key1, .*key\d+, \.\.\.$/);
  });

  it("says so too when not even the first one fits", () => {
    expect(headerList(["x".repeat(3_000), "y"])).toBe("...");
  });
});

describe("reportHeaders()", () => {
  it("tells who answered, what was adjusted and what it cost", () => {
    const report = create(CallReportSchema, {
      provider: "openai",
      model: "gpt-4o:é",
      costNanoDollars: 12_345_678_901n,
      adjustments: [
        { path: "temperature", action: Adjustment_Action.DROPPED },
        { path: "messages[0].name", action: Adjustment_Action.MAPPED },
        { path: "top_k", action: 77 as Adjustment_Action },
      ],
    });
    expect(reportHeaders(report)).toEqual([
      ...["x-parley-provider", "openai"],
      ...["x-parley-model", "gpt-4o:%C3%A9"],
      ...["x-parley-adjustments", "temperature=dropped, messages[0].name=mapped, top_k=77"],
      ...["x-parley-cost-nano-dollars", "12345678901"],
    ]);
  });

  it("tells what the provider calls its answer, as far as a header can", () => {
    const headersOf = (upstreamId: string, upstreamModel: string): unknown =>
      reportHeaders(create(CallReportSchema, { upstreamId, upstreamModel }));
    expect(headersOf("msg_1\r\nx: y", "accounts/a/models/é")).toEqual([
      ...["x-parley-upstream-model", "accounts/a/models/%C3%A9"],
      ...["x-parley-upstream-id", "msg_1%0D%0Ax:%20y"],
    ]);
    expect(headersOf("x".repeat(257), "x".repeat(256))).toEqual(["x-parley-upstream-model", "x".repeat(256)]);
    expect(headersOf("", "")).toEqual([]);
  });

  it("tells nothing that is not known", () => {
    expect(reportHeaders(undefined)).toEqual([]);
    expect(reportHeaders(create(CallReportSchema))).toEqual([]);
    expect(ignoredHeaders([])).toEqual([]);
  });
});
