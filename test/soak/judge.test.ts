import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../src/errors/catalogue.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { DoorError } from "../support/door-error.ts";
import type { CallOutcome, CallPlan } from "./calls.ts";
import type { Deed } from "./deeds.ts";
import { type Evidence, judge } from "./judge.ts";
import { createLedger, type UpstreamRecord } from "./ledger.ts";
import type { Metric } from "./metrics.ts";
import { createTargetWatch } from "./target-watch.ts";

const STARTED = 100_000;

/** What the upstream of a target did with call 1; it took 50 ms of it. */
const did = (target: string, deed: Deed, more: Partial<UpstreamRecord> = {}): UpstreamRecord => ({
  call: 1,
  target,
  deed,
  text: `${target} 1/2; ${target} 2/2; `,
  startedAt: STARTED,
  saidAt: undefined,
  endedAt: STARTED + 50,
  wasLeft: false,
  ...more,
});

/** Call 1, which took 100 ms, and was answered as alpha answers. */
const ended = (more: Partial<CallOutcome> = {}, plan: Partial<CallPlan> = {}): CallOutcome => ({
  plan: {
    number: 1,
    door: "rest",
    streaming: true,
    model: "main",
    fallbacks: [],
    deadlineMs: undefined,
    cancelMs: undefined,
    hedgeMs: undefined,
    strict: false,
    hasTopK: false,
    ...plan,
  },
  startedAt: STARTED,
  endedAt: STARTED + 100,
  cancelledAt: undefined,
  text: "alpha/large 1/2; alpha/large 2/2; ",
  finishes: 1,
  thrown: undefined,
  ...more,
});

/** The same call, failed before any output, or after this text. */
const failed = (reason: Reason, more: Partial<CallOutcome> = {}, plan?: Partial<CallPlan>): CallOutcome =>
  ended({ text: "", finishes: 0, thrown: errorOf(reason), ...more }, plan);

function errorOf(reason: Reason): DoorError {
  const { httpStatus: status, type, code } = CATALOGUE[reason];
  const rest = { param: null, retryAfterMs: undefined, retryHeaders: undefined, details: undefined };
  return new DoorError("It failed.", { status, type, code, ...rest });
}

/** What is wrong with a call; "main" stands for large models of alpha and beta. */
function faultOf(outcome: CallOutcome, records: readonly UpstreamRecord[], metrics: readonly Metric[] = []) {
  const ledger = createLedger();
  for (const record of records) ledger.add(record);
  const targets = createTargetWatch(() => STARTED);
  targets.note(metrics);
  const names = new Map([["main", ["alpha/large", "beta/large"]]]);
  const config = { file: "", names, providers: ["alpha", "beta", "gamma"] } as const;
  const evidence: Evidence = {
    ledger,
    targets,
    reigns: [{ config, from: 0, to: Number.POSITIVE_INFINITY }],
    loggedReason: () => undefined,
    lagWithin: () => 0,
  };
  return judge(outcome, evidence).unexplained;
}

const alpha = did("alpha/large", "answer");
const down = [did("alpha/large", "error_503"), did("beta/large", "reset_before_head")];

describe("judge()", () => {
  it("takes what upstreams and clients explain", () => {
    const [alphaDown] = down as [UpstreamRecord];
    const open = {
      name: "parley_target_breaker",
      labels: { parley_provider: "beta", gen_ai_request_model: "large" },
      value: 2,
    };
    const half = "alpha/large 1/2; ";
    const gone = new DOMException("This operation was aborted", "AbortError");
    const rows: readonly (readonly [string, CallOutcome, readonly UpstreamRecord[], (readonly Metric[])?])[] = [
      ["an answer", ended(), [alpha]],
      ["an answer of the second", ended(), [did("beta/large", "html"), alpha]],
      ["a failure of all", failed(Reason.OVERLOADED), down],
      ["a failure of one, with the other's breaker open", failed(Reason.OVERLOADED), [alphaDown], [open]],
      ["a stream that breaks", failed(Reason.UPSTREAM_STREAM_INTERRUPTED, { text: half }), [did("alpha/large", "cut")]],
      ["a deadline", failed(Reason.DEADLINE_EXCEEDED, {}, { deadlineMs: 100 }), [alpha]],
      ["a name of nobody", failed(Reason.MODEL_NOT_FOUND, {}, { model: "delta/large" }), []],
      ["a client that went", ended({ text: half, finishes: 0, thrown: gone, cancelledAt: STARTED + 99 }), [alpha]],
    ];
    for (const [name, outcome, records, metrics] of rows) {
      expect([name, faultOf(outcome, records, metrics)]).toEqual([name, undefined]);
    }
  });

  it("finds what nothing explains", () => {
    const beta = did("beta/large", "answer");
    const rows: readonly (readonly [RegExp, CallOutcome, readonly UpstreamRecord[]])[] = [
      [/nobody gave/, ended({ text: "alpha/large 1/2; beta/large 2/2; " }), [alpha, beta]],
      [/nobody gave/, ended({ text: "alpha/large 1/2; " }), [alpha]],
      [/nobody gave/, ended({ text: `${alpha.text}${alpha.text}` }), [alpha]],
      [/nobody gave/, ended(), [{ ...alpha, call: 2 }]],
      [/did not give one: cut/, ended(), [did("alpha/large", "cut")]],
      [/0 ends/, ended({ finishes: 0 }), [alpha]],
      [/2 ends/, ended({ finishes: 2 }), [alpha]],
      [/both an end and OVERLOADED/, failed(Reason.OVERLOADED, { finishes: 1 }), down],
      [/no one answer/, failed(Reason.OVERLOADED, { text: "alpha/large 2/2; " }), down],
      [/no typed error/, failed(Reason.OVERLOADED, { thrown: new Error("socket hang up") }), down],
      [/no typed error/, failed(Reason.OVERLOADED, { thrown: new DOMException("aborted", "AbortError") }), down],
      [/UPSTREAM_ERROR without a cause/, failed(Reason.UPSTREAM_ERROR), down],
      [/DEADLINE_EXCEEDED without a cause/, failed(Reason.DEADLINE_EXCEEDED), down],
      [/MODEL_NOT_FOUND without a cause/, failed(Reason.MODEL_NOT_FOUND), []],
      [/NO_AVAILABLE_UPSTREAM without a cause/, failed(Reason.NO_AVAILABLE_UPSTREAM), []],
      [/beta\/large was not asked/, failed(Reason.OVERLOADED), down.slice(0, 1)],
      [/outlived its deadline by 1600 ms/, ended({ endedAt: STARTED + 1_700 }, { deadlineMs: 100 }), [alpha]],
      [
        /\(stall_before_head\) never ended/,
        ended(),
        [did("beta/large", "stall_before_head", { endedAt: undefined }), alpha],
      ],
      [/went on for 1900 ms/, ended(), [did("beta/large", "stall_before_head", { endedAt: STARTED + 2_000 }), alpha]],
    ];
    for (const [fault, outcome, records] of rows) expect(faultOf(outcome, records)).toMatch(fault);
  });
});
