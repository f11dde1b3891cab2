/** Routing: from the name of a model to the backend that serves it. */
import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type Model, ModelSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Backend } from "../upstream/backend.ts";
import { createModelIndex } from "./model-index.ts";

/** The name that stands for the best model available. */
export const AUTO = "auto";

/** Longest name that is looked for. Providers take any, and it is in every line of the log and in headers. */
const MAX_NAME = 512;

/** Where a call goes. */
export interface Target {
  readonly backend: Backend;
  /** The provider's own name of the model. */
  readonly model: string;
  /** "provider/model". */
  readonly name: string;
  /** `model` of the answer: the name that was asked for, or, for "auto", the target's name. */
  readonly answeredAs: string;
}

/** The models that can be asked for. What backends list may change at any time; nothing here waits for it. */
export interface Catalogue {
  /**
   * Finds the target of a name: "provider/model", also of a model that the provider does not list; the id of a model that a provider
   * lists, which may have a slash of its own; or "auto". Fails with MODEL_NOT_FOUND, param "model", also for a name of more than 512
   * characters.
   */
  resolve(name: string): Target;
  /** All models that are listed now, and "auto", sorted by id. */
  list(): readonly Model[];
  /** One model of the list. Fails with MODEL_NOT_FOUND, param "model", also for one that is not listed and yet may be called. */
  get(name: string): Model;
}

/**
 * Makes the catalogue of these backends; where two list the same id, the first has it. `autoModel` is the name behind "auto", and has
 * to be one that is found already now: a provider whose list is still to come is named in it. Fails with MODEL_NOT_FOUND.
 */
export function createCatalogue(backends: readonly Backend[], autoModel: string): Catalogue {
  const byId = new Map(backends.map((backend) => [backend.id, backend]));
  const index = createModelIndex(
    backends,
    create(ModelSchema, { id: AUTO, ownedBy: "parley", description: `The best model available: ${autoModel}` }),
  );

  const find = (name: string): Omit<Target, "answeredAs"> | undefined => {
    if (name.length > MAX_NAME) return undefined;
    const slash = name.indexOf("/");
    const named = slash < 0 ? undefined : byId.get(name.slice(0, slash));
    const model = name.slice(slash + 1);
    if (model !== "" && named?.has(model)) return { backend: named, model, name };
    const lister = index().byListedId.get(name);
    return lister && { backend: lister, model: name, name: `${lister.id}/${name}` };
  };
  /** A provider that is not there is most often one whose key is not: the error names it. */
  const notFound = (name: string): GatewayError => {
    const provider = name.slice(0, Math.max(0, name.indexOf("/")));
    return modelNotFound(name, provider === "" || byId.has(provider) ? undefined : provider);
  };
  const auto = find(autoModel);
  if (auto === undefined) throw notFound(autoModel);

  return {
    resolve(name) {
      if (name === AUTO) return { ...auto, answeredAs: auto.name };
      const found = find(name);
      if (found === undefined) throw notFound(name);
      return { ...found, answeredAs: name };
    },
    list: () => index().models,
    get(name) {
      const { byName } = index();
      const model = byName.get(name) ?? byName.get(find(name)?.name ?? "");
      if (model === undefined) throw notFound(name);
      return model;
    },
  };
}

/** Longest part of a name that an error repeats. */
const SHOWN = 100;

const shown = (name: string): string => `'${name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name}'`;

/** `provider`: the part of the name before the slash, where it is no provider's. */
function modelNotFound(name: string, provider: string | undefined): GatewayError {
  const why = provider === undefined ? "" : `: there is no provider ${shown(provider)} here`;
  return new GatewayError(Reason.MODEL_NOT_FOUND, `The model ${shown(name)} does not exist${why}`, { param: "model" });
}
