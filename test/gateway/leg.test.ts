import { describe, expect, it } from "vitest";
import { type ErrorDetails, GatewayError } from "../../src/errors/gateway-error.ts";
import { Leg } from "../../src/gateway/leg.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { verdictOf } from "../../src/routing/verdict.ts";
import type { Backend } from "../../src/upstream/backend.ts";
import { idleTarget } from "../routing/support/targets.ts";

const NOW = Date.now();

function open(parts: Partial<Backend> = {}) {
  const target = idleTarget("a", {}, parts);
  const leg = new Leg({ target, answersAs: "a" });
  const stop = (now = NOW) => leg.stop(now, 60_000);
  /** Asks it with the key that is next, and lets it fail. Returns which key that was. */
  const fail = (reason: Reason, details: ErrorDetails = {}, now = NOW): number => {
    const key = leg.pickKey(now);
    const error = new GatewayError(reason, "it failed", details);
    leg.asked();
    leg.failed(verdictOf(error), error, key, now);
    return key;
  };
  return { target, leg, stop, fail };
}

describe("Leg", () => {
  it("is ready at first, and untried", () => {
    const { leg, stop } = open();
    expect(stop()).toEqual({
      tries: 0,
      isOut: false,
      isNext: false,
      notBefore: 0,
      breakerReadyAt: 0,
      keysReadyAt: 0,
      hasPlace: true,
      hasRoom: false,
      hasRetry: true,
    });
    expect(leg.isUntried).toBe(true);
  });

  it("is out when it can't be asked", () => {
    const { leg, stop } = open();
    leg.leaveOut();
    expect([stop().isOut, leg.isUntried]).toEqual([true, false]);
  });

  it("is out after a failure that does not pass", () => {
    const { stop, fail } = open();
    fail(Reason.MODEL_NOT_FOUND);
    expect(stop()).toMatchObject({ tries: 1, isOut: true });
  });

  it("is out after any failure where no network lies between", () => {
    const { stop, fail } = open({ networked: false });
    fail(Reason.OVERLOADED);
    expect(stop().isOut).toBe(true);
  });

  it("waits a while after a failure that may pass, and longer each time", () => {
    const { stop, fail } = open();
    const most = [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000];
    for (const [at, ms] of most.entries()) {
      fail(Reason.UPSTREAM_ERROR);
      const { tries, isOut, isNext, notBefore } = stop();
      expect([tries, isOut, isNext]).toEqual([at + 1, false, false]);
      expect(notBefore).toBeGreaterThanOrEqual(NOW);
      expect(notBefore).toBeLessThan(NOW + ms);
    }
  });

  it("waits for as long as the provider says", () => {
    const { stop, fail } = open();
    fail(Reason.OVERLOADED, { retryAfterMs: 5_000 });
    expect(stop().notBefore).toBe(NOW + 5_000);
  });

  it("is next after a reason of the moment, once", () => {
    const { stop, fail } = open();
    fail(Reason.CONFLICT);
    expect(stop()).toMatchObject({ tries: 1, isNext: true, notBefore: 0 });
    fail(Reason.CONFLICT);
    expect(stop()).toMatchObject({ tries: 2, isNext: false });
  });

  it("tries the other keys at once, and each but once", () => {
    const { stop, fail } = open({ credentials: 3 });
    // What is to rest for no time does not rest, and yet is not asked without end.
    expect([fail(Reason.RATE_LIMIT_EXCEEDED, { retryAfterMs: 0 }), stop().isNext, stop().tries]).toEqual([0, true, 0]);
    expect([fail(Reason.RATE_LIMIT_EXCEEDED, { retryAfterMs: 900 }), stop().isNext, stop().tries]).toEqual([
      1,
      true,
      0,
    ]);
    expect([fail(Reason.RATE_LIMIT_EXCEEDED, { retryAfterMs: 900 }), stop().isNext, stop().tries]).toEqual([
      2,
      false,
      1,
    ]);
  });

  it("waits where all keys rest", () => {
    const { stop, fail } = open({ credentials: 2 });
    fail(Reason.RATE_LIMIT_EXCEEDED, { retryAfterMs: 500 });
    fail(Reason.RATE_LIMIT_EXCEEDED, { retryAfterMs: 900 });
    expect(stop()).toMatchObject({
      tries: 1,
      isNext: false,
      isOut: false,
      keysReadyAt: NOW + 500,
      notBefore: NOW + 900,
    });
  });

  it("is out where all keys are refused", () => {
    const { target, stop, fail } = open({ credentials: 2 });
    fail(Reason.UPSTREAM_AUTHENTICATION_FAILED);
    expect(stop()).toMatchObject({ isNext: true, isOut: false });
    fail(Reason.UPSTREAM_AUTHENTICATION_FAILED);
    expect(stop().isOut).toBe(true);
    expect(target.state.providerKeys.restsUntil(1)).toBe(NOW + 60_000);
  });

  it("takes a retry for each further try, and none for another key", () => {
    const { target, leg, stop, fail } = open({ credentials: 2 });
    const { budget } = target.state;
    for (let spent = 0; spent < 9; spent++) budget.spend();
    fail(Reason.RATE_LIMIT_EXCEEDED);
    fail(Reason.UPSTREAM_ERROR);
    expect([stop().hasRetry, leg.mayBeAsked]).toEqual([true, true]);
    fail(Reason.UPSTREAM_ERROR);
    expect([stop().hasRetry, leg.mayBeAsked]).toEqual([false, false]);
  });
});
