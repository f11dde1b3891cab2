import type { JsonValue } from "@bufbuild/protobuf";
import type { SchemaNode } from "./schema-node.ts";

/** The members of a value that some keyword has looked at, for `unevaluatedProperties` and `unevaluatedItems`. */
export interface Evaluated {
  keys: Set<string>;
  items: Set<number>;
}

/** Says whether a value satisfies a schema. `evaluated`, if given, gets the members that were looked at. */
export type Check = (value: JsonValue, node: SchemaNode, evaluated?: Evaluated) => boolean;
