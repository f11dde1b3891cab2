import type { Attributes, Meter } from "@opentelemetry/api";
import type { StateGauge } from "./state-gauge.ts";
import type { TargetGauge } from "./target-gauge.ts";

/** What is read when somebody asks. */
export interface Gauges {
  /** How many calls are running. */
  activeCalls(): number;
  /** How it stands with each target; its model is named only where it is known. */
  targets(): readonly TargetGauge[];
  /** How it stands with what is kept. */
  state(): StateGauge;
}

const BREAKER_VALUES: Readonly<Record<TargetGauge["breaker"], number>> = { closed: 0, half_open: 1, open: 2 };

/** Gauges that tell how bad it is: of several processes the worst counts, where the others are added. */
export const WORST_GAUGES: ReadonlySet<string> = new Set([
  "parley.target.breaker",
  "parley.limits.local",
  "parley.store.away",
]);

/** Has a meter read the gauges when somebody asks. */
export function observeGauges(meter: Meter, gauges: Gauges): void {
  observe(meter, gauges);
  observeState(meter, gauges);
}

function observe(meter: Meter, { activeCalls, targets }: Gauges): void {
  meter
    .createObservableUpDownCounter("parley.calls.active", { unit: "{call}", description: "Calls that are running." })
    .addCallback((result) => result.observe(activeCalls()));
  const breaker = meter.createObservableGauge("parley.target.breaker", {
    description: "Whether calls are kept from a target: 0 closed, 1 half-open, 2 open.",
  });
  const inFlight = meter.createObservableGauge("parley.target.in_flight", {
    unit: "{call}",
    description: "Calls that a target has now.",
  });
  const queue = meter.createObservableGauge("parley.target.queue", {
    unit: "{call}",
    description: "Calls that wait for a place at a target.",
  });
  meter.addBatchObservableCallback(
    (result) => {
      for (const target of targets()) {
        const attributes: Attributes = { "parley.provider": target.provider, "gen_ai.request.model": target.model };
        result.observe(breaker, BREAKER_VALUES[target.breaker], attributes);
        result.observe(inFlight, target.inFlight, attributes);
        result.observe(queue, target.waiting, attributes);
      }
    },
    [breaker, inFlight, queue],
  );
}

function observeState(meter: Meter, { state }: Gauges): void {
  const waiting = meter.createObservableGauge("parley.requests.waiting", {
    unit: "{request}",
    description: "Requests that wait to be written to the log of requests.",
  });
  const dropped = meter.createObservableCounter("parley.requests.dropped", {
    unit: "{request}",
    description: "Requests that the log of requests has lost.",
  });
  const limitsLocal = meter.createObservableGauge("parley.limits.local", {
    description: "Whether limits that should be shared are not now: 0 or 1.",
  });
  const storeAway = meter.createObservableGauge("parley.store.away", {
    description: "Whether the database can't be reached now: 0 or 1.",
  });
  meter.addBatchObservableCallback(
    (result) => {
      const { requestsWaiting, requestsDropped, areLimitsLocal, isStoreAway } = state();
      result.observe(waiting, requestsWaiting);
      result.observe(dropped, requestsDropped);
      result.observe(limitsLocal, areLimitsLocal ? 1 : 0);
      result.observe(storeAway, isStoreAway ? 1 : 0);
    },
    [waiting, dropped, limitsLocal, storeAway],
  );
}
