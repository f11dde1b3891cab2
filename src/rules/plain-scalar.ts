import { type DescEnum, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import {
  DoubleRulesSchema,
  EnumRulesSchema,
  type FieldRules,
  Int32RulesSchema,
  Int64RulesSchema,
  UInt32RulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, hasOnly, UNKNOWN } from "./check.ts";
import { checkOfText } from "./plain-text.ts";

/** Rules by the type that they are for. */
type TypeRules = FieldRules["type"];

/** The check of a scalar. */
export function checkOfScalar(scalar: ScalarType, type: TypeRules): Check {
  // The rules of a type have its name.
  if (type.case !== ScalarType[scalar]?.toLowerCase()) return UNKNOWN;
  switch (type.case) {
    case "string":
      return checkOfText(type.value);
    case "double":
      return checkOfNumber(DoubleRulesSchema, type.value);
    case "int32":
      return checkOfNumber(Int32RulesSchema, type.value);
    case "uint32":
      return checkOfNumber(UInt32RulesSchema, type.value);
    case "int64":
      return checkOfNumber(Int64RulesSchema, type.value);
    default:
      return UNKNOWN;
  }
}

/** What the rules of all types of numbers have in common. */
interface Bounds {
  readonly greaterThan: { readonly case: string | undefined; readonly value?: number | bigint | undefined };
  readonly lessThan: { readonly case: string | undefined; readonly value?: number | bigint | undefined };
}

function checkOfNumber<Desc extends DescMessage>(schema: Desc, rules: MessageShape<Desc> & Bounds): Check {
  const { greaterThan, lessThan } = rules;
  const { value: low } = greaterThan;
  const { value: high } = lessThan;
  const kind = typeof (low ?? high);
  // Where the upper one is lower, values between are what is not allowed.
  const isBetween = low === undefined || high === undefined || low <= high;
  if (!hasOnly(schema, rules, ["gt", "gte", "lt", "lte"]) || kind === "undefined" || !isBetween) return UNKNOWN;
  const isAbove = greaterThan.case === "gt";
  const isBelow = lessThan.case === "lt";
  // NaN is neither above nor below anything.
  return (value) =>
    typeof value === kind &&
    (low === undefined || (isAbove ? (value as number) > low : (value as number) >= low)) &&
    (high === undefined || (isBelow ? (value as number) < high : (value as number) <= high));
}

/** The check of an enum. */
export function checkOfEnum({ values }: DescEnum, type: TypeRules): Check {
  if (type.case !== "enum" || !hasOnly(EnumRulesSchema, type.value, ["defined_only", "in", "not_in"])) return UNKNOWN;
  const { definedOnly, in: among, notIn } = type.value;
  if (!definedOnly && among.length === 0) return (value) => typeof value === "number" && !notIn.includes(value);
  const named = definedOnly ? values.map(({ number }) => number) : among;
  const allowed = new Set(named.filter((it) => (among.length === 0 || among.includes(it)) && !notIn.includes(it)));
  return (value) => typeof value === "number" && allowed.has(value);
}
