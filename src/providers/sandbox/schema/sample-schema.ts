import type { JsonValue } from "@bufbuild/protobuf";
import type { Random } from "../random.ts";
import { isWithin, type JsonSize, measureJson } from "./json-value.ts";
import { sampleArray } from "./sample-array.ts";
import { type Choices, createChoices, expandRequirement, fixedValues } from "./sample-choice.ts";
import { createHints } from "./sample-hints.ts";
import { sampleNumber } from "./sample-number.ts";
import { type Generosity, sampleObject } from "./sample-object.ts";
import { sampleString } from "./sample-string.ts";
import { MAX_COUNT, type Requirement, type SamplePlace, type Sampler } from "./sample-types.ts";
import { createSchemaCheck } from "./schema-check.ts";
import { has, type KeywordNode, readList, readTypes, type SchemaNode, type SchemaType } from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";
import { createSchemaWork } from "./schema-work.ts";

/*
 * Makes a value that satisfies a JSON Schema (draft 2020-12), as a model does that calls a tool or writes structured
 * output. A value is made from all keywords that apply to it at once; what keywords forbid (`not`, `oneOf`, `if`) is
 * checked afterwards, and another value is tried if need be. The finished sample is always checked as a whole.
 */

/** What to draw the sample from. */
export interface SampleOptions {
  /** Decides whatever the schema leaves open; the same sequence gives the same sample. */
  random: Random;
  /** The text of the conversation; values are taken from it where a property's name or an enum suits. */
  hints?: string;
  /** Bound on the work; a step takes about a microsecond. 400,000 when unset. */
  steps?: number;
}

/** A sample, or the place in the schema (a JSON Pointer fragment such as `#/properties/city`) that prevents one. */
export type SampleResult = { ok: true; value: JsonValue } | { ok: false; path: string; reason: string };

const LIMITS: JsonSize = { nodes: MAX_COUNT, characters: 200_000, depth: 64 };
/** Below so many objects and lists, and after so many values, only what is required is made. */
const GENEROUS_DEPTH = 6;
const GENEROUS_VALUES = 500;
/** How often a value is tried again: where choices are left, and where a finished value was rejected. */
const MAX_WAYS = 64;
const MIN_REDRAWS = 12;
const STEADY_ATTEMPTS = 3;
/** How many values of an enum are looked for in the conversation. */
const MAX_MENTIONS = 1000;
const MAX_STEPS = 400_000;
const STEPS_PER_VALUE = 50;
const STEPS_PER_REFUSAL = 200;
/** What a finished value has to be checked for, because making it does not look at them, or not at all of them. */
const CHECKED_KEYWORDS = [
  ...["oneOf", "not", "if", "dependentSchemas", "dependentRequired", "dependencies", "propertyNames", "contains"],
  ...["patternProperties", "uniqueItems", "unevaluatedProperties", "unevaluatedItems", "minProperties"],
];
const GENEROSITIES: readonly Generosity[] = ["all", "none", "some"];
const ALL_TYPES: readonly SchemaType[] = ["string", "number", "object", "array", "boolean", "null", "integer"];
/** Keywords that tell the type of a schema without `type`. */
const TYPE_SIGNS: readonly [SchemaType, readonly string[]][] = [
  ["object", ["properties", "required", "additionalProperties", "patternProperties", "minProperties", "propertyNames"]],
  ["array", ["items", "prefixItems", "minItems", "contains", "uniqueItems"]],
  ["string", ["minLength", "maxLength", "pattern", "format"]],
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
];

/**
 * Makes a value that satisfies a JSON Schema of draft 2020-12, or of draft-07. Members that may be left out are made too, unless the
 * sample becomes deep or large. Known formats are satisfied; `pattern` may be any regular expression without
 * look-around and back references; `$ref` must point into the schema. Work and size have bounds: 10,000 values, 200,000
 * characters, 64 levels. Never throws for what a schema says.
 */
