import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRetryBudget } from "../../src/routing/retry-budget.ts";

describe("createRetryBudget()", () => {
  it("has its burst at first", () => {
    const budget = createRetryBudget({ burst: 2, ratio: 0.5 });
    budget.spend();
    expect(budget.hasOne).toBe(true);
    budget.spend();
    expect(budget.hasOne).toBe(false);
  });

  it("earns a share of a retry by each call, and no more than its burst", () => {
    const budget = createRetryBudget({ burst: 1, ratio: 0.5 });
    budget.spend();
    budget.earn();
    expect(budget.hasOne).toBe(false);
    for (let call = 0; call < 10; call++) budget.earn();
    budget.spend();
    expect(budget.hasOne).toBe(false);
  });

  it("has none where there are to be none", () => {
    const budget = createRetryBudget({ burst: 0, ratio: 1 });
    budget.earn();
    expect(budget.hasOne).toBe(false);
  });

  it("gives no more than its burst and a share of the calls", () => {
    const settings = fc.record({ burst: fc.nat(20), ratio: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(settings, fc.array(fc.boolean(), { maxLength: 200 }), (parts, isCall) => {
        const budget = createRetryBudget(parts);
        let spent = 0;
        for (const first of isCall) {
          if (first) budget.earn();
          else if (budget.hasOne) {
            budget.spend();
            spent += 1;
          }
        }
        expect(spent).toBeLessThanOrEqual(parts.burst + parts.ratio * isCall.filter(Boolean).length + 1e-6);
      }),
    );
  });
});
