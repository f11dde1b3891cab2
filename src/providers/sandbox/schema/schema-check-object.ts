import type { JsonObject } from "@bufbuild/protobuf";
import type { Check, Evaluated } from "./schema-check-types.ts";
import { readDependents } from "./schema-drafts.ts";
import { type KeywordNode, readCount, readSchema, readSchemaMap, readTexts, type SchemaNode } from "./schema-node.ts";
import type { SchemaWork } from "./schema-work.ts";

/** Whether an object satisfies the keywords for objects. */
export function checkObject(
  value: JsonObject,
  node: KeywordNode,
  work: SchemaWork,
  check: Check,
  evaluated: Evaluated | undefined,
): boolean {
  const keys = Object.keys(value);
  const names = readSchema(node, "propertyNames");
  return (
    keys.length >= (readCount(node, "minProperties") ?? 0) &&
    keys.length <= (readCount(node, "maxProperties") ?? keys.length) &&
    readTexts(node, "required").every((key) => Object.hasOwn(value, key)) &&
    keys.every((key) => readDependents(node, key).every((other) => Object.hasOwn(value, other))) &&
    (names === undefined || keys.every((key) => check(key, names))) &&
    checkMembers(value, node, work, check, evaluated)
  );
}

function checkMembers(
  value: JsonObject,
  node: KeywordNode,
  work: SchemaWork,
  check: Check,
  evaluated: Evaluated | undefined,
): boolean {
  const schemasOf = createMemberSchemas(node, work);
  return Object.entries(value).every(([key, member]) => {
    const schemas = schemasOf(key);
    if (schemas.length > 0) {
      evaluated?.keys.add(key);
    }
    return schemas.every((schema) => check(member, schema));
  });
}

/**
 * Makes the function that says which schemas a member has to satisfy: those of `properties` and `patternProperties`
 * that name it, or else that of `additionalProperties`.
 */
export function createMemberSchemas(node: KeywordNode, work: SchemaWork): (key: string) => SchemaNode[] {
  const named = readSchemaMap(node, "properties");
  const patterns = [...readSchemaMap(node, "patternProperties")];
  const additional = readSchema(node, "additionalProperties");
  work.spend(named.size, node.pointer);
  return function schemasOf(key) {
    const byName = named.get(key);
    const byPattern = patterns.filter(([source, { pointer }]) => work.pattern(source, pointer).matches(key));
    const schemas = [...(byName === undefined ? [] : [byName]), ...byPattern.map(([, schema]) => schema)];
    return schemas.length === 0 && additional !== undefined ? [additional] : schemas;
  };
}
