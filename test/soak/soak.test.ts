import { describe, expect, it } from "vitest";
import { formatResult } from "./report.ts";
import { soak } from "./soak.ts";

describe.runIf(process.platform !== "win32")("soak()", () => {
  it("finds no call that nothing explains, and nothing that is left", { timeout: 120_000 }, async () => {
    const result = await soak({ ms: 8_000, seed: "short" });
    expect(result.violations).toEqual([]);
    // It would find nothing either if nothing had happened.
    const outcomes = new Set(result.calls.map(({ outcome }) => outcome));
    for (const outcome of ["answered", "cancelled", "DEADLINE_EXCEEDED"]) expect(outcomes).toContain(outcome);
    expect(result.deeds.size).toBeGreaterThan(10);
    expect(result.reloads.ok).toBeGreaterThan(0);
    expect(formatResult(result)).toContain("calls that nothing explains");
  });
});
