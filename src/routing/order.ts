/** The order in which targets are asked: pure functions of what is known of them now. */
import type { PolicyName } from "../config/settings.ts";
import type { Demand } from "./demand.ts";
import { keysReadyAt } from "./key-ring.ts";
import type { Candidate, Target } from "./target.ts";

/** What an order is made by. */
export interface Ordering {
  readonly policy: PolicyName;
  /** Share of the calls that begin with a target, by its name; empty: the policy alone decides. */
  readonly weights: ReadonlyMap<string, number>;
}

/** The situation of a call. */
export interface Situation {
  readonly demand: Demand;
  readonly streaming: boolean;
  /** Unix milliseconds. */
  readonly now: number;
  /** From 0 up to and without 1. */
  random(): number;
}

/** Tokens of an answer that are reckoned with where the call gives no limit, and at most. */
const USUAL_ANSWER_TOKENS = 500;

/** Puts targets into the order in which they are asked; a new list, unless there is but one. */
export function inOrder(
  candidates: readonly Candidate[],
  { policy, weights }: Ordering,
  situation: Situation,
): readonly Candidate[] {
  if (candidates.length < 2) return candidates;
  if (weights.size > 0) return byWeight(candidates, weights, situation);
  switch (policy) {
    case "quality":
      return candidates;
    case "cost":
      return sortedBy(candidates, ({ target }) => costOf(target, situation.demand) ?? Number.POSITIVE_INFINITY);
    case "latency":
      return byLatency(candidates, situation);
    default:
      return policy satisfies never;
  }
}

/** What a call would cost at a target, in nano-dollars; undefined where no price is known. */
export function costOf({ facts: { price } }: Target, { promptTokens, maxTokens, choices }: Demand): number | undefined {
  if (price === undefined) return undefined;
  const answer = Math.min(maxTokens ?? USUAL_ANSWER_TOKENS, USUAL_ANSWER_TOKENS) * choices;
  return price.input * promptTokens + price.output * answer;
}

/** When a target takes a call, as far as it is known: 0 for now. */
export const readyAt = ({ state }: Target, now: number): number => {
  const { readyAt: breaker } = state.breaker;
  return Math.max(breaker <= now ? 0 : breaker, keysReadyAt(state.keys, now));
};

/** A draw without putting back, in which a weight is a chance (Efraimidis and Spirakis). Targets without a weight come last. */
function byWeight(
  candidates: readonly Candidate[],
  weights: ReadonlyMap<string, number>,
  { random }: Situation,
): readonly Candidate[] {
  return sortedBy(candidates, ({ target }) => {
    const weight = weights.get(target.name);
    return weight === undefined ? Number.POSITIVE_INFINITY : -Math.log(1 - random()) / weight;
  });
}

/** The better of two that are drawn of those that take calls now; then the others, the best first. */
function byLatency(candidates: readonly Candidate[], { streaming, now, random }: Situation): readonly Candidate[] {
  const scoreOf = ({ target: { state } }: Candidate): number =>
    (streaming ? state.latency.stream : state.latency.whole).now(now) * (state.lane.inFlight + 1);
  const scored = candidates.map((candidate) => ({ candidate, score: scoreOf(candidate) }));
  const able = scored.filter(({ candidate }) => readyAt(candidate.target, now) === 0);
  const first = able[Math.floor(random() * able.length)];
  // The second draw leaves the first one out.
  const others = able.filter((it) => it !== first);
  const second = others[Math.floor(random() * others.length)];
  const best = first !== undefined && second !== undefined && second.score < first.score ? second : first;
  const sorted = scored.sort((a, b) => a.score - b.score);
  const order = best === undefined ? sorted : [best, ...sorted.filter((it) => it !== best)];
  return order.map(({ candidate }) => candidate);
}

/** By ascending keys; those with the same key stay as they are. */
function sortedBy(candidates: readonly Candidate[], keyOf: (candidate: Candidate) => number): readonly Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, key: keyOf(candidate) }))
    .sort((a, b) => (a.key === b.key ? 0 : a.key - b.key))
    .map(({ candidate }) => candidate);
}
