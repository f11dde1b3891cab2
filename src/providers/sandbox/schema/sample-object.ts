import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { MAX_COUNT, type Requirement, type SamplePlace, type Sampler } from "./sample-types.ts";
import { createMemberSchemas } from "./schema-check-object.ts";
import { readDependents } from "./schema-drafts.ts";
import {
  below,
  has,
  isObject,
  type KeywordNode,
  readCount,
  readSchema,
  readSchemaMap,
  readTexts,
  type SchemaNode,
} from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";

/** Which of the members that may be left out are made: all, none, or each by chance. */
export type Generosity = "all" | "none" | "some";

/** How many members a map has when its schema leaves that open. */
const NATURAL_ENTRIES = 2;
/** How many names are tried for one member whose name is free. */
const MAX_NAME_TRIES = 20;

/** An object that satisfies a requirement as far as its own keywords go; the caller checks the rest. */
export function sampleObject(requirement: Requirement, generosity: Generosity, sampler: Sampler): JsonObject {
  const { parts, place } = requirement;
  const { min, max } = readMemberCounts(parts);
  const names = listNames(requirement, generosity, max, sampler);
  const schemasOf = createNamedSchemas(parts, sampler);
  const members = new Map<string, JsonValue>();
  for (const [name, required] of names) {
    if (!required && !sampler.isGenerous(place)) {
      continue;
    }
    try {
      members.set(name, sampler.sample(schemasOf(name), inner(place, name)));
    } catch (error) {
      // A member that is not needed is left out when no value is found for it.
      if (!(error instanceof SchemaRefusal) || error.final || required) {
        throw error;
      }
    }
  }
  const isMap = names.size === 0 && describesEntries(parts) && generosity === "all" && sampler.isGenerous(place);
  addEntries(members, Math.max(min, isMap ? Math.min(max, NATURAL_ENTRIES) : 0), requirement, schemasOf, sampler);
  // Not by assignment, which would take a member called __proto__ for something else.
  return Object.fromEntries(members);
}

/** The names of the members to make, in the order of the schema, and whether each is required. */
function listNames(
  { parts, place }: Requirement,
  generosity: Generosity,
  max: number,
  sampler: Sampler,
): Map<string, boolean> {
  const required = closeOverDependents(new Set(parts.flatMap((part) => readTexts(part, "required"))), parts);
  if (required.size > Math.min(max, MAX_COUNT)) {
    const part = parts.find((candidate) => has(candidate, "required")) ?? parts[0]!;
    throw new SchemaRefusal(
      below(part.pointer, "required"),
      `${required.size} members must be <= ${Math.min(max, MAX_COUNT)}`,
    );
  }
  const described = parts.flatMap((part) => [...readSchemaMap(part, "properties").keys()]);
  const isGenerous = generosity !== "none" && sampler.isGenerous(place);
  let room = isGenerous ? Math.min(max, MAX_COUNT) - required.size : 0;
  const names = new Map<string, boolean>();
  for (const name of [...described, ...required]) {
    if (required.has(name)) {
      names.set(name, true);
    } else if (room > 0 && !names.has(name) && isWanted(name, generosity, parts, sampler)) {
      names.set(name, false);
      room--;
    }
  }
  return names;
}

function isWanted(name: string, generosity: Generosity, parts: readonly KeywordNode[], sampler: Sampler): boolean {
  const chosen = generosity === "all" || sampler.random.int(2) === 0;
  return chosen && sampler.fits(name, nameSchemas(parts));
}

/** Adds what `dependentRequired` wants beside the names that are there. */
function closeOverDependents(names: Set<string>, parts: readonly KeywordNode[]): Set<string> {
  // A Set is iterated in the order of insertion, including what is added on the way.
  for (const name of names) {
    for (const dependent of parts.flatMap((part) => readDependents(part, name))) {
      names.add(dependent);
    }
  }
  return names;
}

/** Adds members with free names until there are as many as wanted. */
function addEntries(
  members: Map<string, JsonValue>,
  wanted: number,
  { parts, place }: Requirement,
  schemasOf: (name: string) => SchemaNode[],
  sampler: Sampler,
): void {
  for (let tries = 0; members.size < wanted && tries < wanted + MAX_NAME_TRIES; tries++) {
    const name = inventName(parts, tries, place, sampler);
    if (!members.has(name) && sampler.fits(name, nameSchemas(parts))) {
      members.set(name, sampler.sample(schemasOf(name), { ...inner(place, name), variation: tries }));
    }
  }
}

/** A name for a member: by `propertyNames` or `patternProperties` where they are, otherwise key1, key2… */
function inventName(parts: readonly KeywordNode[], index: number, place: SamplePlace, sampler: Sampler): string {
  const names = nameSchemas(parts);
  if (names.length > 0) {
    const text: SchemaNode = { schema: { type: "string" }, pointer: below(names[0]!.pointer, "type") };
    const name = sampler.sample([...names, text], { ...place, name: "key", variation: index });
    return typeof name === "string" ? name : "key";
  }
  for (const part of parts) {
    for (const [source, { pointer }] of readSchemaMap(part, "patternProperties")) {
      const name = sampler.work.pattern(source, pointer).sample(sampler.random, { min: 0, max: 100 });
      if (name !== undefined) {
        return name;
      }
    }
  }
  return `key${index + 1}`;
}

/** Makes the function that says what the member of a name has to satisfy, in all parts together. */
function createNamedSchemas(parts: readonly KeywordNode[], sampler: Sampler): (name: string) => SchemaNode[] {
  const lookups = parts.map((part) => createMemberSchemas(part, sampler.work));
  return (name) => lookups.flatMap((schemasOf) => schemasOf(name));
}

function nameSchemas(parts: readonly KeywordNode[]): SchemaNode[] {
  return parts.flatMap((part) => readSchema(part, "propertyNames") ?? []);
}

/** Whether the schema says what the members of a map look like, without naming any. */
function describesEntries(parts: readonly KeywordNode[]): boolean {
  return parts.some((part) => isObject(part.schema["additionalProperties"]) || has(part, "patternProperties"));
}

function inner(place: SamplePlace, name: string): SamplePlace {
  return { ...place, name, depth: place.depth + 1 };
}

function readMemberCounts(parts: readonly KeywordNode[]): { min: number; max: number } {
  const max = Math.min(...parts.map((part) => readCount(part, "maxProperties") ?? Number.POSITIVE_INFINITY));
  const min = Math.max(...parts.map((part) => readCount(part, "minProperties") ?? 0));
  if (min > Math.min(max, MAX_COUNT)) {
    const part = parts.find((candidate) => has(candidate, "minProperties"))!;
    throw new SchemaRefusal(below(part.pointer, "minProperties"), `${min} must be <= ${Math.min(max, MAX_COUNT)}`);
  }
  return { min, max };
}