export function sampleSchema(schema: JsonValue, options: SampleOptions): SampleResult {
  const sampler = createSampler(schema, options);
  const root = sampler.work.root;
  try {
    const value = sampler.sample([root], { name: "", depth: 0, references: new Map(), variation: 0 });
    if (!isWithin(measureJson(value, LIMITS), LIMITS)) {
      return refusal(
        root.pointer,
        `the sample is larger than ${LIMITS.nodes} values or ${LIMITS.characters} characters`,
      );
    }
    return sampler.fits(value, [root])
      ? { ok: true, value }
      : refusal(root.pointer, "no value was found that satisfies it");
  } catch (error) {
    if (error instanceof SchemaRefusal) {
      return refusal(error.pointer, error.message);
    }
    throw error;
  }
}

function refusal(path: string, reason: string): SampleResult {
  return { ok: false, path, reason };
}

function createSampler(schema: JsonValue, { random, hints = "", steps = MAX_STEPS }: SampleOptions): Sampler {
  const work = createSchemaWork(schema, steps);
  const check = createSchemaCheck(work);
  let made = 0;
  const sampler: Sampler = {
    work,
    random,
    hints: createHints(hints),
    fits: (value, nodes) => nodes.every((node) => check(value, node)),
    isGenerous: (place) => place.depth < GENEROUS_DEPTH && made < GENEROUS_VALUES,
    sample(nodes, place) {
      const pointer = nodes[0]?.pointer ?? work.root.pointer;
      work.spend(STEPS_PER_VALUE, pointer);
      if (place.depth >= LIMITS.depth) {
        throw new SchemaRefusal(pointer, `the sample would be nested more than ${LIMITS.depth} levels`);
      }
      made++;
      return sampleValue(nodes, place, sampler);
    },
  };
  return sampler;
}

/** Tries the ways through the choices one after the other, and each of them again when a finished value is rejected. */
function sampleValue(nodes: readonly SchemaNode[], place: SamplePlace, sampler: Sampler): JsonValue {
  const turn = sampler.random.int(2 ** 20);
  const pointer = nodes[0]?.pointer ?? sampler.work.root.pointer;
  let refused: SchemaRefusal | undefined;
  let limit = 1;
  for (let attempt = 0; attempt < limit; attempt++) {
    const choices = createChoices(attempt, turn);
    try {
      const requirement = expandRequirement(nodes, vary(place, attempt), choices, sampler);
      const value = buildValue(requirement, attempt, choices, sampler);
      const checked = requirement.parts.some((part) => CHECKED_KEYWORDS.some((keyword) => has(part, keyword)));
      if (!checked || sampler.fits(value, nodes)) {
        return value;
      }
      // Another draw may do, even if there is no other way.
      limit = Math.max(limit, MIN_REDRAWS, choices.ways * 2);
    } catch (error) {
      if (!(error instanceof SchemaRefusal) || error.final) {
        throw error;
      }
      refused ??= error;
      sampler.work.spend(STEPS_PER_REFUSAL, error.pointer);
    }
    limit = Math.min(MAX_WAYS, Math.max(limit, choices.ways));
  }
  throw refused ?? new SchemaRefusal(pointer, "no value was found that satisfies all of the schema");
}

/** Later attempts vary what is inside, too; the first ones still follow the conversation and the defaults there. */
function vary(place: SamplePlace, attempt: number): SamplePlace {
  const variation = place.variation + Math.max(0, attempt - STEADY_ATTEMPTS);
  return { ...place, variation };
}

function buildValue(requirement: Requirement, attempt: number, choices: Choices, sampler: Sampler): JsonValue {
  const fixed = fixedValues(requirement.parts);
  if (fixed !== undefined) {
    return pickFixed(fixed.values, fixed.pointer, requirement, sampler);
  }
  const type = chooseType(requirement.parts, attempt, choices);
  const given = requirement.place.variation === 0 ? pickGiven(requirement, type, sampler) : undefined;
  if (given !== undefined) {
    return given;
  }
  switch (type) {
    case "string":
      return sampleString(requirement, sampler);
    case "number":
    case "integer":
      return sampleNumber(requirement, type === "integer", sampler);
    case "object":
      return sampleObject(requirement, GENEROSITIES[attempt % GENEROSITIES.length]!, sampler);
    case "array":
      return sampleArray(requirement, sampler);
    case "boolean":
      return (requirement.place.variation + attempt) % 2 === 0;
    case "null":
      return null;
  }
}

