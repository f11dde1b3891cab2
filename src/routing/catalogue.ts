/** Routing: from the name of a model to the backend that serves it. */
import { clone, create } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type Model, ModelSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Backend } from "../upstream/backend.ts";

/** The name that stands for the best model available. */
export const AUTO = "auto";

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

/** The models that can be asked for. */
export interface Catalogue {
  /** Finds the target of a name. Fails with MODEL_NOT_FOUND, param "model". */
  resolve(name: string): Target;
  /** All models, sorted by id. */
  list(): readonly Model[];
  /** One model of the list. Fails with MODEL_NOT_FOUND, param "model". */
  get(name: string): Model;
}

/** Makes the catalogue of these backends; `autoModel` is the "provider/model" behind "auto". Fails with MODEL_NOT_FOUND. */
export function createCatalogue(backends: readonly Backend[], autoModel: string): Catalogue {
  const byId = new Map(backends.map((backend) => [backend.id, backend]));
  const models = listModels(backends, autoModel);
  const byName = new Map(models.map((model) => [model.id, model]));

  const find = (name: string): Omit<Target, "answeredAs"> | undefined => {
    const slash = name.indexOf("/");
    const named = slash < 0 ? undefined : byId.get(name.slice(0, slash));
    const model = name.slice(slash + 1);
    if (named?.has(model)) return { backend: named, model, name };
    const bare = backends.find((backend) => backend.models().some(({ id }) => id === name));
    return bare && { backend: bare, model: name, name: `${bare.id}/${name}` };
  };
  const auto = find(autoModel);
  if (auto === undefined) throw modelNotFound(autoModel);

  return {
    resolve(name) {
      if (name === AUTO) return { ...auto, answeredAs: auto.name };
      const found = find(name);
      if (found === undefined) throw modelNotFound(name);
      return { ...found, answeredAs: name };
    },
    list: () => models,
    get(name) {
      const model = byName.get(name) ?? byName.get(find(name)?.name ?? "");
      if (model === undefined) throw modelNotFound(name);
      return model;
    },
  };
}

/** The backends' models under the names that callers use, and "auto", sorted by id. */
function listModels(backends: readonly Backend[], autoModel: string): Model[] {
  const listed = backends.flatMap((backend) =>
    backend.models().map((model) => {
      const copy = clone(ModelSchema, model);
      copy.id = `${backend.id}/${model.id}`;
      copy.ownedBy = backend.id;
      return copy;
    }),
  );
  const auto = create(ModelSchema, {
    id: AUTO,
    ownedBy: "parley",
    description: `The best model available: ${autoModel}`,
  });
  return [auto, ...listed].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Longest part of a name that an error repeats. */
const SHOWN = 100;

function modelNotFound(name: string): GatewayError {
  const shown = name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name;
  return new GatewayError(Reason.MODEL_NOT_FOUND, `The model '${shown}' does not exist`, { param: "model" });
}
