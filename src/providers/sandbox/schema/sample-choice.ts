import type { JsonValue } from "@bufbuild/protobuf";
import type { Requirement, SamplePlace, Sampler } from "./sample-types.ts";
import { readDependentSchemas } from "./schema-drafts.ts";
import {
  below,
  has,
  isObject,
  type KeywordNode,
  readList,
  readReference,
  readSchema,
  readSchemaMap,
  readSchemas,
  readText,
  readTexts,
  readTypes,
  type SchemaNode,
  toKeywordNode,
} from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";

/** One way through the choices that a schema leaves: the digits of a number, in the bases that the choices have. */
export interface Choices {
  /** The next choice, from 0 to `count` - 1. */
  choose(count: number): number;
  /** Any number; the same in all attempts at one value. Says with which of equally good branches to begin. */
  readonly turn: number;
  /** How many ways there are, as far as the choices made so far tell. */
  readonly ways: number;
}

/** How deeply a schema may be inside itself by `$ref`: one level of nesting shows that it can be nested. */
const MAX_RECURSION = 2;
const MAX_PARTS = 200;

/** The choices of the given attempt; attempt 0 takes the first of every one. */
export function createChoices(attempt: number, turn: number): Choices {
  let rest = attempt;
  let ways = 1;
  return {
    turn,
    choose(count) {
      const digit = rest % count;
      rest = Math.floor(rest / count);
      ways *= count;
      return digit;
    },
    get ways() {
      return ways;
    },
  };
}

/**
 * Lays side by side everything that has to hold for a value: follows `$ref` and `allOf`, and takes a branch of each
 * `anyOf`, `oneOf` and `if`. Refuses where nothing can hold, and where a schema contains itself too often.
 */
export function expandRequirement(
  nodes: readonly SchemaNode[],
  place: SamplePlace,
  choices: Choices,
  sampler: Sampler,
): Requirement {
  const references = new Map(place.references);
  const entered = new Set<string>();
  const waiting = [...nodes];
  const parts = new Map<string, KeywordNode>();
  for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
    sampler.work.spend(1, node.pointer);
    if (node.schema === false) {
      throw new SchemaRefusal(node.pointer, "nothing is allowed here");
    }
    // A schema that refers to itself adds nothing the second time.
    if (node.schema === true || parts.has(node.pointer)) {
      continue;
    }
    if (parts.size >= MAX_PARTS) {
      throw new SchemaRefusal(node.pointer, `more than ${MAX_PARTS} schemas apply to one value`);
    }
    const part = toKeywordNode(node);
    parts.set(part.pointer, part);
    const target = readReference(sampler.work.root, part);
    if (target !== undefined && !entered.has(target.pointer)) {
      entered.add(target.pointer);
      enter(target, references);
      waiting.push(target);
    }
    waiting.push(...readSchemas(part, "allOf"), ...chosenBranches(part, place, choices, sampler), ...dependents(part));
  }
  const pointer = nodes[0]?.pointer ?? "#";
  const all = parts.size === 0 ? [{ schema: {}, pointer }] : [...parts.values()];
  return { nodes, parts: all, place: { ...place, references } };
}

function enter(target: SchemaNode, references: Map<string, number>): void {
  const count = (references.get(target.pointer) ?? 0) + 1;
  if (count > MAX_RECURSION) {
    throw new SchemaRefusal(target.pointer, "the schema contains itself without an end");
  }
  references.set(target.pointer, count);
}

function chosenBranches(part: KeywordNode, place: SamplePlace, choices: Choices, sampler: Sampler): SchemaNode[] {
  const chosen: SchemaNode[] = [];
  for (const keyword of ["anyOf", "oneOf"]) {
    if (has(part, keyword)) {
      const branches = orderBranches(readSchemas(part, keyword), place, choices.turn, sampler);
      if (branches.length === 0) {
        throw new SchemaRefusal(below(part.pointer, keyword), "must have at least one branch");
      }
      chosen.push(branches[choices.choose(branches.length)]!);
    }
  }
  const condition = readSchema(part, "if");
  if (condition !== undefined) {
    const consequence = readSchema(part, "then");
    const alternative = readSchema(part, "else");
    // Whether the value falls on the chosen side is checked when it is complete.
    const sides = [[condition, consequence], [alternative]];
    chosen.push(...sides[choices.choose(2)]!.filter((side) => side !== undefined));
  }
  return chosen;
}

/**
 * The branches from the best: those that the conversation speaks of, then those that do not lead deeper into the same
 * schema, and null last. Equally good ones keep their order, beginning with any of them.
 */
function orderBranches(
  branches: readonly SchemaNode[],
  place: SamplePlace,
  turn: number,
  sampler: Sampler,
): SchemaNode[] {
  const start = turn % Math.max(1, branches.length);
  const rotated = [...branches.slice(start), ...branches.slice(0, start)];
  const ranked = rotated.map((branch) => ({ branch, rank: rankBranch(branch, place, sampler) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ branch }) => branch);
}

function rankBranch(branch: SchemaNode, place: SamplePlace, sampler: Sampler): number {
  if (!isObject(branch.schema)) {
    return branch.schema === false ? 4 : 2;
  }
  const node = toKeywordNode(branch);
  const reference = readText(node, "$ref");
  const target = reference === undefined ? undefined : readReference(sampler.work.root, node);
  if (target !== undefined && place.references.has(target.pointer)) {
    return 3;
  }
  const types = readTypes(node);
  if (types?.length === 1 && types[0] === "null") {
    return 4;
  }
  const isMentioned = literals(node).some((value) => typeof value === "string" && sampler.hints.mention(value) !== -1);
  return isMentioned ? 0 : 1;
}

/** The fixed values of a branch and of its members, which often tell branches apart (`"kind": {"const": "circle"}`). */
function literals(node: KeywordNode): JsonValue[] {
  const own = "const" in node.schema ? [node.schema["const"]!] : [];
  const members = isObject(node.schema["properties"]) ? Object.values(node.schema["properties"]) : [];
  const inner = members.flatMap((member) => (isObject(member) && "const" in member ? [member["const"]!] : []));
  return [...own, ...inner];
}

/** The schemas that depend on a member which will be there. */
function dependents(part: KeywordNode): SchemaNode[] {
  const dependent = readDependentSchemas(part);
  if (dependent.length === 0) {
    return [];
  }
  const present = new Set([...readTexts(part, "required"), ...readSchemaMap(part, "properties").keys()]);
  return dependent.flatMap(([key, schema]) => (present.has(key) ? [schema] : []));
}

/** The shortest list of values that a `const` or an `enum` leaves, with its keyword; undefined when there is neither. */
export function fixedValues(
  parts: readonly KeywordNode[],
): { values: readonly JsonValue[]; pointer: string } | undefined {
  const lists = parts.flatMap((part) => {
    const members = readList(part, "enum");
    return [
      ...(has(part, "const") ? [{ values: [part.schema["const"]!], pointer: below(part.pointer, "const") }] : []),
      ...(members === undefined ? [] : [{ values: members, pointer: below(part.pointer, "enum") }]),
    ];
  });
  return lists.sort((a, b) => a.values.length - b.values.length)[0];
}
