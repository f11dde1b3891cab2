import type { Limiter } from "../../src/admission/limits/limiter.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import { UsageSource } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { type Catalogue, type CatalogueOptions, createCatalogue } from "../../src/routing/catalogue.ts";
import { createTargetStates } from "../../src/routing/target-states.ts";
import type { Backend } from "../../src/upstream/backend.ts";

/** Routing as it is unless the configuration says otherwise. */
export const ROUTING: Settings["routing"] = {
  maxRetries: 2,
  maxWaitMs: 10_000,
  retryBudget: { burst: 10, ratio: 0.2 },
  breaker: { failureRatio: 0.5, window: 20, minCalls: 5, openMs: 1_000, maxOpenMs: 10_000 },
};

/** A gateway that asks each target once, and never runs out of time. */
export const ONE_TRY: GatewayOptions = {
  totalMs: 60_000,
  firstChunkMs: undefined,
  idleMs: undefined,
  attemptMs: undefined,
  maxRetries: 0,
  maxWaitMs: 0,
};

/** As many calls as come. */
export const UNBOUNDED = { maxInFlight: 1_000_000, maxQueue: 0 };

/** A backend that is never called. */
export const idleBackend = (id: string, parts: Partial<Backend> = {}): Backend => ({
  id,
  vendor: "generic",
  networked: true,
  address: undefined,
  credentials: 1,
  concurrency: UNBOUNDED,
  usageSource: UsageSource.PROVIDER,
  models: () => [],
  has: () => true,
  abilitiesOf: () => ({}),
  plan: () => {
    throw new Error("nobody calls it");
  },
  ...parts,
});

/** A catalogue of these backends, with these models behind "auto". */
export const catalogueOf = (
  backends: readonly Backend[],
  auto: readonly string[],
  more: Partial<CatalogueOptions> = {},
): Catalogue =>
  createCatalogue({
    backends,
    models: [],
    auto: { policy: "quality", models: auto },
    routing: ROUTING,
    states: createTargetStates(),
    ...more,
  });

/** For gateways whose callers have no limits: nobody asks it. */
export const NO_LIMITER: Limiter = {
  isLocal: false,
  standing: () => {
    throw new Error("nobody has limits here");
  },
  reserve: () => {
    throw new Error("nobody has limits here");
  },
  close: async () => undefined,
};
