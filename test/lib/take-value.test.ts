import { describe, expect, it } from "vitest";
import { takeValue } from "../../src/lib/take-value.ts";

describe("takeValue()", () => {
  it("gives the value, and leaves none", () => {
    const step = { done: false as const, value: ["a batch"] };
    expect(takeValue(step)).toEqual(["a batch"]);
    expect(step).toEqual({ done: false, value: undefined });
  });
});
