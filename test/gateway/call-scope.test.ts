import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { createLiveCalls } from "../../src/gateway/call-scope.ts";
import type { CallContext } from "../../src/gateway/operation.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";

const call = (client = new AbortController(), timeoutMs?: number): CallContext => ({
  caller: OPEN_CALLER,
  log: new CallLog("req_1", "rest"),
  signal: client.signal,
  timeoutMs,
});
const reasonOf = (signal: AbortSignal): Reason | undefined =>
  signal.reason instanceof GatewayError ? signal.reason.reason : undefined;

describe("createLiveCalls()", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("ends a call at the default deadline", () => {
    const scope = createLiveCalls().open(call(), 1_000);
    vi.advanceTimersByTime(999);
    expect(scope.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(reasonOf(scope.signal)).toBe(Reason.DEADLINE_EXCEEDED);
  });

  it("lets a call take as long as it likes where there is no deadline, unless its client gives one", () => {
    const calls = createLiveCalls();
    const scope = calls.open(call(), Number.POSITIVE_INFINITY);
    const short = calls.open(call(undefined, 10), Number.POSITIVE_INFINITY);
    vi.advanceTimersByTime(2 ** 33);
    expect([scope.signal.aborted, reasonOf(short.signal)]).toEqual([false, Reason.DEADLINE_EXCEEDED]);
  });

  it("lets the client's deadline win, shorter or longer", () => {
    const calls = createLiveCalls();
    const short = calls.open(call(undefined, 10), 1_000);
    const long = calls.open(call(undefined, 5_000), 1_000);
    vi.advanceTimersByTime(1_500);
    expect([reasonOf(short.signal), long.signal.aborted]).toEqual([Reason.DEADLINE_EXCEEDED, false]);
  });

  it("ends a call when its client goes away, also one that was gone before", () => {
    const client = new AbortController();
    const scope = createLiveCalls().open(call(client), 1_000);
    client.abort(new GatewayError(Reason.CANCELLED, "gone"));
    expect(reasonOf(scope.signal)).toBe(Reason.CANCELLED);
    expect(reasonOf(createLiveCalls().open(call(client), 1_000).signal)).toBe(Reason.CANCELLED);
  });

  it("ends a call when the model is silent, but not while the client reads", () => {
    const scope = createLiveCalls().open(call(), 60_000);
    scope.awaitOutput(100);
    vi.advanceTimersByTime(90);
    scope.outputCame();
    vi.advanceTimersByTime(10_000);
    expect(scope.signal.aborted).toBe(false);
    scope.awaitOutput(100);
    vi.advanceTimersByTime(99);
    expect(scope.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(reasonOf(scope.signal)).toBe(Reason.DEADLINE_EXCEEDED);
  });

  it("leaves no listener behind, and one timer at most, which then does nothing", () => {
    const calls = createLiveCalls();
    const client = new AbortController();
    const remove = vi.spyOn(client.signal, "removeEventListener");
    const scopes = [calls.open(call(client), 1_000), calls.open(call(client), 2_000)] as const;
    for (const scope of scopes) scope.awaitOutput(50);
    expect([calls.size, vi.getTimerCount()]).toEqual([2, 1]);
    for (const scope of scopes) scope.close();
    expect([calls.size, vi.getTimerCount(), remove.mock.calls.length]).toEqual([0, 1, 2]);
    vi.runAllTimers();
    expect([vi.getTimerCount(), ...scopes.map(({ ended }) => ended)]).toEqual([0, undefined, undefined]);
  });

  it("takes no call after refuse(), and ends the open ones by abort()", async () => {
    const calls = createLiveCalls();
    const scope = calls.open(call(), 1_000);
    calls.refuse();
    expect(() => calls.open(call(), 1_000)).toThrow(/going down/);
    calls.abort(new GatewayError(Reason.SHUTTING_DOWN, "down"));
    expect(reasonOf(scope.signal)).toBe(Reason.SHUTTING_DOWN);
    scope.close();
    expect(calls.size).toBe(0);
  });
});
