import { clone } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Backend } from "../upstream/backend.ts";

/** What backends list, under the names that callers use. */
export interface ModelIndex {
  /** All models, sorted by id; with `extra`. */
  readonly models: readonly Model[];
  /** Models by "provider/model", and `extra` by its id. */
  readonly byName: ReadonlyMap<string, Model>;
  /** Backends by the ids that they list, without "provider/". Of an id that several list, the first backend. */
  readonly byListedId: ReadonlyMap<string, Backend>;
}

/**
 * Makes a function that gives the index of what these backends list now. It is made anew only after a list has become another
 * object; until then, asking for it costs a comparison for each backend.
 */
export function createModelIndex(backends: readonly Backend[], extra: Model): () => ModelIndex {
  let lists: readonly (readonly Model[])[] = [];
  let index: ModelIndex | undefined;
  return () => {
    if (index !== undefined && backends.every((backend, at) => backend.models() === lists[at])) return index;
    lists = backends.map((backend) => backend.models());
    index = indexOf(backends, lists, extra);
    return index;
  };
}

function indexOf(backends: readonly Backend[], lists: readonly (readonly Model[])[], extra: Model): ModelIndex {
  const byName = new Map([[extra.id, extra]]);
  const byListedId = new Map<string, Backend>();
  for (const [at, backend] of backends.entries()) {
    for (const model of lists[at] ?? []) {
      const named = clone(ModelSchema, model);
      named.id = `${backend.id}/${model.id}`;
      named.ownedBy = backend.id;
      byName.set(named.id, named);
      if (!byListedId.has(model.id)) byListedId.set(model.id, backend);
    }
  }
  return { models: [...byName.values()].sort((a, b) => (a.id < b.id ? -1 : 1)), byName, byListedId };
}
