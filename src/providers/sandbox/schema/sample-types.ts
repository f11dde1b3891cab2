import type { JsonValue } from "@bufbuild/protobuf";
import type { Random } from "../random.ts";
import type { Hints } from "./sample-hints.ts";
import type { KeywordNode, SchemaNode } from "./schema-node.ts";
import type { SchemaWork } from "./schema-work.ts";

/** Where in the sample a value is being made. */
export interface SamplePlace {
  /** The name of the property that the value belongs to, also through lists; empty at the root. */
  readonly name: string;
  /** How many objects and lists are around the value. */
  readonly depth: number;
  /** How often each schema named by a `$ref` is being followed around the value, by its pointer. */
  readonly references: ReadonlyMap<string, number>;
  /** 0 for the first try; with any other number, values should differ from those of the first try. */
  readonly variation: number;
}

/** The tools for making one sample, shared by the parts of the sampler. */
export interface Sampler {
  readonly work: SchemaWork;
  readonly random: Random;
  readonly hints: Hints;
  /** Makes a value that satisfies all the schemas; refuses when it finds none. */
  sample(nodes: readonly SchemaNode[], place: SamplePlace): JsonValue;
  /** Whether a value satisfies all the schemas. */
  fits(value: JsonValue, nodes: readonly SchemaNode[]): boolean;
  /** Whether the sample is still small enough here for what a schema allows but does not require. */
  isGenerous(place: SamplePlace): boolean;
}

/** What has to hold for one value, after `$ref`, `allOf` and the chosen branches have been laid side by side. */
export interface Requirement {
  /** The schemas as they were given: what the finished value is checked against. */
  readonly nodes: readonly SchemaNode[];
  /** Those and all that they imply, flat: what the value is made from. Never empty. */
  readonly parts: readonly KeywordNode[];
  readonly place: SamplePlace;
}

/** The largest number of items, members and characters that one schema may ask for. */
export const MAX_COUNT = 10_000;