/** One of the values of `const` or `enum`: one that the conversation mentions, the default, or any. */
function pickFixed(
  values: readonly JsonValue[],
  pointer: string,
  requirement: Requirement,
  sampler: Sampler,
): JsonValue {
  const start = sampler.random.int(Math.max(1, values.length));
  const rotated = [...values.slice(start), ...values.slice(0, start)];
  const preferred =
    requirement.place.variation > 0 ? [] : [...mentioned(values, sampler), ...givenValues(requirement, sampler)];
  const found = [...preferred, ...rotated].find((value) => isSmall(value) && sampler.fits(value, requirement.nodes));
  if (found === undefined) {
    throw new SchemaRefusal(pointer, "none of the values satisfies the rest of the schema");
  }
  return found;
}

/** The values that the conversation mentions, the one mentioned last first. */
function mentioned(values: readonly JsonValue[], { hints }: Sampler): JsonValue[] {
  const scalars = values.slice(0, MAX_MENTIONS).filter((value) => typeof value !== "object");
  return scalars
    .map((value) => ({ value, at: hints.mention(String(value)) }))
    .filter(({ at }) => at !== -1)
    .sort((a, b) => b.at - a.at)
    .map(({ value }) => value);
}

/** The default or an example, unless the conversation has something of its own for a property of this name. */
function pickGiven(requirement: Requirement, type: SchemaType, sampler: Sampler): JsonValue | undefined {
  const { place, nodes } = requirement;
  const { hints } = sampler;
  const hinted: readonly JsonValue[] =
    type === "string"
      ? hints.texts(place.name)
      : type === "object" || type === "array"
        ? []
        : hints.numbers(place.name);
  const usable = hinted.some((value) => sampler.fits(value, nodes));
  return usable ? undefined : givenValues(requirement, sampler)[0];
}

/** The usable values of `default` and `examples`. */
function givenValues({ parts, nodes }: Requirement, sampler: Sampler): JsonValue[] {
  const given = parts.flatMap((part) => [
    ...(has(part, "default") ? [part.schema["default"]!] : []),
    ...(readList(part, "examples") ?? []),
  ]);
  return given.filter((value) => isSmall(value) && sampler.fits(value, nodes));
}

function isSmall(value: JsonValue): boolean {
  return isWithin(measureJson(value, LIMITS), LIMITS);
}

/** The type of the value to make: one that all parts allow, null only when there is nothing else. */
function chooseType(parts: readonly KeywordNode[], attempt: number, choices: Choices): SchemaType {
  if (parts.every((part) => !has(part, "type"))) {
    return guessType(parts, attempt, choices);
  }
  const allowed = ALL_TYPES.filter((type) => parts.every((part) => allows(readTypes(part), type)));
  if (allowed.length === 0) {
    throw new SchemaRefusal(parts[0]!.pointer, "no type is allowed by all of the schema");
  }
  const ordered = [...allowed.filter((type) => type !== "null"), ...allowed.filter((type) => type === "null")];
  return ordered[choices.choose(ordered.length)]!;
}

/** A type for a schema without `type`: the one that its keywords speak of, and others only when that was no use. */
function guessType(parts: readonly KeywordNode[], attempt: number, choices: Choices): SchemaType {
  const sign = TYPE_SIGNS.find(([, keywords]) => parts.some((part) => keywords.some((keyword) => has(part, keyword))));
  if (sign === undefined) {
    return ALL_TYPES[choices.choose(ALL_TYPES.length)]!;
  }
  const others = ALL_TYPES.filter((type) => type !== sign[0]);
  return others[attempt - MIN_REDRAWS / 2] ?? sign[0];
}

function allows(types: readonly SchemaType[] | undefined, type: SchemaType): boolean {
  return types === undefined || types.includes(type) || (type === "integer" && types.includes("number"));
}
