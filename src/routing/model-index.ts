import { clone } from "@bufbuild/protobuf";
import { LRUCache } from "lru-cache";
import type { RoutingSettings } from "../config/settings.ts";
import { type Model, ModelSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Backend } from "../upstream/backend.ts";
import { factsOf } from "./abilities.ts";
import type { Target } from "./target.ts";
import type { TargetStates } from "./target-states.ts";

/** What backends list, under the names that callers use. */
export interface ModelIndex {
  /** All models, sorted by id; with the extras. */
  readonly models: readonly Model[];
  /** Models by "provider/model", and the extras by their ids. */
  readonly byName: ReadonlyMap<string, Model>;
  /** Backends by the ids that they list, without "provider/", in their order. */
  readonly listersOf: ReadonlyMap<string, readonly Backend[]>;
  /** A backend's model as a target; the same object as long as the lists say the same. */
  target(backend: Backend, model: string): Target;
  /** A target that is known to somebody else is asked for again: it is one of those that were lately. */
  keep(target: Target): void;
  /** The targets that were asked for lately. */
  targets(): Iterable<Target>;
}

/** What an index is made of. */
export interface IndexOptions {
  /** Where several list the same id, it stands for all of them, in this order. */
  readonly backends: readonly Backend[];
  /** Models that are no backend's. */
  readonly extras: readonly Model[];
  readonly routing: Pick<RoutingSettings, "retryBudget" | "breaker">;
  readonly states: TargetStates;
}

/** Most targets that are kept; callers choose the names. Those used last are kept. */
const MAX_TARGETS = 10_000;

/**
 * Makes a function that gives the index of what these backends list now. It is made anew only after a list has become another
 * object; until then, asking for it costs a comparison for each backend.
 */
export function createModelIndex(options: IndexOptions): () => ModelIndex {
  const { backends } = options;
  let lists: readonly (readonly Model[])[] = [];
  let index: ModelIndex | undefined;
  const isUpToDate = (): boolean => {
    for (let at = 0; at < backends.length; at++) if (backends[at]?.models() !== lists[at]) return false;
    return true;
  };
  return () => {
    if (index !== undefined && isUpToDate()) return index;
    lists = backends.map((backend) => backend.models());
    index = indexOf(options, lists);
    return index;
  };
}

function indexOf(
  { backends, extras, routing, states }: IndexOptions,
  lists: readonly (readonly Model[])[],
): ModelIndex {
  const byName = new Map(extras.map((extra) => [extra.id, extra]));
  const listersOf = new Map<string, Backend[]>();
  for (const [at, backend] of backends.entries()) {
    for (const model of lists[at] ?? []) {
      const named = clone(ModelSchema, model);
      named.id = nameOf(backend, model.id);
      named.ownedBy = backend.id;
      byName.set(named.id, named);
      const listers = listersOf.get(model.id);
      if (listers === undefined) listersOf.set(model.id, [backend]);
      else listers.push(backend);
    }
  }
  const targets = new LRUCache<string, Target>({ max: MAX_TARGETS });
  return {
    models: [...byName.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    byName,
    listersOf,
    target(backend, model) {
      const name = nameOf(backend, model);
      let target = targets.get(name);
      if (target === undefined) {
        const facts = factsOf(backend.abilitiesOf(model), byName.get(name));
        target = { backend, model, name, facts, state: states.of(backend, model, routing) };
        targets.set(name, target);
      }
      return target;
    },
    keep(target) {
      if (targets.get(target.name) === undefined) targets.set(target.name, target);
    },
    targets: () => targets.values(),
  };
}

const nameOf = ({ id }: Backend, model: string): string => `${id}/${model}`;
