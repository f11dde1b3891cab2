import { isFieldSet } from "@bufbuild/protobuf";
import {
  type MapRules,
  MapRulesSchema,
  type RepeatedRules,
  RepeatedRulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, hasOnly, UNKNOWN } from "./check.ts";

/** The check of how many values a list has; undefined where it may have any. Whether each is there once is not looked at. */
export function checkOfListSize(rules: RepeatedRules): Check | undefined {
  if (!hasOnly(RepeatedRulesSchema, rules, ["min_items", "max_items", "items", "unique"])) return UNKNOWN;
  const { minItems: min, maxItems: max } = RepeatedRulesSchema.field;
  return within(
    isFieldSet(rules, min) ? rules.minItems : undefined,
    isFieldSet(rules, max) ? rules.maxItems : undefined,
  );
}

/** The check of how many entries a map has; undefined where it may have any. */
export function checkOfMapSize(rules: MapRules): Check | undefined {
  if (!hasOnly(MapRulesSchema, rules, ["min_pairs", "max_pairs", "keys", "values"])) return UNKNOWN;
  const { minPairs: min, maxPairs: max } = MapRulesSchema.field;
  return within(
    isFieldSet(rules, min) ? rules.minPairs : undefined,
    isFieldSet(rules, max) ? rules.maxPairs : undefined,
  );
}

function within(min: bigint | undefined, max: bigint | undefined): Check | undefined {
  if (min === undefined && max === undefined) return undefined;
  const least = Number(min ?? 0n);
  const most = max === undefined ? Number.POSITIVE_INFINITY : Number(max);
  return (count) => typeof count === "number" && count >= least && count <= most;
}
