/** Routing: from the name of a model to the targets that can answer, and the order in which they are asked. */
import { create } from "@bufbuild/protobuf";
import { LRUCache } from "lru-cache";
import type { AutoSettings, ModelNameSettings, PolicyName } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type Model, ModelSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Route } from "./choose.ts";
import { createModelIndex, type IndexOptions } from "./model-index.ts";
import type { Candidate, Target } from "./target.ts";

/** The name that stands for the best model available. */
export const AUTO = "auto";

/** Longest name that is looked for. Providers take any, and it is in every line of the log and in headers. */
const MAX_NAME = 512;

/** The models that can be asked for. What backends list may change at any time; nothing here waits for it. */
export interface Catalogue {
  /**
   * Finds what a name stands for: "auto"; a configured name for models; "provider/model", also of a model that the provider does not list;
   * or the id of a model that providers list, which may have a slash of its own. Fails with MODEL_NOT_FOUND, also for a name of more than
   * 512 characters. `param`: path of the parameter that has the name.
   */
  resolve(name: string, param?: string): Route;
  /** All models that are listed now, the configured names, and "auto", sorted by id. */
  list(): readonly Model[];
  /** One model of the list. Fails with MODEL_NOT_FOUND, param "model", also for one that is not listed and yet may be called. */
  get(name: string): Model;
  /** Whether a name is one of a limited number: listed, or configured. Callers make up the others. */
  isKnown(target: string): boolean;
  /** The targets that calls went to lately. */
  targets(): Iterable<Target>;
}

/** What a catalogue is made of. */
export type CatalogueOptions = Omit<IndexOptions, "extras"> & {
  readonly models: readonly ModelNameSettings[];
  /** With at least one model. */
  readonly auto: AutoSettings;
};

/** Most names whose routes are kept; callers choose the names. Those used last are kept. */
const MAX_ROUTES = 10_000;

const NO_WEIGHTS: ReadonlyMap<string, number> = new Map();

/**
 * Makes a catalogue. What `models` and `auto` name has to be found already now, and a provider whose list is still to come is named
 * with the model. Fails with MODEL_NOT_FOUND, whose param is the path of the name: "models[0].targets[1]", "auto.models[0]".
 */
export function createCatalogue({ backends, models, auto, routing, states }: CatalogueOptions): Catalogue {
  const byId = new Map(backends.map((backend) => [backend.id, backend]));
  const byName = new Map(models.map((name) => [name.id, name]));
  const index = createModelIndex({ backends, extras: extrasOf(models, auto), routing, states });

  /** A provider that is not there is most often one whose key is not: the error names it. */
  const notFound = (name: string, param: string): GatewayError => {
    const provider = name.slice(0, Math.max(0, name.indexOf("/")));
    return modelNotFound(name, provider === "" || byId.has(provider) ? undefined : provider, param);
  };
  const findTarget = (name: string): Target | undefined => {
    const slash = name.indexOf("/");
    const named = slash < 0 || name.length > MAX_NAME ? undefined : byId.get(name.slice(0, slash));
    const model = name.slice(slash + 1);
    return model !== "" && named?.has(model) ? index().target(named, model) : undefined;
  };
  const targetAt = (name: string, param: string): Target => {
    const found = findTarget(name);
    if (found === undefined) throw notFound(name, param);
    return found;
  };
  /** The targets of a configured name; each answers as the name, or, within "auto", as itself. */
  const candidatesOf = (name: ModelNameSettings, within?: typeof AUTO): Candidate[] =>
    name.targets.map((targetName, at) => {
      const target = targetAt(targetName, `models[${models.indexOf(name)}].targets[${at}]`);
      return { target, answersAs: within === AUTO ? target.name : name.id };
    });
  const autoCandidates = (): Candidate[] =>
    auto.models.flatMap((name, at) => {
      const named = byName.get(name);
      if (named !== undefined) return candidatesOf(named, AUTO);
      const target = targetAt(name, `auto.models[${at}]`);
      return [{ target, answersAs: target.name }];
    });

  const find = (name: string): Route | undefined => {
    if (name === AUTO) return route(autoCandidates(), auto.policy, NO_WEIGHTS, true);
    const named = byName.get(name);
    if (named !== undefined) return route(candidatesOf(named), named.policy, named.weights);
    const target = findTarget(name);
    if (target !== undefined) return route([{ target, answersAs: name }]);
    const listers = name.length > MAX_NAME ? undefined : index().listersOf.get(name);
    return listers && route(listers.map((backend) => ({ target: index().target(backend, name), answersAs: name })));
  };

  // What they name has to be there.
  for (const name of models) candidatesOf(name);
  autoCandidates();

  /** What names stood for lately. It is found anew when a list has changed, because that may say other facts. */
  const routes = new LRUCache<string, Route>({ max: MAX_ROUTES });
  let routesOf = index();
  const resolve = (name: string): Route | undefined => {
    const current = index();
    if (current !== routesOf) {
      routes.clear();
      routesOf = current;
    }
    const known = routes.get(name);
    if (known !== undefined) {
      // Most names stand for one.
      const [first] = known.candidates;
      if (first !== undefined) current.keep(first.target);
      return known;
    }
    const found = find(name);
    if (found !== undefined) routes.set(name, found);
    return found;
  };
  const named = new Set([...auto.models, ...models.flatMap(({ targets }) => targets)]);

  return {
    resolve(name, param = "model") {
      const found = resolve(name);
      if (found === undefined) throw notFound(name, param);
      return found;
    },
    list: () => index().models,
    get(name) {
      const { byName: listed } = index();
      const model = listed.get(name) ?? listed.get(find(name)?.candidates[0]?.target.name ?? "");
      if (model === undefined) throw notFound(name, "model");
      return model;
    },
    isKnown: (target) => named.has(target) || index().byName.has(target),
    targets: () => index().targets(),
  };
}

const route = (
  candidates: readonly Candidate[],
  policy: PolicyName = "quality",
  weights = NO_WEIGHTS,
  isAuto = false,
): Route => ({ candidates: candidates.filter(isFirst), policy, weights, isAuto });

/** Whether a candidate is the first way to its target. */
const isFirst = ({ target }: Candidate, at: number, all: readonly Candidate[]): boolean =>
  all.findIndex((other) => other.target.name === target.name) === at;

/** The models of the list that are no provider's. */
function extrasOf(models: readonly ModelNameSettings[], auto: AutoSettings): Model[] {
  const listed = (id: string, targets: readonly string[], description: string): Model =>
    create(ModelSchema, { id, ownedBy: "parley", description, targets: [...targets] });
  return [
    listed(AUTO, auto.models, `The first that suits: ${auto.models.join(", ")}`),
    ...models.map(({ id, targets }) => listed(id, targets, `A name for ${targets.join(", ")}`)),
  ];
}

/** Longest part of a name that an error repeats. */
const SHOWN = 100;

const shown = (name: string): string => `'${name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name}'`;

/** `provider`: the part of the name before the slash, where it is no provider's. */
function modelNotFound(name: string, provider: string | undefined, param: string): GatewayError {
  const why = provider === undefined ? "" : `: there is no provider ${shown(provider)} here`;
  return new GatewayError(Reason.MODEL_NOT_FOUND, `The model ${shown(name)} does not exist${why}`, { param });
}
