import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createLogger } from "../../src/telemetry/logger.ts";
import { mergeMetrics } from "../../src/telemetry/merge-metrics.ts";
import { createSignals, type SignalOptions, type Signals } from "../../src/telemetry/signals.ts";
import type { StateGauge } from "../../src/telemetry/state-gauge.ts";
import type { TargetGauge } from "../../src/telemetry/target-gauge.ts";
import { createMetricPool } from "../../src/workers/metric-pool.ts";
import { fallbackCall, NAMES } from "./support/finished-call.ts";
import { sampleOf } from "./support/samples.ts";

const logger = createLogger({ level: "silent" });

describe("the metrics of several workers", () => {
  const opened: Signals[] = [];
  afterEach(async () => {
    for (const signals of opened.splice(0)) await signals.close();
  });

  /** The signals of a worker: what they scrape is `readWhole`. */
  const open = async (number: number, more: Partial<SignalOptions> = {}, readWhole?: Signals["read"]) => {
    const signals = await createSignals({
      ...NAMES,
      settings: { traces: undefined, metrics: undefined },
      logger,
      activeCalls: () => number,
      targets: () => [],
      membership: { member: { instance: "abc", number }, readWhole: readWhole ?? (async () => []) },
      ...more,
    });
    opened.push(signals);
    return signals;
  };
  const record = (signals: Signals, durationMs: number): void =>
    signals.recordCall(fallbackCall(), { headers: {}, status: 200, durationMs });

  it("are added, but for how bad it is, of which the worst counts", async () => {
    const target = (breaker: TargetGauge["breaker"], inFlight: number): TargetGauge => ({
      provider: "openai",
      model: "gpt-4o",
      breaker,
      inFlight,
      waiting: 1,
    });
    const state = (isStoreAway: boolean): StateGauge => ({
      requestsWaiting: 3,
      requestsDropped: 2,
      areLimitsLocal: false,
      isStoreAway,
    });
    const workers: Signals[] = [];
    const readWhole = async () => mergeMetrics(await Promise.all(workers.map((worker) => worker.read())));
    workers.push(
      await open(1, { targets: () => [target("open", 5)], state: () => state(false) }, readWhole),
      await open(2, { targets: () => [target("closed", 7)], state: () => state(true) }, readWhole),
    );
    for (const worker of workers) record(worker, 300);
    record(workers[0]!, 5);
    const texts = await Promise.all(workers.map((worker) => worker.scrape()));
    const withoutTimes = (text: string): string => text.replace(/^target_info.*$/m, "");
    expect(withoutTimes(texts[0]!)).toBe(withoutTimes(texts[1]!));
    const text = texts[1]!;
    const call = { parley_door: "rest", parley_operation: "StreamChatCompletion" };
    const openai = { parley_provider: "openai", gen_ai_request_model: "gpt-4o" };
    expect(text).toContain('service_instance_id="abc"');
    expect(sampleOf(text, "parley_call_duration_count", call)).toBe(3);
    expect(sampleOf(text, "parley_call_duration_sum", call)).toBeCloseTo(0.605);
    expect(sampleOf(text, "parley_call_duration_bucket", { ...call, le: "0.01" })).toBe(1);
    expect(sampleOf(text, "parley_call_duration_bucket", { ...call, le: "+Inf" })).toBe(3);
    expect(sampleOf(text, "parley_attempts_total", { ...openai, parley_attempt_outcome: "failed" })).toBe(3);
    expect(sampleOf(text, "parley_calls_active", {})).toBe(3);
    expect(sampleOf(text, "parley_target_breaker", openai)).toBe(2);
    expect(sampleOf(text, "parley_target_in_flight", openai)).toBe(12);
    expect(sampleOf(text, "parley_target_queue", openai)).toBe(2);
    expect(sampleOf(text, "parley_requests_waiting", {})).toBe(6);
    expect(sampleOf(text, "parley_requests_dropped_total", {})).toBe(4);
    expect(sampleOf(text, "parley_limits_local", {})).toBe(0);
    expect(sampleOf(text, "parley_store_away", {})).toBe(1);
  });

  it("are those of one worker that did all of it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 100_000 }))), async (calls) => {
        const [alone, ...workers] = await Promise.all([1, 1, 2, 3].map((number) => open(number)));
        for (const [worker, durationMs] of calls) {
          record(alone!, durationMs);
          record(workers[worker]!, durationMs);
        }
        const merged = mergeMetrics(await Promise.all(workers.map((worker) => worker.read())));
        const figures = (all: Awaited<ReturnType<Signals["read"]>>): object[] =>
          all.flatMap(({ metrics }) =>
            metrics
              .filter(({ descriptor }) => descriptor.name === "parley.call.duration")
              .flatMap(({ dataPoints }) =>
                dataPoints.map(({ attributes, value }) => ({ attributes, value: rounded(value) })),
              ),
          );
        expect(figures(merged)).toEqual(figures(await alone!.read()));
      }),
      { numRuns: 20 },
    );
  });

  it("never fall when a worker dies, or does not answer", async () => {
    const [one, two] = [await open(1), await open(2)];
    const call = { parley_door: "rest", parley_operation: "StreamChatCompletion" };
    const pool = createMetricPool(20);
    const sources = [one, two].map((worker) => ({ readMetrics: () => worker.read() }));
    const reader = await open(3, {}, () => pool.read(sources));
    const count = async (): Promise<number | undefined> =>
      sampleOf(await reader.scrape(), "parley_call_duration_count", call);
    record(one, 1);
    record(two, 1);
    expect(await count()).toBe(2);
    // Nobody has heard of this one.
    record(two, 1);
    pool.remove(sources[1]!);
    expect(await count()).toBe(2);
    expect(sampleOf(await reader.scrape(), "parley_calls_active", {})).toBe(1);
    record(one, 1);
    expect(await count()).toBe(3);
    const answer = sources[0]!.readMetrics;
    sources[0]!.readMetrics = () => new Promise(() => undefined);
    expect(await count()).toBe(3);
    sources[0]!.readMetrics = answer;
    const next = await open(2);
    sources.push({ readMetrics: () => next.read() });
    record(next, 1);
    expect(await count()).toBe(4);
  });
});

/** Sums of floating numbers depend on the order in which they are added. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, it) => (key === "sum" ? Math.round(it * 1e6) : it)));
