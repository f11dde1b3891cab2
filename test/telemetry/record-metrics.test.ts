import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { UsageSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Attempt_Move, Attempt_Outcome } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { clamped, dropped } from "../../src/providers/adjustment.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { createInstruments, type Instruments } from "../../src/telemetry/instruments.ts";
import type { KnownNames } from "../../src/telemetry/known-names.ts";
import { MetricsRecorder } from "../../src/telemetry/record-metrics.ts";
import { attemptAt } from "./support/finished-call.ts";

const maybe = <T>(it: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(it, { nil: undefined });
const error = maybe(fc.constantFrom(Reason.OVERLOADED, Reason.UPSTREAM_ERROR));

/** What a call and its attempt were, and what was known when they were over. */
const CALL = fc.record({
  door: fc.constantFrom("rest" as const, "grpc" as const),
  operation: maybe(fc.constantFrom("CreateChatCompletion", "StreamChatCompletion")),
  error,
  status: fc.constantFrom(200, 415),
  upstreamModel: fc.constantFrom("", "a", "b a", "b"),
  adjustments: fc.subarray([dropped("top_k", "1", ""), dropped("a.b", "1", ""), clamped("top_k", "2", 1, 1)]),
  isUsed: fc.boolean(),
  isKnown: fc.boolean(),
  vendor: maybe(fc.constantFrom("openai", "azure")),
  address: maybe(fc.record({ host: fc.constantFrom("a", "b"), port: fc.constantFrom(1, 2) })),
  isFallback: fc.boolean(),
  provider: fc.constantFrom("p", "q"),
  model: fc.constantFrom("a", "a b", "b", ""),
  outcome: fc.constantFrom(Attempt_Outcome.SUCCEEDED, Attempt_Outcome.FAILED, Attempt_Outcome.SKIPPED),
  move: fc.constantFrom(Attempt_Move.UNSPECIFIED, Attempt_Move.RETRY),
  attemptError: error,
  firstMs: maybe(fc.constant(20)),
});

type Call = typeof CALL extends fc.Arbitrary<infer T> ? T : never;

/** Calls of which each is like the first one, but for one thing or two. */
const CALLS = CALL.chain((first) => {
  const change = fc
    .tuple(fc.subarray(Object.keys(first), { minLength: 1, maxLength: 2 }), CALL)
    .map(([names, other]) => Object.fromEntries(Object.entries(other).filter(([name]) => names.includes(name))));
  return fc.array(change).map((changes) => [first, ...changes.map((it): Call => ({ ...first, ...it }))]);
});

const END = { headers: {}, durationMs: 300 };
const errorOf = (reason: Reason | undefined): GatewayError | undefined =>
  reason === undefined ? undefined : new GatewayError(reason, "x");

function logOf(call: Call): CallLog {
  const log = new CallLog("req_1", call.door);
  if (call.operation !== undefined) log.named(call.operation);
  const failure = errorOf(call.error);
  if (failure !== undefined) log.failed(failure);
  if (call.isFallback) log.attempts.push(attemptAt("p/a", { outcome: Attempt_Outcome.FAILED }));
  const { provider, model, outcome, move, firstMs } = call;
  const record = attemptAt(`${provider}/${model}`, { provider, model, outcome, move });
  const why = errorOf(call.attemptError);
  if (why !== undefined) record.error = why;
  if (firstMs !== undefined) record.firstMs = firstMs;
  log.attempts.push(record);
  log.routed("auto", record.target, call.adjustments);
  log.heardFrom({ id: "", model: call.upstreamModel });
  if (call.isUsed) log.used(create(UsageSchema, { promptTokens: 3, completionTokens: 4 }));
  return log;
}

const shown = (instruments: Instruments): unknown =>
  Object.entries(instruments).map(([name, { series }]) => [
    name,
    [...series].map((it: { readonly attributes: object; total(): unknown }) => [it.attributes, it.total()]),
  ]);

describe("MetricsRecorder", () => {
  it("finds for each call what it would have found for it alone", () => {
    fc.assert(
      fc.property(CALLS, (calls) => {
        let current: Call | undefined;
        const names: KnownNames = {
          isKnownModel: () => current?.isKnown === true,
          originOf: () => current?.vendor && { vendor: current.vendor, address: current.address },
        };
        const [together, alone] = [createInstruments(), createInstruments()];
        const recorder = new MetricsRecorder(together, names);
        for (const call of calls) {
          current = call;
          const log = logOf(call);
          recorder.record(log, { ...END, status: call.status });
          new MetricsRecorder(alone, names).record(log, { ...END, status: call.status });
        }
        expect(shown(together)).toEqual(shown(alone));
      }),
      { numRuns: 300 },
    );
  });

  it("keeps models apart that have blanks in their names", () => {
    const instruments = createInstruments();
    const recorder = new MetricsRecorder(instruments, { isKnownModel: () => true, originOf: () => undefined });
    for (const [model, upstreamModel] of [
      ["a", "b a"],
      ["a b", "a"],
    ] as const) {
      const log = new CallLog("req_1", "grpc");
      log.attempts.push(attemptAt(`p/${model}`, {}));
      log.heardFrom({ id: "", model: upstreamModel });
      recorder.record(log, { ...END, status: 200 });
    }
    expect([...instruments.operationDuration.series].map(({ attributes }) => attributes)).toMatchObject([
      { "gen_ai.request.model": "a", "gen_ai.response.model": "b a" },
      { "gen_ai.request.model": "a b", "gen_ai.response.model": "a" },
    ]);
  });
});
