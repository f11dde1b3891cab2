import { isDeepStrictEqual } from "node:util";
import { LRUCache } from "lru-cache";
import type { RoutingSettings } from "../config/settings.ts";
import type { Backend } from "../upstream/backend.ts";
import { createKeyRing, type KeyRing } from "./key-ring.ts";
import { createTargetState, type TargetState } from "./target-state.ts";

/** The settings that a state is made by. */
type StateSettings = Pick<RoutingSettings, "retryBudget" | "breaker">;

/**
 * The states of all targets. They live as long as their backends, so that a reload of the configuration forgets nothing of a provider
 * that stays as it is.
 */
export interface TargetStates {
  /** The state of a backend's model. Made by these settings, where it is not there, or was made by others. */
  of(backend: Backend, model: string, settings: StateSettings): TargetState;
}

/** Most models of one backend whose states are kept; callers choose the names. Those used last are kept. */
const MAX_MODELS = 10_000;

interface Kept {
  readonly keys: KeyRing;
  readonly models: LRUCache<string, { readonly state: TargetState; readonly settings: StateSettings }>;
}

/** Makes an empty set of states. */
export function createTargetStates(): TargetStates {
  const kept = new WeakMap<Backend, Kept>();
  const keptOf = (backend: Backend): Kept => {
    let found = kept.get(backend);
    if (found === undefined) {
      found = { keys: createKeyRing(backend.credentials), models: new LRUCache({ max: MAX_MODELS }) };
      kept.set(backend, found);
    }
    return found;
  };
  return {
    of(backend, model, { retryBudget, breaker }) {
      const { keys, models } = keptOf(backend);
      const found = models.get(model);
      const settings = { retryBudget, breaker };
      if (found !== undefined && isDeepStrictEqual(found.settings, settings)) return found.state;
      // Calls under way keep their places in the lane, so it stays, too.
      const fresh = createTargetState(settings, backend.concurrency, keys);
      const state = found === undefined ? fresh : { ...fresh, lane: found.state.lane, latency: found.state.latency };
      models.set(model, { state, settings });
      return state;
    },
  };
}
