import { describe, expect, it } from "vitest";
import { createTargetStates } from "../../src/routing/target-states.ts";
import { idleBackend, ROUTING } from "../support/routing.ts";

const OTHERS = { ...ROUTING, retryBudget: { burst: 1, ratio: 0 } };

describe("createTargetStates()", () => {
  it("keeps the state of a backend's model", () => {
    const states = createTargetStates();
    const backend = idleBackend("a");
    const state = states.of(backend, "m", ROUTING);
    expect(states.of(backend, "m", structuredClone(ROUTING))).toBe(state);
    expect(states.of(backend, "other", ROUTING)).not.toBe(state);
    // Its name is not what a backend is known by: one that was configured anew begins anew.
    expect(states.of(idleBackend("a"), "m", ROUTING)).not.toBe(state);
  });

  it("makes it anew when its settings are others, and keeps its places and what is measured", () => {
    const states = createTargetStates();
    const backend = idleBackend("a");
    const before = states.of(backend, "m", ROUTING);
    const after = states.of(backend, "m", OTHERS);
    expect([after.lane, after.latency]).toEqual([before.lane, before.latency]);
    expect(after.lane).toBe(before.lane);
    expect(after.latency).toBe(before.latency);
    after.budget.spend();
    expect([after.budget.hasOne, before.budget.hasOne]).toEqual([false, true]);
    expect(states.of(backend, "m", OTHERS)).toBe(after);
  });

  it("minds no settings that it is not made by", () => {
    const states = createTargetStates();
    const backend = idleBackend("a");
    const state = states.of(backend, "m", ROUTING);
    expect(states.of(backend, "m", { ...ROUTING, ...{ maxRetries: 9 } })).toBe(state);
  });

  it("shares the keys of a provider among its models, and what rests at one model only does not rest at others", () => {
    const states = createTargetStates();
    const backend = idleBackend("a", { credentials: 2 });
    const one = states.of(backend, "one", ROUTING);
    const two = states.of(backend, "two", ROUTING);
    one.keys.rest(0, 50);
    one.providerKeys.rest(1, 70);
    expect([one.keys.restsUntil(0), one.keys.restsUntil(1)]).toEqual([50, 70]);
    expect([two.keys.restsUntil(0), two.keys.restsUntil(1)]).toEqual([0, 70]);
  });
});
