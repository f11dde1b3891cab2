/** The order in which targets are asked: pure functions of what is known of them now. */
import type { PolicyName } from "../config/settings.ts";
import type { Demand } from "./demand.ts";
import { keysReadyAt } from "./key-ring.ts";
import type { Candidate, Target } from "./target.ts";
import { latencyOf } from "./target-state.ts";

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
  const scores = candidates.map(({ target: { state } }) => {
    return latencyOf(state, streaming).now(now) * (state.lane.inFlight + 1);
  });
  const best = better(candidates, scores, now, random);
  // It comes before all, whatever the scores are.
  if (best !== undefined) scores[best] = Number.NEGATIVE_INFINITY;
  return byKeys(candidates, scores);
}

/** Draws two of those that take calls now, and returns the place of the one whose score is lower; undefined where there is none. */
function better(
  candidates: readonly Candidate[],
  scores: readonly number[],
  now: number,
  random: () => number,
): number | undefined {
  const left = candidates.map((_, at) => at);
  const draw = (): number | undefined => {
    while (left.length > 0) {
      const [at] = left.splice(Math.floor(random() * left.length), 1) as [number];
      if (readyAt((candidates[at] as Candidate).target, now) === 0) return at;
    }
    return undefined;
  };
  const first = draw();
  const second = draw();
  if (first === undefined || second === undefined) return first;
  return (scores[second] as number) < (scores[first] as number) ? second : first;
}

const sortedBy = (candidates: readonly Candidate[], keyOf: (candidate: Candidate) => number): readonly Candidate[] =>
  byKeys(candidates, candidates.map(keyOf));

/** By ascending keys, which are moved with them; those with the same key stay as they are. */
function byKeys(candidates: readonly Candidate[], keys: number[]): readonly Candidate[] {
  // Insertion: for fifty it takes less than half of what a sort does that calls a comparator; and targets are few.
  const sorted = [...candidates];
  for (let at = 1; at < sorted.length; at++) {
    const key = keys[at] as number;
    const candidate = sorted[at] as Candidate;
    let to = at;
    for (; to > 0 && (keys[to - 1] as number) > key; to--) {
      keys[to] = keys[to - 1] as number;
      sorted[to] = sorted[to - 1] as Candidate;
    }
    keys[to] = key;
    sorted[to] = candidate;
  }
  return sorted;
}
