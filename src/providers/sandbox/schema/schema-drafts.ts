import type { JsonObject } from "@bufbuild/protobuf";
import {
  below,
  has,
  type KeywordNode,
  readSchema,
  readSchemaMap,
  readSchemas,
  readTexts,
  type SchemaNode,
} from "./schema-node.ts";

/*
 * What draft 2020-12 and the drafts before it write in different ways, down to draft-07
 * (https://json-schema.org/draft/2020-12/release-notes).
 */

/** The schemas of the first items: `prefixItems`, or a list of `items` as drafts before 2020-12 have it. */
export function readPrefix(node: KeywordNode): readonly SchemaNode[] {
  return readSchemas(node, hasItemList(node) ? "items" : "prefixItems");
}

/** The schema of the items after the first ones: `items`, or `additionalItems` beside a list. */
export function readItems(node: KeywordNode): SchemaNode | undefined {
  return readSchema(node, hasItemList(node) ? "additionalItems" : "items");
}

function hasItemList(node: KeywordNode): boolean {
  return has(node, "items") && Array.isArray(node.schema["items"]);
}

/** The members that `dependentRequired`, or `dependencies` of earlier drafts, wants beside a member. */
export function readDependents(node: KeywordNode, key: string): readonly string[] {
  return ["dependentRequired", "dependencies"].flatMap((keyword) => {
    const dependents = readSchemaMap(node, keyword).get(key);
    if (dependents === undefined || (keyword === "dependencies" && !Array.isArray(dependents.schema))) {
      return [];
    }
    return readTexts({ schema: node.schema[keyword] as JsonObject, pointer: below(node.pointer, keyword) }, key);
  });
}

/** What `dependentSchemas`, or `dependencies` of earlier drafts, wants of an object with a member, by its name. */
export function readDependentSchemas(node: KeywordNode): readonly (readonly [string, SchemaNode])[] {
  const earlier = [...readSchemaMap(node, "dependencies")].filter(([, { schema }]) => !Array.isArray(schema));
  return [...readSchemaMap(node, "dependentSchemas"), ...earlier];
}
