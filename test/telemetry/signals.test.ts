import { afterEach, describe, expect, it, vi } from "vitest";
import { Attempt_Outcome } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { clamped, dropped } from "../../src/providers/adjustment.ts";
import type { CallEnd } from "../../src/telemetry/call-end.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { CARDINALITY_LIMIT } from "../../src/telemetry/instrument.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import type { SignalSettings } from "../../src/telemetry/signal-settings.ts";
import { createSignals, type SignalOptions, type Signals } from "../../src/telemetry/signals.ts";
import { NO_STATE, type StateGauge } from "../../src/telemetry/state-gauge.ts";
import { createLines } from "./lines.ts";
import { attemptAt, CALLERS, failure, fallbackCall, NAMES } from "./support/finished-call.ts";
import { openReceiver } from "./support/otlp-receiver.ts";
import { sampleOf } from "./support/samples.ts";

const NOTHING_SENT: SignalSettings = { traces: undefined, metrics: undefined };
const TRACES: SignalSettings["traces"] = {
  sampler: "parentbased_always_on",
  ratio: 1,
  delayMs: undefined,
  exportTimeoutMs: undefined,
  maxQueueSize: undefined,
  maxBatchSize: undefined,
};
const METRICS: SignalSettings["metrics"] = { intervalMs: undefined, exportTimeoutMs: undefined };
const END: CallEnd = { headers: {}, status: 200, durationMs: 300 };

const logger = createLogger({ level: "silent" });
const open = (options: Partial<SignalOptions> = {}): Promise<Signals> =>
  createSignals({ ...NAMES, settings: NOTHING_SENT, logger, activeCalls: () => 3, targets: () => [], ...options });

/** A call that failed before anybody was asked. */
function failedCall(reason: Reason): CallLog {
  const log = new CallLog("req_2", "grpc");
  log.named("CreateChatCompletion");
  log.failed(failure(reason));
  return log;
}

