import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type Adjustment, Adjustment_Action, AdjustmentSchema } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { formatAdjustments } from "../../src/telemetry/format-adjustments.ts";

const adjustment = (path: string, action = Adjustment_Action.DROPPED): Adjustment =>
  create(AdjustmentSchema, { path, action });
const many = (count: number): Adjustment[] => Array.from({ length: count }, (_, index) => adjustment(`p${index}`));

describe("formatAdjustments()", () => {
  it("names path and action", () => {
    const named = formatAdjustments([
      adjustment("messages[2].content[0].image_url.detail"),
      adjustment("max_tokens", Adjustment_Action.CLAMPED),
      adjustment("stop", 9 as Adjustment_Action),
    ]);
    expect(named).toEqual(["messages[2].content[0].image_url.detail=dropped", "max_tokens=clamped", "stop=9"]);
  });

  it("names 20 at most, and says that there are more", () => {
    expect(formatAdjustments(many(20)).at(-1)).toBe("p19=dropped");
    expect(formatAdjustments(many(21)).slice(19)).toEqual(["p19=dropped", "…"]);
    expect(formatAdjustments(many(5_000))).toHaveLength(21);
  });

  it("cuts a path that a caller made long", () => {
    expect(formatAdjustments([adjustment("x".repeat(101)), adjustment("y".repeat(100))])).toEqual([
      `${"x".repeat(100)}…=dropped`,
      `${"y".repeat(100)}=dropped`,
    ]);
  });
});
