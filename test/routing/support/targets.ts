import type { Facts } from "../../../src/routing/abilities.ts";
import type { Demand } from "../../../src/routing/demand.ts";
import { createKeyRing } from "../../../src/routing/key-ring.ts";
import type { Candidate, Target } from "../../../src/routing/target.ts";
import { createTargetState } from "../../../src/routing/target-state.ts";
import type { Backend } from "../../../src/upstream/backend.ts";
import { idleBackend, ROUTING } from "../../support/routing.ts";

/** What is known of a model of which nothing is known. */
export const NO_FACTS: Facts = {
  lacks: 0,
  maxChoices: Number.POSITIVE_INFINITY,
  contextWindow: Number.POSITIVE_INFINITY,
  price: undefined,
};

/** What a call demands that is one short text. */
export const NO_DEMAND: Demand = { needs: 0, choices: 1, promptTokens: 10, maxTokens: undefined };

/** The target "id/m", in the state of one that nobody has called. */
export function idleTarget(id: string, facts: Partial<Facts> = {}, parts: Partial<Backend> = {}): Target {
  const backend = idleBackend(id, parts);
  const state = createTargetState(ROUTING, backend.concurrency, createKeyRing(backend.credentials));
  return { backend, model: "m", name: `${id}/m`, facts: { ...NO_FACTS, ...facts }, state };
}

/** Targets as candidates, which answer by their own names. */
export const candidatesOf = (...targets: readonly Target[]): Candidate[] =>
  targets.map((target) => ({ target, answersAs: target.name }));

/** The ids of candidates' backends. */
export const idsOf = (candidates: readonly Candidate[]): string[] => candidates.map(({ target }) => target.backend.id);

/** Opens a target's breaker. */
export function breakDown({ state }: Target): void {
  for (let call = 0; call < ROUTING.breaker.minCalls; call++) state.breaker.admit()?.failed();
}

/** Lets those that wait hear of it. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
