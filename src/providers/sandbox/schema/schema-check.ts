import type { JsonValue } from "@bufbuild/protobuf";
import { equalJson } from "./json-value.ts";
import { checkArray } from "./schema-check-array.ts";
import { checkObject } from "./schema-check-object.ts";
import { checkNumber, checkString } from "./schema-check-scalar.ts";
import type { Check, Evaluated } from "./schema-check-types.ts";
import { readDependentSchemas } from "./schema-drafts.ts";
import {
  below,
  has,
  isObject,
  type KeywordNode,
  readList,
  readReference,
  readSchema,
  readSchemas,
  readTypes,
  type SchemaNode,
  type SchemaType,
  toKeywordNode,
} from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";
import type { SchemaWork } from "./schema-work.ts";

const MAX_DEPTH = 250;

/**
 * Makes a checker for JSON Schema draft 2020-12, and for what draft-07 writes in another way. Formats are asserted. Refuses schemas that are malformed, nested too
 * deeply or refer out of themselves; does not know `$dynamicRef`, `$anchor` and `$id`.
 */
export function createSchemaCheck(work: SchemaWork): Check {
  let depth = 0;

  function check(value: JsonValue, node: SchemaNode, evaluated?: Evaluated): boolean {
    work.spend(1, node.pointer);
    if (typeof node.schema === "boolean") {
      return node.schema;
    }
    if (depth > MAX_DEPTH) {
      throw new SchemaRefusal(
        node.pointer,
        `schemas contain each other, or refer to each other, more than ${MAX_DEPTH} deep`,
        true,
      );
    }
    depth++;
    try {
      return checkKeywords(value, toKeywordNode(node), evaluated);
    } finally {
      depth--;
    }
  }

  function checkKeywords(value: JsonValue, node: KeywordNode, outer: Evaluated | undefined): boolean {
    const tracks = has(node, "unevaluatedProperties") || has(node, "unevaluatedItems");
    const evaluated = tracks ? { keys: new Set<string>(), items: new Set<number>() } : outer;
    const holds =
      checkType(value, node) &&
      checkLiterals(value, node, work) &&
      checkMembers(value, node, evaluated) &&
      checkApplicators(value, node, evaluated) &&
      (!tracks || checkUnevaluated(value, node, evaluated!));
    if (holds && tracks) {
      include(outer, evaluated!);
    }
    return holds;
  }

  function checkMembers(value: JsonValue, node: KeywordNode, evaluated: Evaluated | undefined): boolean {
    if (typeof value === "string") {
      return checkString(value, node, work);
    }
    if (typeof value === "number") {
      return checkNumber(value, node);
    }
    if (Array.isArray(value)) {
      return checkArray(value, node, check, evaluated);
    }
    return !isObject(value) || checkObject(value, node, work, check, evaluated);
  }

  /** Checks a branch with a record of its own, which counts only if the branch holds. */
  function checkBranch(value: JsonValue, branch: SchemaNode, evaluated: Evaluated | undefined): boolean {
    const own = evaluated && { keys: new Set<string>(), items: new Set<number>() };
    const holds = check(value, branch, own);
    if (holds && own !== undefined) {
      include(evaluated, own);
    }
    return holds;
  }

  function checkApplicators(value: JsonValue, node: KeywordNode, evaluated: Evaluated | undefined): boolean {
    const holds = (branch: SchemaNode): boolean => checkBranch(value, branch, evaluated);
    const target = readReference(work.root, node);
    if (target !== undefined && !holds(target)) {
      return false;
    }
    if (!readSchemas(node, "allOf").every(holds)) {
      return false;
    }
    // Not `some`: every branch that holds adds to what has been evaluated.
    if (has(node, "anyOf") && readSchemas(node, "anyOf").filter(holds).length === 0) {
      return false;
    }
    if (has(node, "oneOf") && readSchemas(node, "oneOf").filter(holds).length !== 1) {
      return false;
    }
    const excluded = readSchema(node, "not");
    if (excluded !== undefined && check(value, excluded)) {
      return false;
    }
    return checkCondition(node, holds) && checkDependentSchemas(value, node, holds);
  }

  function checkUnevaluated(value: JsonValue, node: KeywordNode, evaluated: Evaluated): boolean {
    const items = readSchema(node, "unevaluatedItems");
    if (items !== undefined && Array.isArray(value)) {
      return value.every((item, index) => {
        const before = evaluated.items.has(index);
        evaluated.items.add(index);
        return before || check(item, items);
      });
    }
    const members = readSchema(node, "unevaluatedProperties");
    if (members !== undefined && isObject(value)) {
      return Object.entries(value).every(([key, member]) => {
        const before = evaluated.keys.has(key);
        evaluated.keys.add(key);
        return before || check(member, members);
      });
    }
    return true;
  }
  return check;
}

function checkType(value: JsonValue, node: KeywordNode): boolean {
  const types = readTypes(node);
  return types === undefined || types.some((type) => hasType(value, type));
}

/** Whether a value has a type of JSON Schema: 1.0 is an integer. */
export function hasType(value: JsonValue, type: SchemaType): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
  }
}

function checkLiterals(value: JsonValue, node: KeywordNode, work: SchemaWork): boolean {
  const members = readList(node, "enum");
  if (members !== undefined) {
    work.spend(members.length, below(node.pointer, "enum"));
    if (!members.some((member) => equalJson(value, member))) {
      return false;
    }
  }
  return !has(node, "const") || equalJson(value, node.schema["const"]!);
}

function checkCondition(node: KeywordNode, holds: (branch: SchemaNode) => boolean): boolean {
  const condition = readSchema(node, "if");
  if (condition === undefined) {
    return true;
  }
  const consequence = readSchema(node, holds(condition) ? "then" : "else");
  return consequence === undefined || holds(consequence);
}

function checkDependentSchemas(value: JsonValue, node: KeywordNode, holds: (branch: SchemaNode) => boolean): boolean {
  return (
    !isObject(value) || readDependentSchemas(node).every(([key, schema]) => !Object.hasOwn(value, key) || holds(schema))
  );
}

function include(target: Evaluated | undefined, added: Evaluated): void {
  for (const key of added.keys) {
    target?.keys.add(key);
  }
  for (const item of added.items) {
    target?.items.add(item);
  }
}
