import type { JsonValue } from "@bufbuild/protobuf";
import { canonicalJson } from "./json-value.ts";
import { MAX_COUNT, type Requirement, type SamplePlace, type Sampler } from "./sample-types.ts";
import { readItems, readPrefix } from "./schema-drafts.ts";
import { below, has, type KeywordNode, readCount, readSchema, type SchemaNode } from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";

/** How many items a list has when its schema leaves that open. */
const NATURAL_ITEMS = 2;
/** How often an item is made again when it must differ from those before it. */
const MAX_REDRAWS = 40;

/** A list that satisfies a requirement as far as its own keywords go; the caller checks the rest. */
export function sampleArray(requirement: Requirement, sampler: Sampler): JsonValue[] {
  const { parts, place } = requirement;
  const { min, wanted } = readItemCounts(requirement, sampler);
  const unique = parts.find((part) => part.schema["uniqueItems"] === true);
  const schemasOf = createItemSchemas(parts);
  const items: JsonValue[] = [];
  const seen = new Set<string>();
  while (items.length < wanted) {
    const index = items.length;
    try {
      const item = sampleItem(schemasOf(index), unique, seen, inner(place, index), sampler);
      items.push(item);
    } catch (error) {
      // An item that is not needed is left out, and the list ends before it.
      if (error instanceof SchemaRefusal && !error.final && index >= min) {
        break;
      }
      throw error;
    }
  }
  return items;
}

/** An item that differs from those seen, if it has to. */
function sampleItem(
  nodes: readonly SchemaNode[],
  unique: KeywordNode | undefined,
  seen: Set<string>,
  place: SamplePlace,
  sampler: Sampler,
): JsonValue {
  if (unique === undefined) {
    return sampler.sample(nodes, place);
  }
  for (let redraw = 0; redraw < MAX_REDRAWS; redraw++) {
    const item = sampler.sample(nodes, { ...place, variation: place.variation + redraw });
    const text = canonicalJson(item);
    if (!seen.has(text)) {
      seen.add(text);
      return item;
    }
  }
  throw new SchemaRefusal(below(unique.pointer, "uniqueItems"), `no more than ${seen.size} different items were found`);
}

/** The place of an item: it has the name of its list, and later items vary. */
function inner(place: SamplePlace, index: number): SamplePlace {
  return { ...place, depth: place.depth + 1, variation: place.variation + index };
}

/** How many items there must be, and how many to make. */
function readItemCounts({ parts, place }: Requirement, sampler: Sampler): { min: number; wanted: number } {
  const max = Math.min(...parts.map((part) => readCount(part, "maxItems") ?? Number.POSITIVE_INFINITY));
  const prefix = Math.max(...parts.map((part) => readPrefix(part).length));
  const contained = Math.max(...parts.map((part) => readContained(part)));
  const min = Math.max(contained, ...parts.map((part) => readCount(part, "minItems") ?? 0));
  const part = parts.find((candidate) => has(candidate, "minItems")) ?? parts[0]!;
  if (min > MAX_COUNT) {
    throw new SchemaRefusal(below(part.pointer, "minItems"), `${min} must be <= ${MAX_COUNT}`);
  }
  if (min > max) {
    throw new SchemaRefusal(below(part.pointer, "minItems"), `${min} must be <= maxItems ${max}`);
  }
  const natural = prefix > 0 ? prefix + contained : NATURAL_ITEMS;
  const generous = sampler.isGenerous(place) ? natural : 0;
  return { min, wanted: Math.min(max, Math.max(min, Math.min(generous, MAX_COUNT))) };
}

function readContained(part: KeywordNode): number {
  return has(part, "contains") ? (readCount(part, "minContains") ?? 1) : 0;
}

/** Makes the function that says what the item at an index has to satisfy. What `contains` wants follows the prefix. */
function createItemSchemas(parts: readonly KeywordNode[]): (index: number) => SchemaNode[] {
  const rows = parts.map((part) => ({
    prefix: readPrefix(part),
    items: readItems(part) ?? readSchema(part, "unevaluatedItems"),
    contains: readSchema(part, "contains"),
    contained: readContained(part),
  }));
  const prefixLength = Math.max(...rows.map(({ prefix }) => prefix.length));
  const maxItems = Math.min(...parts.map((part) => readCount(part, "maxItems") ?? Number.POSITIVE_INFINITY));
  return function schemasOf(index) {
    return rows.flatMap(({ prefix, items, contains, contained }) => {
      const first = Math.max(0, Math.min(prefixLength, maxItems - contained));
      const isContained = contains !== undefined && index >= first && index < first + contained;
      const own = prefix[index] ?? items;
      return [...(own === undefined ? [] : [own]), ...(isContained ? [contains] : [])];
    });
  };
}
