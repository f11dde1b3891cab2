import type { JsonValue } from "@bufbuild/protobuf";
import { canonicalJson } from "./json-value.ts";
import type { Check, Evaluated } from "./schema-check-types.ts";
import { readItems, readPrefix } from "./schema-drafts.ts";
import { type KeywordNode, readCount, readSchema } from "./schema-node.ts";

/** Whether a list satisfies the keywords for arrays. */
export function checkArray(
  values: readonly JsonValue[],
  node: KeywordNode,
  check: Check,
  evaluated: Evaluated | undefined,
): boolean {
  const min = readCount(node, "minItems") ?? 0;
  const max = readCount(node, "maxItems") ?? values.length;
  return (
    values.length >= min &&
    values.length <= max &&
    checkItems(values, node, check, evaluated) &&
    checkContains(values, node, check, evaluated) &&
    (node.schema["uniqueItems"] !== true || new Set(values.map(canonicalJson)).size === values.length)
  );
}

function checkItems(
  values: readonly JsonValue[],
  node: KeywordNode,
  check: Check,
  evaluated: Evaluated | undefined,
): boolean {
  const prefix = readPrefix(node);
  const items = readItems(node);
  return values.every((value, index) => {
    const schema = prefix[index] ?? items;
    if (schema === undefined) {
      return true;
    }
    evaluated?.items.add(index);
    return check(value, schema);
  });
}

function checkContains(
  values: readonly JsonValue[],
  node: KeywordNode,
  check: Check,
  evaluated: Evaluated | undefined,
): boolean {
  const schema = readSchema(node, "contains");
  if (schema === undefined) {
    return true;
  }
  let count = 0;
  for (const [index, value] of values.entries()) {
    if (check(value, schema)) {
      count++;
      evaluated?.items.add(index);
    }
  }
  return count >= (readCount(node, "minContains") ?? 1) && count <= (readCount(node, "maxContains") ?? count);
}
