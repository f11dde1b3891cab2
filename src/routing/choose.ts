import { GatewayError } from "../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { inOrder, type Ordering, type Situation } from "./order.ts";
import { exclusionsOf, isSuitable } from "./suitable.ts";
import type { Candidate } from "./target.ts";

/** What a name stands for. */
export interface Route extends Ordering {
  /** No target is there twice. */
  readonly candidates: readonly Candidate[];
  /** Whether the caller leaves the choice to the gateway: a target that can't give what is asked for is never asked then. */
  readonly isAuto: boolean;
}

/** The targets that a call goes to. */
export interface Choice {
  /** In the order in which they are asked; never empty. No target is there twice. */
  readonly chosen: readonly Candidate[];
  /** Those that are known not to give what is asked for. */
  readonly unsuitable: readonly Candidate[];
}

/**
 * Chooses whom to ask: of the routes, one after the other, the targets that suit, in the order of each route's policy. Of targets that
 * the caller has named, all are asked where none suits, because what is known of them may be wrong. Of "auto", none is: fails with what
 * keeps the first one from it.
 */
export function choose(routes: readonly Route[], situation: Situation, params: ChatCompletionParams): Choice {
  const [only] = routes;
  const { demand } = situation;
  if (routes.length === 1 && only !== undefined) {
    const { candidates, isAuto } = only;
    const isPlain =
      (candidates.length === 1 && !isAuto) || candidates.every(({ target }) => isSuitable(target, demand));
    if (isPlain) return { chosen: inOrder(candidates, only, situation), unsuitable: [] };
  }
  const chosen = new Map<string, Candidate>();
  const unsuitable = new Map<string, Candidate>();
  for (const route of routes) {
    const suitable: Candidate[] = [];
    for (const candidate of route.candidates) {
      if (isSuitable(candidate.target, demand)) suitable.push(candidate);
      else add(unsuitable, candidate);
    }
    for (const candidate of inOrder(suitable, route, situation)) add(chosen, candidate);
  }
  if (chosen.size > 0) return { chosen: [...chosen.values()], unsuitable: [...unsuitable.values()] };
  const named = routes.filter(({ isAuto }) => !isAuto);
  if (named.length === 0) throw nobodySuits([...unsuitable.values()], situation, params);
  for (const route of named)
    for (const candidate of inOrder(route.candidates, route, situation)) add(chosen, candidate);
  for (const name of chosen.keys()) unsuitable.delete(name);
  return { chosen: [...chosen.values()], unsuitable: [...unsuitable.values()] };
}

/** The first way to a target counts. */
function add(candidates: Map<string, Candidate>, candidate: Candidate): void {
  const { name } = candidate.target;
  if (!candidates.has(name)) candidates.set(name, candidate);
}

function nobodySuits(
  unsuitable: readonly Candidate[],
  { demand }: Situation,
  params: ChatCompletionParams,
): GatewayError {
  const [first] = unsuitable as [Candidate];
  const [why] = exclusionsOf(first.target, demand, params) as [ReturnType<typeof exclusionsOf>[number]];
  const others = unsuitable.length === 1 ? "" : `, and none of the others (${unsuitable.length - 1}) suits either`;
  return new GatewayError(why.reason, `${why.path}: ${first.target.name}: ${why.description}${others}`, {
    param: why.path,
  });
}
