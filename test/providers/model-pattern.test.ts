import { describe, expect, it } from "vitest";
import { modelPattern } from "../../src/providers/model-pattern.ts";

describe("modelPattern()", () => {
  it("is found anywhere in a name, with the family's flags", () => {
    expect(modelPattern("o3", "models[0].match").test("azure-o3-mini")).toBe(true);
    expect(modelPattern("^O3", "models[0].match", "i").test("o3-mini")).toBe(true);
    expect(modelPattern("^O3", "models[0].match").test("o3-mini")).toBe(false);
  });

  it("refuses what is no regular expression, by its path", () => {
    expect(() => modelPattern("(", "models[2].match")).toThrow(
      expect.objectContaining({
        reasonName: "INVALID_VALUE",
        message: "models[2].match must be a regular expression",
        details: expect.objectContaining({ param: "models[2].match" }),
      }),
    );
  });
});