describe("metrics", () => {
  it("count and measure a call, its attempts and its tokens", async () => {
    const signals = await open();
    signals.recordCall(fallbackCall(), END);
    const text = await signals.scrape();
    const call = { parley_door: "rest", parley_operation: "StreamChatCompletion" };
    const openai = { parley_provider: "openai", gen_ai_request_model: "gpt-4o" };
    const azure = { parley_provider: "azure", gen_ai_request_model: "gpt-4o", gen_ai_operation_name: "chat" };
    expect(sampleOf(text, "parley_call_duration_sum", call)).toBe(0.3);
    expect(
      sampleOf(text, "parley_attempts_total", {
        ...openai,
        parley_attempt_outcome: "failed",
        parley_attempt_move: "next_target",
        error_type: "upstream_error",
      }),
    ).toBe(1);
    expect(
      sampleOf(text, "parley_attempts_total", {
        ...openai,
        parley_attempt_outcome: "skipped",
        error_type: "overloaded",
      }),
    ).toBe(1);
    expect(
      sampleOf(text, "parley_attempts_total", { parley_provider: "azure", parley_attempt_outcome: "succeeded" }),
    ).toBe(1);
    expect(
      sampleOf(text, "gen_ai_client_operation_duration_sum", {
        ...openai,
        gen_ai_provider_name: "openai",
        server_address: "api.openai.com",
        server_port: "443",
        error_type: "upstream_error",
      }),
    ).toBe(0.05);
    const answered = { ...azure, gen_ai_provider_name: "azure.ai.openai", gen_ai_response_model: "gpt-4o-2024-08-06" };
    expect(sampleOf(text, "gen_ai_client_operation_duration_sum", answered)).toBe(0.2);
    expect(sampleOf(text, "gen_ai_client_operation_time_to_first_chunk_sum", answered)).toBe(0.04);
    expect(sampleOf(text, "gen_ai_client_token_usage_sum", { ...answered, gen_ai_token_type: "input" })).toBe(30);
    expect(sampleOf(text, "gen_ai_client_token_usage_sum", { ...answered, gen_ai_token_type: "output" })).toBe(70);
    expect(text).not.toContain(CALLERS);
  });

  it("measure no first chunk of an answer in one piece", async () => {
    const signals = await open();
    const log = new CallLog("req_1", "grpc");
    log.named("CreateChatCompletion");
    log.attempts.push(attemptAt("openai/gpt-4o", { firstMs: 40 }));
    signals.recordCall(log, END);
    const text = await signals.scrape();
    expect(sampleOf(text, "gen_ai_client_operation_duration_count")).toBe(1);
    expect(text).not.toContain("time_to_first_chunk_count");
  });

  it.each<[what: string, log: CallLog, status: number, type: string | undefined]>([
    ["a reason", failedCall(Reason.MODEL_NOT_FOUND), 404, "model_not_found"],
    ["a status that the RPC layer chose", new CallLog("req_3", "connect"), 415, "415"],
    ["nothing where all is well", new CallLog("req_4", "connect"), 200, undefined],
  ])("tell a call's error by %s", async (_what, log, status, type) => {
    const signals = await open();
    signals.recordCall(log, { ...END, status });
    const text = await signals.scrape();
    const labels: Record<string, string> = type === undefined ? {} : { error_type: type };
    expect(sampleOf(text, "parley_call_duration_count", labels)).toBe(1);
    expect(text.includes("error_type")).toBe(type !== undefined);
  });

  it("take an attempt for cancelled that had not ended with its call", async () => {
    const signals = await open();
    const { endedMs: _, ...running } = attemptAt("openai/gpt-4o", { outcome: Attempt_Outcome.UNSPECIFIED });
    const log = new CallLog("req_1", "rest");
    log.attempts.push(running);
    signals.recordCall(log, END);
    const text = await signals.scrape();
    const labels = { error_type: "cancelled" };
    expect(sampleOf(text, "parley_attempts_total", { ...labels, parley_attempt_outcome: "cancelled" })).toBe(1);
    expect(sampleOf(text, "gen_ai_client_operation_duration_sum", labels)).toBe(0.3);
  });

  it("name a model only where it is known, and no parameter of a caller's", async () => {
    const signals = await open();
    const log = fallbackCall("rest", CALLERS);
    log.routed(CALLERS, `azure/${CALLERS}`, [
      dropped("top_k", "1", "why"),
      dropped(CALLERS, "1", "why"),
      clamped("messages[2].content[0].image_url.detail", "2", 1, 1),
      clamped("messages[3].content[0].image_url.detail", "2", 1, 1),
    ]);
    signals.recordCall(log, END);
    const text = await signals.scrape();
    expect(text).not.toContain(CALLERS);
    expect(text).not.toContain("gpt-4o-2024-08-06");
    const adjusted = (parameter: string, action: string): number | undefined =>
      sampleOf(text, "parley_adjustments_total", {
        parley_provider: "azure",
        parley_parameter: parameter,
        parley_adjustment: action,
      });
    expect([adjusted("top_k", "dropped"), adjusted("other", "dropped"), adjusted("messages", "clamped")]).toEqual([
      1, 1, 2,
    ]);
    expect(
      sampleOf(text, "gen_ai_client_token_usage_sum", { gen_ai_request_model: "other", gen_ai_token_type: "input" }),
    ).toBe(30);
  });

  it("are bounded, whatever is asked for", async () => {
    const signals = await open({ isKnownModel: () => true });
    for (let at = 0; at < CARDINALITY_LIMIT * 2; at++) {
      const log = new CallLog("req_1", "rest");
      log.attempts.push(attemptAt(`openai/m${at}`, {}));
      signals.recordCall(log, END);
    }
    const text = await signals.scrape();
    expect(text.match(/^parley_attempts_total\{/gm)).toHaveLength(CARDINALITY_LIMIT);
    expect(sampleOf(text, "parley_attempts_total", { otel_metric_overflow: "true" })).toBe(CARDINALITY_LIMIT + 1);
  });

  it("tell how it stands with targets, the unknown ones of a provider as one", async () => {
    const signals = await open({
      targets: () => [
        { provider: "openai", model: "gpt-4o", breaker: "half_open", inFlight: 2, waiting: 1 },
        { provider: "azure", model: CALLERS, breaker: "closed", inFlight: 3, waiting: 0 },
        { provider: "azure", model: `${CALLERS}2`, breaker: "open", inFlight: 4, waiting: 5 },
      ],
    });
    const text = await signals.scrape();
    const of = (name: string): (number | undefined)[] => [
      sampleOf(text, name, { parley_provider: "openai", gen_ai_request_model: "gpt-4o" }),
      sampleOf(text, name, { parley_provider: "azure", gen_ai_request_model: "other" }),
    ];
    expect(of("parley_target_breaker")).toEqual([1, 2]);
    expect(of("parley_target_in_flight")).toEqual([2, 7]);
    expect(of("parley_target_queue")).toEqual([1, 5]);
    expect(sampleOf(text, "parley_calls_active")).toBe(3);
    expect(text).not.toContain(CALLERS);
  });

  it.each<[StateGauge, values: readonly number[]]>([
    [NO_STATE, [0, 0, 0, 0]],
    [{ requestsWaiting: 7, requestsDropped: 3, areLimitsLocal: true, isStoreAway: false }, [7, 3, 1, 0]],
    [{ requestsWaiting: 0, requestsDropped: 0, areLimitsLocal: false, isStoreAway: true }, [0, 0, 0, 1]],
  ])("tell how it stands with what is kept and shared: %o", async (state, values) => {
    const text = await (await open({ state: () => state })).scrape();
    const names = ["requests_waiting", "requests_dropped_total", "limits_local", "store_away"];
    expect(names.map((name) => sampleOf(text, `parley_${name}`))).toEqual(values);
  });

  it("count reloads", async () => {
    const signals = await open();
    for (const outcome of ["ok", "refused", "ok"] as const) signals.recordReload(outcome);
    const text = await signals.scrape();
    const of = (outcome: string): number | undefined =>
      sampleOf(text, "parley_config_reloads_total", { parley_config_reload_outcome: outcome });
    expect([of("ok"), of("refused")]).toEqual([2, 1]);
  });
});

describe("what is sent to a collector", () => {
  afterEach(() => vi.unstubAllEnvs());

  const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
  const PARENT_ID = "b7ad6b7169203331";

  it("is a span for the call, within the caller's trace, and one for each attempt", async () => {
    const receiver = await openReceiver();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
    vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a");
    const signals = await open({ settings: { traces: TRACES, metrics: undefined } });
    const log = fallbackCall();
    signals.recordCall(log, { ...END, headers: { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` } });
    await signals.close();
    receiver.close();

    expect(log.traceId).toBe(TRACE_ID);
    expect(receiver.headers[0]).toMatchObject({ "x-team": "a" });
    expect(receiver.resources[0]).toMatchObject({ "service.name": "parley" });
    const [call, ...attempts] = receiver.spans.toSorted(
      (a, b) => Number(a.startNanos - b.startNanos) || a.kind - b.kind,
    );
    expect(receiver.spans.map(({ traceId }) => traceId)).toEqual([TRACE_ID, TRACE_ID, TRACE_ID]);
    expect(call).toMatchObject({
      parentSpanId: PARENT_ID,
      name: "chat auto",
      kind: 2,
      status: 0,
      attributes: {
        "parley.request_id": "req_1",
        "parley.door": "rest",
        "gen_ai.request.model": "auto",
        "http.response.status_code": 200,
      },
      events: [
        {
          name: "parley.attempt.skipped",
          attributes: { "parley.provider": "openai", "gen_ai.request.model": "gpt-4o", "error.type": "overloaded" },
        },
      ],
    });
    expect(attempts).toMatchObject([
      {
        parentSpanId: call?.spanId,
        name: "chat gpt-4o",
        kind: 3,
        status: 2,
        attributes: {
          "gen_ai.provider.name": "openai",
          "server.address": "api.openai.com",
          "error.type": "upstream_error",
          "parley.attempt.outcome": "failed",
          "parley.attempt.move": "next_target",
          "parley.attempt.time_to_headers": 0.02,
        },
      },
      {
        parentSpanId: call?.spanId,
        name: "chat gpt-4o",
        kind: 3,
        status: 0,
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.provider.name": "azure.ai.openai",
          "gen_ai.response.id": "chatcmpl-1",
          "gen_ai.response.model": "gpt-4o-2024-08-06",
          "gen_ai.response.finish_reasons": ["stop"],
          "gen_ai.response.time_to_first_chunk": 0.04,
          "gen_ai.request.stream": true,
          "gen_ai.usage.input_tokens": 30,
          "gen_ai.usage.output_tokens": 70,
          "gen_ai.usage.cache_read.input_tokens": 10,
          "parley.attempt.outcome": "succeeded",
          "parley.attempt.credential": 1,
          "parley.attempt.time_in_queue": 0.005,
        },
      },
    ]);
    const [, second] = attempts;
    const ms = (nanos: bigint): number => Number(nanos - call!.startNanos) / 1e6;
    expect([ms(second!.startNanos), ms(second!.endNanos), ms(call!.endNanos)]).toEqual([60, 260, 300]);
    expect(call!.startNanos).toBe(BigInt(log.startedAtMs) * 1_000_000n);
    expect(
      JSON.stringify(receiver.spans, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
    ).not.toContain(CALLERS);
  });

  it.each<[reason: keyof typeof Reason, status: number]>([
    ["MODEL_NOT_FOUND", 0],
    ["UPSTREAM_ERROR", 2],
  ])("is an error of the call for %s only where the caller is not at fault", async (reason, status) => {
    const receiver = await openReceiver();
    vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", `${receiver.url}/v1/traces`);
    const signals = await open({ settings: { traces: TRACES, metrics: undefined } });
    signals.recordCall(failedCall(Reason[reason]), END);
    await signals.close();
    receiver.close();
    expect(receiver.spans).toMatchObject([
      { parentSpanId: "", name: "chat", status, attributes: { "error.type": reason.toLowerCase() } },
    ]);
  });

  it("is nothing of a trace that the caller does not keep, and yet the log names it", async () => {
    const receiver = await openReceiver();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
    const signals = await open({ settings: { traces: TRACES, metrics: undefined } });
    const log = fallbackCall();
    signals.recordCall(log, { ...END, headers: { traceparent: `00-${TRACE_ID}-${PARENT_ID}-00` } });
    await signals.close();
    receiver.close();
    expect(receiver.spans).toEqual([]);
    expect(log.traceId).toBe(TRACE_ID);
  });

  it("are metrics, at the latest when the gateway ends", async () => {
    const receiver = await openReceiver();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
    vi.stubEnv("OTEL_SERVICE_NAME", "gateway-of-a-team");
    const signals = await open({ settings: { traces: undefined, metrics: METRICS } });
    signals.recordCall(fallbackCall(), END);
    await signals.close();
    receiver.close();
    expect([...receiver.metrics]).toEqual(
      expect.arrayContaining(["gen_ai.client.operation.duration", "gen_ai.client.token.usage", "parley.attempts"]),
    );
    expect(receiver.resources[0]).toMatchObject({ "service.name": "gateway-of-a-team" });
  });

  it("does not keep the gateway from its end where the collector is silent", async () => {
    const receiver = await openReceiver(false);
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
    const signals = await open({ settings: { traces: TRACES, metrics: METRICS } });
    signals.recordCall(fallbackCall(), END);
    const from = performance.now();
    await signals.close();
    receiver.close();
    // An exporter gives up after ten seconds.
    expect(performance.now() - from).toBeLessThan(8_000);
  });

  it("has warnings of the SDK in the log", async () => {
    const receiver = await openReceiver();
    receiver.close();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
    vi.stubEnv("OTEL_EXPORTER_OTLP_TIMEOUT", "100");
    const lines = createLines();
    const signals = await open({
      settings: { traces: TRACES, metrics: METRICS },
      logger: createLogger({ level: "info", destination: lines }),
    });
    signals.recordCall(fallbackCall(), END);
    await signals.close();
    expect(lines.all()).toContainEqual(expect.objectContaining({ level: "warn", msg: "telemetry" }));
  });
});
