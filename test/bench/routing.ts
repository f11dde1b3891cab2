/** What the choice of a target costs: calls in one process, to one target and to many, all of which answer at once. */
import { startChild } from "./child.ts";
import type { PartEffort } from "./effort.ts";

/** What is routed: which name is asked for, and what it is. */
export const ROUTES = {
  quality: { model: "quality", title: "a name, by quality" },
  cost: { model: "cost", title: "a name, by cost" },
  latency: { model: "latency", title: "a name, by latency" },
  weights: { model: "weights", title: "a name, by weights" },
  auto: { model: "auto", title: "auto, by quality" },
  down: { model: "quality", title: "a name, all down but the last" },
} as const satisfies Record<string, { readonly model: string; readonly title: string }>;

/** A name of `ROUTES`. */
export type Route = keyof typeof ROUTES;

/** Calls that are made one after the other. */
export interface RoutingTrial {
  readonly route: Route;
  readonly targets: number;
  readonly calls: number;
}

/** CPU time of calls to one target and to many, in µs, one for each round. */
export interface RoutingFigures {
  readonly route: Route;
  readonly one: readonly number[];
  readonly many: readonly number[];
}

/** How many targets many are. */
export const MANY_TARGETS = 50;

/** Calls of a trial, for each second that a load would last. */
const CALLS_A_SECOND = 5_000;
/** Rounds before they count. */
const WARM_UP_ROUNDS = 3;

/** Measures every route. One and many take turns, so that what else the machine does meets both alike. */
export async function measureRouting({ seconds, rounds, profile }: PartEffort): Promise<RoutingFigures[]> {
  const nodeFlags = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}/routing`];
  const child = await startChild("routing-process.ts", { nodeFlags });
  const calls = Math.ceil(seconds * CALLS_A_SECOND);
  const run = async (route: Route, targets: number): Promise<number> =>
    (await child.ask({ route, targets, calls } satisfies RoutingTrial)) as number;
  try {
    const figures = (Object.keys(ROUTES) as Route[]).map((route) => ({
      route,
      one: [] as number[],
      many: [] as number[],
    }));
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      for (const { route, one, many } of figures) {
        const costs = [await run(route, 1), await run(route, MANY_TARGETS)] as const;
        if (round < 0) continue;
        one.push(costs[0]);
        many.push(costs[1]);
      }
    }
    return figures;
  } finally {
    await child.end();
  }
}
